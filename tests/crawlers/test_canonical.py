"""One address for one page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.canonical import absolute, canonical


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("HTTP://Forum.Example:80/t/1", "http://forum.example/t/1"),
        ("https://forum.example:443", "https://forum.example/"),
        ("http://forum.example/t/1#p7", "http://forum.example/t/1"),
        ("http://forum.example/t?b=2&a=1", "http://forum.example/t?a=1&b=2"),
        ("http://forum.example/t?id=1&utm_source=x&spm=a.b", "http://forum.example/t?id=1"),
        ("http://forum.example/t?page=1", "http://forum.example/t"),
        ("http://forum.example/t?page=7&id=1", "http://forum.example/t?id=1"),
    ],
)
def test_what_does_not_make_another_page_is_taken_out(url: str, same: str) -> None:
    assert canonical(url, paging_param="page") == same


def test_another_scheme_port_path_or_value_is_another_page() -> None:
    urls = [
        "http://forum.example/t?id=1", "https://forum.example/t?id=1", "http://forum.example:8080/t?id=1",
        "http://forum.example/T?id=1", "http://forum.example/t?id=2", "http://forum.example/t?id=",
    ]  # fmt: skip
    assert len({canonical(url) for url in urls}) == len(urls)


def test_a_query_in_gbk_passes_unharmed() -> None:
    assert canonical("http://forum.example/s?kw=%CD%ED%D7%D4") == "http://forum.example/s?kw=%CD%ED%D7%D4"


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=4), st.text(alphabet="abc/晚自习 %", max_size=10))
def test_canonical_form_is_its_own(query: dict[str, str], path: str) -> None:
    from urllib.parse import quote, urlencode

    url = f"http://forum.example/{quote(path)}?{urlencode(query)}"
    once = canonical(url)
    assert canonical(once) == once


NOWHERE = [
    "javascript:void(0)",
    "mailto:a",
    "http://[bad",
    "http://a:99999999/x",
    "http://\u2100.example/",
    "ftp://a/x",
]


@pytest.mark.parametrize("link", NOWHERE)
def test_a_link_that_leads_to_no_page_has_no_address(link: str) -> None:
    assert absolute("http://forum.example/list", link) is None


@given(st.text())
def test_any_link_has_an_address_that_can_be_asked_for_or_none(link: str) -> None:
    found = absolute("http://forum.example/list", link)
    assert found is None or canonical(found).startswith(("http://", "https://"))


def test_a_link_is_read_from_its_page() -> None:
    assert absolute("http://forum.example/a/list?x=1", "../t/1") == "http://forum.example/t/1"
    assert absolute("http://forum.example/", "//other.example/t") == "http://other.example/t"
