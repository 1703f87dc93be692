"""The English words of the pages. The message ids are the Chinese words as they stand in templates and code.

`python -m review_ui.translations` (needs Babel) brings `locale/en/LC_MESSAGES/django.po` up to date with them, says
which still lack their English, and compiles the file that is read at run time.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

HERE = Path(__file__).parent
PO = HERE / "locale" / "en" / "LC_MESSAGES" / "django.po"
KEYWORDS: Mapping[str, tuple[int, ...] | None] = {
    "_": None,
    "word": None,
    "gettext": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
}

Id = str | tuple[str, ...]


def used() -> set[Id]:
    """Return every message that the pages use; one with a plural as (singular, plural)."""
    return {message for path in _sources() for message in _messages(path)}


def catalog() -> Catalog:
    """Return the English words as they stand in the file."""
    with PO.open("rb") as file:
        return read_po(file, locale="en")


def missing(words: Catalog) -> list[Id]:
    """Return the messages without English words."""
    known = {message.id: message.string for message in words if message.id}
    return sorted((one for one in used() if not _complete(known.get(one))), key=str)


def compiled(words: Catalog) -> bytes:
    """Return the catalog in the form that is read at run time."""
    out = io.BytesIO()
    write_mo(out, words)
    return out.getvalue()


def update() -> list[Id]:
    """Add new messages to the file, take out those that nobody uses, compile it; returns what lacks its English."""
    words, wanted = catalog(), used()
    for message in list(words):
        if message.id and message.id not in wanted:
            words.delete(message.id)
    for one in wanted:
        if words.get(one if isinstance(one, str) else one[0]) is None:
            words.add(one)
    with PO.open("wb") as file:
        write_po(file, words, width=120, sort_output=True, no_location=True)
    PO.with_suffix(".mo").write_bytes(compiled(words))
    return missing(words)


def _sources() -> Iterator[Path]:
    yield from sorted(HERE.rglob("*.py"))
    yield from sorted((HERE / "templates").rglob("*.html"))


def _messages(path: Path) -> Iterator[Id]:
    text = path.read_text("utf-8")
    code = templatize(text, origin=str(path)) if path.suffix == ".html" else text
    for _line, message, _comments, _context in extract("python", io.BytesIO(code.encode()), KEYWORDS):
        yield message if isinstance(message, str) else tuple(message)


def _complete(english: object) -> bool:
    forms = [english] if isinstance(english, str) else list(cast("tuple[str, ...] | None", english) or ())
    return bool(forms) and all(forms)


if __name__ == "__main__":
    lacking = update()
    for message in lacking:
        print(message)
    sys.exit(1 if lacking else 0)
