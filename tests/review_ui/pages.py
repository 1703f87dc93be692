"""Reading pages: what a person would see of an answer."""

from __future__ import annotations

from typing import Any

from parsel import Selector


def read(response: Any) -> Selector:
    """Return the page of an answer."""
    return Selector(response.content.decode())


def words(response: Any, css: str = "body") -> str:
    """Return the words of a page or of a part of it, single spaces between them."""
    return " ".join(" ".join(read(response).css(css).xpath(".//text()").getall()).split())


def messages(response: Any) -> list[str]:
    """Return the messages above a page."""
    return [" ".join(" ".join(one.xpath(".//p//text()").getall()).split()) for one in read(response).css(".message")]
