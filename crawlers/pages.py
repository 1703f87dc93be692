"""Pages as the recipe reads them: HTML, JSON or a feed; and those that ask not to be kept."""

from __future__ import annotations

import json
import re
from typing import Any
from weakref import WeakKeyDictionary

from parsel import Selector
from scrapy.http import Response, TextResponse

from config.policy import Basis
from crawlers.agent import PRODUCT

_KEEP_OUT = frozenset({"noindex", "noarchive", "nosnapshot", "none"})
_AGREED = frozenset({"noindex"})
"""What an owner's or an authority's agreement overrides: it is said to search engines, and many APIs say it always."""
_EVERYBODY = ("", "robots", "*", PRODUCT.lower())


_ASKS = re.compile(r"<meta\b[^>]*(?:noindex|noarchive|nosnapshot|none)", re.IGNORECASE)
"""Whether it is worth the time to look for a robots meta element."""


class Unreadable(Exception):
    """A page is not what the recipe says it is."""


def parse(response: Response, form: str) -> Selector | Any:
    """Return a selector (html, feed) or the decoded JSON.

    Raises:
        Unreadable: the answer is not text, not JSON, or empty.
    """
    if not isinstance(response, TextResponse) or not response.body:
        raise Unreadable("not a text page")
    if form == "json":
        try:
            return json.loads(response.text)
        except (ValueError, RecursionError) as error:
            raise Unreadable("not JSON") from error
    if form == "feed":
        selector = Selector(response.text, type="xml")
        selector.remove_namespaces()
        return selector
    return as_html(response)


def as_html(response: TextResponse) -> Selector:
    """Return a page as HTML; whoever asks for it again is given the same, which nobody changes."""
    if (found := _opened.get(response)) is None:
        found = _opened[response] = Selector(response.text, type="html")
    return found


_opened: WeakKeyDictionary[Response, Selector] = WeakKeyDictionary()


def rightly_decoded(response: Response) -> Response:
    """Return a text page decoded as it is written, where what it says of its encoding does not fit.

    What decodes as UTF-8 is UTF-8: other Chinese text does not by chance. What leaves signs of broken characters is
    tried as GB 18030 (GBK, GB 2312).
    """
    if not isinstance(response, TextResponse) or response.body.isascii():
        return response
    if response.encoding != "utf-8" and _fits(response.body, "utf-8"):
        return response.replace(encoding="utf-8")
    if "\ufffd" in response.text and _fits(response.body, "gb18030"):
        return response.replace(encoding="gb18030")
    return response


def _fits(body: bytes, encoding: str) -> bool:
    try:
        body.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def withheld(response: Response, basis: Basis) -> bool:
    """Whether the page asks us not to index or keep it (X-Robots-Tag or a robots meta element)."""
    said = set().union(*(_directives(tag.decode("latin-1")) for tag in response.headers.getlist("X-Robots-Tag")))
    if isinstance(response, TextResponse) and _ASKS.search(response.text):
        for meta in as_html(response).css("meta[name][content]"):
            if meta.attrib["name"].strip().lower() in _EVERYBODY:
                said |= _directives(meta.attrib["content"])
    return bool(said & (_KEEP_OUT - _AGREED if basis.kind in {"owner", "authority"} else _KEEP_OUT))


def _directives(value: str) -> set[str]:
    """Return the directives that speak to us; `otherbot: noindex` does not, `max-image-preview:none` is none of ours.

    An agent's name holds for all directives after it.
    """
    agent, found = "", set[str]()
    for token in value.lower().split(","):
        name, colon, rest = (part.strip() for part in token.partition(":"))
        if colon and not name.startswith(("max-", "unavailable_after")):
            agent, name = name, rest
        elif colon:
            continue
        if agent in _EVERYBODY:
            found.add(name)
    return found
