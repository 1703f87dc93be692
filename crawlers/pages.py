"""Pages as the recipe reads them: HTML, JSON or a feed; and those that ask not to be kept."""

from __future__ import annotations

import json
from typing import Any

from parsel import Selector
from scrapy.http import Response, TextResponse

from config.policy import Basis
from crawlers.agent import PRODUCT

_KEEP_OUT = frozenset({"noindex", "noarchive", "nosnapshot", "none"})
_AGREED = frozenset({"noindex"})
"""What an owner's or an authority's agreement overrides: it is said to search engines, and many APIs say it always."""
_EVERYBODY = ("", "robots", "*", PRODUCT.lower())


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
    return Selector(response.text, type="html")


def withheld(response: Response, basis: Basis) -> bool:
    """Whether the page asks us not to index or keep it (X-Robots-Tag or a robots meta element)."""
    said = set().union(*(_directives(tag.decode("latin-1")) for tag in response.headers.getlist("X-Robots-Tag")))
    if isinstance(response, TextResponse) and b"<meta" in response.body[:20_000].lower():
        for meta in Selector(response.text[:20_000], type="html").css("meta[name][content]"):
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
