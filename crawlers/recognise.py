"""Which software a page comes from, by the markers that the presets name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parsel import Selector
from scrapy.http import Response, TextResponse

from config.policy import recognitions
from config.recognition import Marker, Recognition
from crawlers import fields


@dataclass(frozen=True)
class Recognised:
    """A kind of software, its preset, and what gave it away."""

    preset: str
    recognition: Recognition
    evidence: tuple[str, ...]


def recognise(response: Response, *, agreed: bool) -> list[Recognised]:
    """Return the kinds of software that a page may come from, the likeliest first.

    Args:
        response: the page.
        agreed: whether an owner or an authority agreed, so that interfaces that say noindex may be read.
    """
    page = opened(response)
    found = []
    for preset, recognition in recognitions().items():
        evidence = tuple(str(marker) for marker in recognition.markers if _holds(marker, page, response))
        if evidence:
            found.append(Recognised(preset, recognition, evidence))

    def order(one: Recognised) -> tuple[int, bool, bool, int]:
        reluctant = one.recognition.needs_agreement and not agreed
        return one.recognition.rank, reluctant, not one.recognition.needs_agreement, -len(one.evidence)

    return sorted(found, key=order)


def opened(response: Response) -> Any:
    """Return a page as a selector, or as decoded JSON; None when it is neither."""
    if not isinstance(response, TextResponse) or not response.body:
        return None
    text = response.text.lstrip("\ufeff \r\n\t")
    if text.startswith(("{", "[")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None
    if re.match(r"<\?xml|<rss|<feed|<urlset|<sitemapindex", text):
        selector = Selector(text, type="xml")
        selector.remove_namespaces()
        return selector
    return Selector(text, type="html")


def _holds(marker: Marker, page: Any, response: Response) -> bool:
    return any(marker.regex is None or re.search(marker.regex, value) for value in _values(marker, page, response))


def _values(marker: Marker, page: Any, response: Response) -> Iterator[str]:
    if marker.header is not None:
        yield from (value.decode("latin-1") for value in response.headers.getlist(marker.header))
    elif isinstance(page, Selector):
        yield from page.css(marker.css).getall() if marker.css else ()
    elif marker.jmespath is not None and page is not None:
        found = fields.search_json(marker.jmespath, page)
        if found not in (None, "", [], {}):
            yield str(found)


def looked_for() -> list[str]:
    """Return the names of all software that can be recognised."""
    return sorted({recognition.software for recognition in recognitions().values()})
