"""A page is parsed once, whoever looks at it."""

from __future__ import annotations

import pytest
from scrapy.http import HtmlResponse

from config.policy import Basis
from crawlers import pages

BASIS = Basis(kind="robots", document="robots.txt read")


def answer(body: str) -> HtmlResponse:
    return HtmlResponse("https://forum.example/t/1", body=body.encode(), encoding="utf-8")


def test_what_reads_a_page_is_given_the_page_that_was_parsed_to_judge_it(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    selector = pages.Selector
    monkeypatch.setattr(pages, "Selector", lambda text, type: parsed.append(text) or selector(text, type=type))
    response = answer('<meta name=keywords content="none"><p>正文</p>')

    assert not pages.withheld(response, BASIS)
    assert pages.parse(response, "html").css("p::text").get() == "正文"
    assert pages.as_html(response) is pages.parse(response, "html")
    assert len(parsed) == 1


def test_two_answers_with_one_address_are_two_pages() -> None:
    assert pages.as_html(answer("<p>一</p>")).css("p::text").get() == "一"
    assert pages.as_html(answer("<p>二</p>")).css("p::text").get() == "二"
