"""Searches that people keep, and results that they take out of the house."""

from datetime import timedelta

import pytest
from django.utils import timezone

from casework import exposure, searches
from casework.errors import InvalidInput, NotAllowed, NotFound
from casework.models import AuditEntry, Role, SavedSearch, User
from casework.search.port import Query
from tests.casework.factories import make_case, make_restricted_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def names(user: User) -> list[str]:
    return [one.name for one in searches.saved(user)]


def test_a_search_belongs_to_the_person_who_keeps_it() -> None:
    one, other = make_user(), make_user()
    kept = searches.save(one, " 涉赌 ", "category=gambling")
    searches.save(one, "校园", "section=campus")
    assert (names(one), names(other)) == (["校园", "涉赌"], [])
    with pytest.raises(NotFound):
        searches.remove(other, kept.pk)
    searches.save(one, "涉赌", "category=gambling&severity=S1")
    assert searches.saved(one).get(name="涉赌").address == "category=gambling&severity=S1"


def test_a_removed_search_can_be_brought_back_and_is_gone_for_good_after_a_day() -> None:
    user = make_user()
    kept = searches.save(user, "涉赌", "category=gambling")
    searches.remove(user, kept.pk)
    assert names(user) == []
    searches.bring_back(user, kept.pk)
    assert names(user) == ["涉赌"]
    searches.remove(user, kept.pk)
    SavedSearch.objects.update(removed_at=timezone.now() - timedelta(days=2))
    searches.save(user, "校园", "section=campus")
    with pytest.raises(NotFound):
        searches.bring_back(user, kept.pk)


@pytest.mark.parametrize(
    ("name", "address"), [("", "q=1"), ("x" * 61, "q=1"), ("涉赌", ""), ("涉赌", "q=" + "1" * 1000)]
)
def test_what_cannot_be_kept_is_refused(name: str, address: str) -> None:
    with pytest.raises(InvalidInput):
        searches.save(make_user(), name, address)


def test_nobody_keeps_searches_without_end() -> None:
    user = make_user()
    for number in range(searches.MOST_SAVED):
        searches.save(user, f"第{number}个", "q=1")
    with pytest.raises(InvalidInput, match="50"):
        searches.save(user, "再一个", "q=1")
    searches.save(user, "第0个", "q=2")


def test_a_result_is_taken_out_whole_without_any_text_and_that_is_recorded() -> None:
    lead = make_user(Role.LEAD)
    cases = [make_case("秘密的一句话", category="gambling", severity="S2") for _ in range(205)]
    make_case("秘密的另一句话")
    content = searches.export(query(lead, category=["gambling"]), lead).decode("utf-8-sig")
    lines = content.splitlines()
    assert len(lines) == 206
    assert {line.split(",")[0] for line in lines[1:]} == {case.number for case in cases}
    assert "秘密" not in content
    entry = AuditEntry.objects.get(action="case.export")
    assert (entry.actor, entry.details["cases"]) == (lead.staff_no, 205)
    assert entry.details["filters"] == {"category": ["gambling"]}


def test_a_restricted_case_is_never_taken_out_nor_a_result_by_whoever_may_not() -> None:
    make_restricted_case()
    lead = make_user(Role.LEAD)
    scope = exposure.Scope(restricted=(False, True), severities=("S0", "S1"), states=("open",))
    assert len(searches.export(Query(scope=scope), lead).decode().splitlines()) == 1
    for role in (Role.REVIEWER, Role.DUTY, Role.ADMIN, Role.VOLUNTEER):
        with pytest.raises(NotAllowed):
            searches.export(Query(scope=scope), make_user(role))
    assert AuditEntry.objects.filter(action="case.export").count() == 1


def test_a_result_that_is_too_large_is_narrowed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "MOST_ROWS", 2)
    lead = make_user(Role.LEAD)
    for _ in range(3):
        make_case()
    with pytest.raises(InvalidInput, match="缩小范围"):
        searches.export(query(lead), lead)
    assert not AuditEntry.objects.filter(action="case.export").exists()


def query(user: User, **filters: list[str]) -> Query:
    return Query(scope=exposure.scope_for(user), filters=filters)
