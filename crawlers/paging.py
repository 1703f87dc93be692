"""Where the next page is, in each way that sites page."""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scrapy.http import Response
from w3lib.url import add_or_replace_parameter

from config.recipe import Paging
from crawlers import fields
from crawlers.canonical import absolute


def following(plan: Paging | None, page: Any, response: Response, number: int, read: int = 0) -> str | None:
    """Return the address of the page after this one, or None.

    Args:
        plan: how the site pages; None: it does not.
        page: the parsed page.
        response: the answer that the page came in.
        number: number of this page, from 1.
        read: pages of it that were read in this run, this one included.
    """
    if plan is None or (plan.at_most is not None and read >= plan.at_most):
        return None
    match plan.kind:
        case "next_link":
            link = fields.text(plan.next, page, response.url)
            return absolute(response.url, link) if link else None
        case "cursor":
            cursor = fields.text(plan.cursor, page)
            return add_or_replace_parameter(response.url, plan.param, cursor) if cursor else None
        case "link_header":
            return _link_header(response)
        case "offset":
            step = plan.first + number * plan.size
        case _:
            step = plan.first + number
    last = pages_of(plan, page)
    return add_or_replace_parameter(response.url, plan.param, str(step)) if last is None or number < last else None


def address(plan: Paging, url: str, number: int) -> str:
    """Return the address of a page by its number (from 1); only for paging by page_number or offset."""
    step = (number - 1) * (plan.size if plan.kind == "offset" else 1)
    return str(add_or_replace_parameter(url, plan.param, str(plan.first + step)))


def pages_of(plan: Paging, page: Any) -> int | None:
    """Return the number of pages, or None when the site does not say; one that should be there and is not means one."""
    if plan.count:
        return math.ceil((fields.number(plan.count, page) or 0) / plan.size)
    return (fields.number(plan.total, page) or 1) if plan.total else None


def ends_visibly(plan: Paging | None) -> bool:
    """Whether the last page itself changes when another follows it, so that an unchanged one is still the last."""
    return plan is None or plan.kind in {"next_link", "cursor"} or bool(plan.total or plan.count)


def runs_past_the_end(plan: Paging | None) -> bool:
    """Whether the last page is known only by asking for the one after it."""
    return plan is not None and plan.kind in {"page_number", "offset"} and not (plan.total or plan.count)


def number_of(plan: Paging | None, url: str) -> int:
    """Return the number (from 1) of the page that an address names."""
    if plan is None or plan.kind not in {"page_number", "offset"}:
        return 1
    value = parse_qs(urlsplit(url).query).get(plan.param, [""])[0]
    if not value.isdecimal() or len(value) > fields.MOST_FIGURES:
        return 1
    step = plan.size if plan.kind == "offset" else 1
    return (int(value) - plan.first) // step + 1


def _link_header(response: Response) -> str | None:
    """Return the target of `Link: <…>; rel="next"` (RFC 8288)."""
    for header in response.headers.getlist("Link"):
        for target, parameters in re.findall(r"<([^>]*)>([^,]*)", header.decode("latin-1")):
            if re.search(r'rel\s*=\s*"?[^";]*\bnext\b', parameters):
                return absolute(response.url, target)
    return None
