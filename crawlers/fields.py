"""Values out of pages, as the recipe says: the first alternative that finds something counts."""

from __future__ import annotations

import hmac
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from lxml import etree
from parsel import Selector, SelectorList
from w3lib.html import remove_comments, remove_tags, remove_tags_with_content

from config.recipe import Finder
from crawlers import datetimes
from crawlers.canonical import absolute

Node = Selector | dict[str, Any]
"""One item of a page: an element, or an object of a JSON answer."""


@dataclass(frozen=True)
class Nested:
    """A page that stands inside another of the other kind, HTML in JSON or JSON in HTML: a finder looks in its own."""

    inner: Selector | Any
    outer: Selector | Any

    def at(self, finder: Finder) -> Selector | Any:
        """Return the page in which a finder looks: JSON for a JMESPath, HTML for the others."""
        return self.inner if isinstance(self.inner, Selector) == (finder.jmespath is None) else self.outer


MOST_FIGURES = 19
"""Figures of the longest number that is one: what a column of a database holds."""
_UNSEEN = ("script", "style", "noscript")
_BREAKS = re.compile(r"<\s*br\s*/?>|<\s*/?\s*(?:p|div|ul|ol|li|tr|h[1-6]|blockquote|pre)\b[^>]*>", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")


def nodes(finders: Sequence[Finder], root: Selector | Any) -> list[Node]:
    """Return the items of a page."""
    for finder in finders:
        if found := _select(finder, root):
            return [node for node in found if isinstance(node, Selector | dict)]
    return []


def text(finders: Sequence[Finder] | None, node: Node, base_url: str = "") -> str | None:
    """Return the value of a field as text, or None when nothing is found."""
    return next(iter(_texts(finders, node, base_url)), None)


def texts(finders: Sequence[Finder] | None, node: Node, base_url: str = "") -> list[str]:
    """Return every value of the first alternative that finds any."""
    for finder in finders or ():
        if found := list(_texts([finder], node, base_url)):
            return found
    return []


def _texts(finders: Sequence[Finder] | None, node: Node, base_url: str) -> Iterator[str]:
    for finder in finders or ():
        for found in _select(finder, node):
            if value := _converted(finder, found, base_url):
                yield value


def key(finders: Sequence[Finder], node: Node, secret: bytes) -> str | None:
    """Return the key of a unit; one made of what was written (`as: digest`) is hashed with a secret."""
    for finder in finders:
        if (value := text([finder], node)) is not None:
            return value if finder.convert != "digest" else hmac.new(secret, value.encode(), "sha256").hexdigest()[:32]
    return None


def number(finders: Sequence[Finder] | None, node: Node) -> int | None:
    """Return the value of a field as a whole number: 1,234 and 1.2万 are understood."""
    return _whole_number(text(finders, node) or "")


def moment(finders: Sequence[Finder] | None, node: Node, *, now: datetime) -> datetime | None:
    """Return the value of a field as a moment."""
    for finder in finders or ():
        for found in _select(finder, node):
            value = _converted(finder, found, "")
            if value and (parsed := _parse_moment(finder, value, now)):
                return parsed
    return None


def search_json(path: str, value: Any) -> Any:
    """Return what a JMESPath finds; None where it does not fit, as when it joins something that is no text."""
    try:
        return jmespath.search(path, value)
    except JMESPathError:
        return None


def plain_text(markup: str) -> str:
    """Return what a reader sees of a piece of HTML: one line per block, blanks folded."""
    if "<" in markup:
        markup = remove_tags_with_content(remove_comments(markup), which_ones=_UNSEEN)
        markup = remove_tags(_BREAKS.sub("\n", markup))
    return _folded(html.unescape(markup))


def _folded(text: str) -> str:
    return "\n".join(line for line in (_BLANKS.sub(" ", one).strip() for one in text.split("\n")) if line)


def _select(finder: Finder, node: Any) -> list[Any]:
    if finder.const is not None:
        return [finder.const]
    if isinstance(node, Nested):
        node = node.at(finder)
    if finder.jmespath is not None:
        found = search_json(finder.jmespath, node) if not isinstance(node, Selector) else None
        return found if isinstance(found, list) else [] if found is None else [found]
    if not isinstance(node, Selector):
        return []
    found_nodes: SelectorList[Selector] = node.css(finder.css) if finder.css else node.xpath(finder.xpath or ".")
    return list(found_nodes)


def _converted(finder: Finder, found: Any, base_url: str) -> str | None:
    value = _as_text(finder, found)
    if finder.regex is not None:
        match = re.search(finder.regex, value, re.DOTALL)
        if match is None:
            return None
        value = (match[1] if match.re.groups else match[0]) or ""
    value = value.strip()
    if value and finder.template:
        value = finder.template.replace("{}", value)
    match finder.convert:
        case "url":
            return absolute(base_url, value) if base_url and value else value or None
        case "int":
            whole = _whole_number(value)
            return None if whole is None else str(whole)
        case _:
            return value or None


def _as_text(finder: Finder, found: Any) -> str:
    if isinstance(found, Selector):
        if isinstance(found.root, str):  # ::text and ::attr() give strings
            markup = found.get()
            return plain_text(markup) if finder.convert == "html-text" else markup
        text = None if finder.drop else _only_text(found.root)
        return plain_text(_without(found, finder.drop)) if text is None else _folded(text)
    value = "" if found is None or isinstance(found, dict | list) else str(found)
    value = value.encode(errors="replace").decode()  # JSON may hold half a character, as of an emoji that was cut
    if finder.convert != "html-text":
        return value
    return plain_text(_without(Selector(value, type="html"), finder.drop) if value and finder.drop else value)


def _only_text(root: Any) -> str | None:
    """Return the text of an element in which nothing else stands, as most do; None for any other."""
    if not isinstance(root, etree._Element) or len(root) or not isinstance(root.tag, str):
        return None
    return None if root.tag.rpartition("}")[2].lower() in _UNSEEN else root.text or ""


def _whole_number(value: str) -> int | None:
    match = re.search(r"(\d[\d,]*(?:\.\d+)?)\s*(万|k|K)?", value)
    if match is None:
        return None
    factor = {"万": 10_000, "k": 1_000, "K": 1_000}.get(match[2] or "", 1)
    figures = match[1].replace(",", "")
    if len(figures) > MOST_FIGURES:
        return None
    found = int(figures) * factor if figures.isdigit() else round(float(figures) * factor)
    return found if found < 2**63 else None


def _without(node: Selector, dropped: Sequence[str]) -> str:
    markup: str = node.get()
    if not dropped:
        return markup
    copy = Selector(markup, type="html")
    for css in dropped:
        for element in copy.css(css):
            element.drop()
    return str(copy.get())


def _parse_moment(finder: Finder, value: str, now: datetime) -> datetime | None:
    match finder.convert:
        case "unix-time":
            return datetimes.parse_unix(value)
        case "iso-datetime":
            return datetimes.parse_iso(value)
        case _:
            return datetimes.parse_zh(value, now=now)
