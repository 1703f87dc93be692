"""The decision table, row by row against the law's own words: where a thing stands decides what may be asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.decision_table import DecisionTable, dispositions
from config.documents import read_shipped
from config.taxonomy import SLUGS, Grade

PLAIN = {
    "category": "gambling", "grade": "may_affect", "kid_zone": False, "prominent": False, "unlabelled": False,
    "minor_author": False, "imminent": False,
}  # fmt: skip


def asked(**item: Any) -> dict[str, str]:
    """Remedy → its basis."""
    found = dispositions(**(PLAIN | item))
    return {one.slug: " ".join(f"{ref.law}{ref.article}" for ref in one.basis) for one in found}


@pytest.mark.parametrize(
    ("item", "remedies"),
    [
        # grade illegal: stop, delete or block, keep records, report
        ({"grade": "illegal"}, {"remove": "R29¶1 L80¶2"}),
        ({"grade": "illegal", "kid_zone": True, "prominent": True, "unlabelled": True}, {"remove": "R29¶1 L80¶2"}),
        # bad or may_affect in a kid zone: move out
        ({"grade": "bad", "kid_zone": True}, {"move_out": "R24¶1"}),
        ({"grade": "may_affect", "kid_zone": True}, {"move_out": "R24¶1"}),
        ({"grade": "may_affect", "kid_zone": True, "prominent": True, "unlabelled": True}, {"move_out": "R24¶1"}),
        # bad or may_affect in a prominent place: take it off that place
        ({"grade": "bad", "prominent": True}, {"demote": "R24¶2"}),
        ({"grade": "bad", "prominent": True, "unlabelled": True}, {"demote": "R24¶2"}),
        ({"grade": "may_affect", "prominent": True}, {"demote": "R24¶2"}),
        # may_affect without a label: label it
        ({"grade": "may_affect", "unlabelled": True}, {"label": "R23 R29¶2 L80¶1"}),
        (
            {"grade": "may_affect", "prominent": True, "unlabelled": True},
            {"demote": "R24¶2", "label": "R23 R29¶2 L80¶1"},
        ),
        # may_affect, labelled, general zone, not prominent: not listed at all
        ({"grade": "may_affect"}, {}),
        ({"grade": "bad"}, {}),
        ({"grade": "bad", "unlabelled": True}, {}),
        # a minor's data, or a minor as author: protect, never punish
        ({"category": "minor_privacy", "grade": "illegal"}, {"protect": "L73 R38"}),
        ({"category": "minor_privacy", "grade": "may_affect", "kid_zone": True}, {"protect": "L73 R38"}),
        ({"grade": "illegal", "minor_author": True}, {"protect": "L73 R38"}),
        ({"grade": "may_affect", "minor_author": True}, {"protect": "L73 R38"}),
        # to the police at once, and never on an ordinary list
        ({"category": "sexual_exploitation", "grade": "illegal"}, {}),
        ({"category": "sexual_exploitation", "grade": "illegal", "minor_author": True, "kid_zone": True}, {}),
        ({"category": "self_harm", "grade": "illegal", "imminent": True}, {}),
        ({"category": "self_harm", "grade": "illegal"}, {"remove": "R29¶1 L80¶2"}),
    ],
)  # fmt: skip
def test_a_row_asks_for_what_the_law_allows(item: dict[str, Any], remedies: dict[str, str]) -> None:
    assert asked(**item) == remedies


items = st.fixed_dictionaries(
    {"category": st.sampled_from(SLUGS), "grade": st.sampled_from([str(one) for one in Grade])}
    | {flag: st.booleans() for flag in ("kid_zone", "prominent", "unlabelled", "minor_author", "imminent")}
)


@given(items)
def test_removal_is_asked_for_illegal_things_only_and_police_matters_are_never_listed(item: dict[str, Any]) -> None:
    found = asked(**item)
    assert "police" not in found
    if "remove" in found:
        assert item["grade"] == "illegal"
        assert not item["minor_author"]
    if item["category"] == "sexual_exploitation":
        assert found == {}
    if item["grade"] == "illegal" and item["category"] not in {"sexual_exploitation", "self_harm"}:
        assert found


def test_an_unknown_category_or_grade_is_refused() -> None:
    with pytest.raises(KeyError):
        asked(category="gamblng")
    with pytest.raises(ValueError, match="grave"):
        asked(grade="grave")


@pytest.mark.parametrize("row", [{"ask": ["delete"]}, {"when": {"category": ["gamblng"]}}, {"when": {"kidzone": True}}])
def test_a_wrong_table_is_refused(row: dict[str, Any]) -> None:
    data = read_shipped("decision_table.yaml")
    data["rows"][0] |= row
    with pytest.raises(ValidationError):
        DecisionTable.model_validate(data)
