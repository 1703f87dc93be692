"""Where the next page is."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.recipe import Paging
from crawlers.paging import ends_visibly, number_of


@pytest.mark.parametrize(
    ("values", "url", "number"),
    [
        ({"kind": "page_number"}, "http://forum.example/t", 1),
        ({"kind": "page_number"}, "http://forum.example/t?page=4", 4),
        ({"kind": "page_number", "param": "p", "first": 0}, "http://forum.example/t?p=4", 5),
        ({"kind": "page_number"}, "http://forum.example/t?page=last", 1),
        ({"kind": "page_number"}, "http://forum.example/t?page=²", 1),
        ({"kind": "page_number"}, f"http://forum.example/t?page={'9' * 5000}", 1),
        ({"kind": "offset", "param": "start", "first": 0, "size": 20}, "http://forum.example/t?start=40", 3),
        ({"kind": "cursor", "cursor": "a"}, "http://forum.example/t?page=9", 1),
    ],
)
def test_the_number_of_a_page_stands_in_its_address(values: dict[str, object], url: str, number: int) -> None:
    assert number_of(Paging.model_validate(values), url) == number


@pytest.mark.parametrize(
    ("values", "visible"),
    [
        ({"kind": "next_link", "next": "a"}, True),
        ({"kind": "cursor", "cursor": "a"}, True),
        ({"kind": "page_number", "total": "a"}, True),
        ({"kind": "page_number"}, False),
        ({"kind": "offset"}, False),
        ({"kind": "link_header"}, False),
    ],
)
def test_an_unchanged_last_page_is_still_the_last_only_where_it_names_the_next(
    values: dict[str, object], visible: bool
) -> None:
    assert ends_visibly(Paging.model_validate(values)) is visible


@pytest.mark.parametrize(("kind", "needed"), [("next_link", "next"), ("cursor", "cursor")])
def test_a_kind_of_paging_asks_for_what_it_needs(kind: str, needed: str) -> None:
    with pytest.raises(ValidationError, match=f"found kind {kind} without `{needed}`"):
        Paging.model_validate({"kind": kind})
