"""Search in the database counts what a plain count finds, whichever way it takes."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from casework.exposure import scope_for
from casework.models import Case, CaseState, Role
from casework.search import database
from casework.search.port import FACETS, Query
from tests.casework.factories import make_case, make_restricted_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
QUESTIONS = [
    {},
    {"state": ["open"]},
    {"state": ["open", "dismissed"], "site": ["a"]},
    {"state": ["confirmed"], "category": ["gambling"], "site": ["a", "b"]},
    {"category": ["gambling", "bullying"], "severity": ["S1"]},
    {"section": ["talk"], "kid_zone": ["true"]},
]


@pytest.fixture
def many(db: None) -> None:
    dice = random.Random(3)
    for number in range(60):
        category = dice.choice(["gambling", "bullying", "fraud_spending"])
        case = make_case(
            dice.choice(["周末去公园放风筝", "下雨天记得带伞", "放风筝要看风"]),
            site=dice.choice("ab"),
            section=dice.choice(["talk", "games"]),
            category=category,
            categories=list(dict.fromkeys([category, dice.choice(["gambling", "bullying"])])),
            severity=dice.choice(["S1", "S2"]),
            kid_zone=dice.random() < 0.5,
            state=dice.choice([CaseState.OPEN, CaseState.CONFIRMED, CaseState.DISMISSED, CaseState.OUT_OF_SCOPE]),
        )
        if number % 9 == 0:
            make_case("放风筝", copy_of=case, likeness=1.0)
    make_restricted_case()


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize("text", ["", "风筝", "放风 筝"])
@pytest.mark.parametrize("filters", QUESTIONS)
def test_facets_and_total_are_those_of_a_plain_count(
    filters: dict[str, list[str]], text: str, few: int, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "FEW", few)
    query = Query(scope_for(make_user(Role.REVIEWER)), text, filters)
    page = database.DatabaseSearch().search(query)

    expected: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    total = 0
    for case in Case.objects.filter(copy_of=None, restricted=False).exclude(state=CaseState.OUT_OF_SCOPE):
        wanted_kids = filters.get("kid_zone") in (None, [str(case.kid_zone).lower()])
        if not wanted_kids or not all(word in case.text for word in text.split()):
            continue
        values = {name: [getattr(case, name)] for name in FACETS if name != "category"} | {"category": case.categories}
        missed = [name for name in FACETS if filters.get(name) and not set(filters[name]) & set(values[name])]
        total += not missed
        for name in FACETS if not missed else missed if len(missed) == 1 else ():
            expected[name].update(values[name])
    assert page.total == total
    assert {name: dict(one) for name, one in page.facets.items()} == {name: dict(one) for name, one in expected.items()}
    assert all(one == sorted(one, key=lambda pair: (-pair[1], pair[0])) for one in page.facets.values())
