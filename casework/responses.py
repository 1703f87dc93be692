"""Stored responses as casework knows them: files that crawls leave under a digest, kept as long as a case names them.

They are sealed (crawlers/evidence.py) and never opened here; what may be known of one lies beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction

from casework.models import Case, InboxItem

FOLDER = "responses"
SUFFIXES = (".json", ".warc.gz.sealed")
_SCHEME = "sha256:"


def metadata(reference: str | None) -> dict[str, Any] | None:
    """Return what is known of a stored response; None when there is none (any more)."""
    name = _name(reference)
    if name is None:
        return None
    try:
        with default_storage.open(f"{name}.json", "rb") as file:
            told: dict[str, Any] = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return told


def destroy(references: Iterable[str | None]) -> None:
    """Destroy stored responses when the running transaction commits, whoever else names them: they may not be held."""
    names = [name for name in map(_name, references) if name]
    if names:
        transaction.on_commit(lambda: _delete(names))


def unneeded(older_than: datetime) -> Iterator[str]:
    """Yield the stored responses that no case names; younger ones are passed over, a batch of theirs may be waiting.

    While captures older than that wait for assessment, nothing is unneeded.
    """
    if InboxItem.objects.filter(batch__created_at__lte=older_than).exists():
        return
    folders = default_storage.listdir(FOLDER)[0] if default_storage.exists(FOLDER) else []
    for folder in sorted(folders):
        digests: dict[str, list[str]] = {}
        for file in default_storage.listdir(f"{FOLDER}/{folder}")[1]:
            digests.setdefault(file.lstrip(".").split(".", 1)[0], []).append(f"{FOLDER}/{folder}/{file}")
        references = [_SCHEME + digest for digest in digests]
        named = set(Case.objects.filter(evidence__in=references).values_list("evidence", flat=True))
        for digest, files in sorted(digests.items()):
            old = all(default_storage.get_modified_time(one) < older_than for one in files)
            if old and _SCHEME + digest not in named:
                yield from files


def _name(reference: str | None) -> str | None:
    digest = (reference or "").removeprefix(_SCHEME)
    if not (reference or "").startswith(_SCHEME) or len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        return None
    return f"{FOLDER}/{digest[:2]}/{digest}"


def _delete(names: Iterable[str]) -> None:
    for name in names:
        for suffix in SUFFIXES:
            default_storage.delete(name + suffix)
