"""The contract: what a capture must be, and what makes two the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crawlers.capture import Capture, capture_id
from tests.crawlers.importers.test_jsonl import ROW


@given(st.text(min_size=1), st.sampled_from([" ", "\n", "\t ", "\u3000"]))
def test_white_space_and_composition_do_not_make_another_capture(text: str, blank: str) -> None:
    plain = capture_id("a", "u", "k", f"晚自习 {text}")
    assert capture_id("a", "u", "k", f" 晚自习{blank}{unicodedata.normalize('NFD', text)}\n") == plain


@given(st.lists(st.text(max_size=5), min_size=4, max_size=4, unique=True))
def test_site_page_unit_and_text_each_make_another_capture(parts: list[str]) -> None:
    site, url, unit, text = (part.replace("\x1f", "") for part in parts)
    first = (site, url, unit, text + "字")
    others = [tuple(part + "x" if at == place else part for at, part in enumerate(first)) for place in range(4)]
    assert len({capture_id(*one) for one in (first, *others)}) == 5


def test_text_is_kept_composed() -> None:
    assert Capture.model_validate(ROW | {"text": "e\u0301"}).text == "é"


@pytest.mark.parametrize(
    "change",
    [
        {"text": " \n"}, {"text": ""}, {"id": "xyz"}, {"basis": "none"}, {"inclusion_probability": 0},
        {"position": -1}, {"flags": ["不"]}, {"url": "javascript:alert(1)"}, {"url": "http://a b/"},
        {"redactions": [{"kind": "phone", "start": 3, "end": 3}]}, {"thread": "a\nb"}, {"site": "A B"},
    ],
)  # fmt: skip
def test_what_breaks_the_contract_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Capture.model_validate(ROW | change)
