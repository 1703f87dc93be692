"""Pages as the recipe reads them: HTML, JSON or a feed; and those that ask not to be kept."""

from __future__ import annotations

import json
import re
from typing import Any

from parsel import Selector
from scrapy.http import Response, TextResponse

_KEEP_OUT = re.compile(r"\b(noindex|noarchive|nosnapshot|none)\b", re.IGNORECASE)


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
    return Selector(response.text)


def withheld(response: Response) -> bool:
    """Whether the page asks not to be indexed or archived (X-Robots-Tag or a robots meta element)."""
    tags = b",".join(response.headers.getlist("X-Robots-Tag")).decode("latin-1")
    if _KEEP_OUT.search(tags):
        return True
    if not isinstance(response, TextResponse) or b"<meta" not in response.body[:20_000].lower():
        return False
    head = Selector(response.text[:20_000])
    names = "translate(@name,'ROBTS','robts')"
    contents = head.xpath(f"//meta[{names}='robots' or {names}='silverwoodpecker']/@content").getall()
    return any(_KEEP_OUT.search(content) for content in contents)
