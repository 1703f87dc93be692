"""What every search does, whichever it is: these tests run against the database and against Elasticsearch."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from casework.errors import InvalidInput
from casework.exposure import Scope
from casework.models import Case
from casework.search import outbox
from casework.search.port import Query, SearchPort, Sort
from tests.casework.factories import make_case, make_restricted_case
from tests.casework.search.conftest import EVERYTHING, ask, ids, put

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


@pytest.mark.parametrize("asked", ["木", "啄木", "啄木鸟", "老啄木鸟", '"啄木鸟敲"', "鸟 医生", "醫生"])
def test_chinese_is_found_by_one_character_by_two_by_a_phrase_and_in_traditional(
    search: SearchPort, asked: str
) -> None:
    bird = make_case("老啄木鸟敲树干，是森林的医生")
    put(search, bird, make_case("小兔子采蘑菇"))
    assert ids(search, ask(asked)) == [bird.pk]


@pytest.mark.parametrize("asked", ["木啄", "鸟啄木", '"啄木 鸟敲"', "医术"])
def test_what_does_not_stand_there_is_not_found(search: SearchPort, asked: str) -> None:
    put(search, make_case("老啄木鸟敲树干，是森林的医生"))
    assert ids(search, ask(asked)) == []


def test_words_of_letters_and_figures_are_found_among_chinese(search: SearchPort) -> None:
    case = make_case("低价出APPLE点券648元")
    put(search, case, make_case("低价出梨子"))
    assert ids(search, ask("apple")) == [case.pk]
    assert ids(search, ask("648")) == [case.pk]
    assert ids(search, ask("点券648")) == [case.pk]


def test_all_words_must_occur(search: SearchPort) -> None:
    both = make_case("周末一起去爬山，带上相机")
    put(search, both, make_case("周末一起去游泳"), make_case("相机坏了"))
    assert ids(search, ask("周末 相机")) == [both.pk]


def test_highlights_are_places_in_the_text(search: SearchPort) -> None:
    text = "今天😀看到啄木鸟，又看到啄木鸟"
    put(search, make_case(text))
    (hit,) = search.search(ask("啄木鸟")).hits
    assert [text[start:end] for start, end in hit.highlights] == ["啄木鸟", "啄木鸟"]


@pytest.mark.parametrize("text", ["(", "a*b?", "\\", "AND OR NOT", "{}[]", "%_", "';--", "😀", "～！"])
def test_signs_have_no_power(search: SearchPort, text: str) -> None:
    put(search, make_case("普普通通的一句话"))
    assert ids(search, ask(text)) == []


def test_a_lone_quotation_mark_asks_for_nothing_in_particular(search: SearchPort) -> None:
    case = make_case("普普通通的一句话")
    put(search, case)
    assert ids(search, ask('"')) == [case.pk]


@pytest.mark.parametrize("asked", ["😀", '"！ 真"', "pple", '"e点"', "48"])
def test_signs_spaces_emoji_and_parts_of_words_are_found_as_they_stand(search: SearchPort, asked: str) -> None:
    case = make_case("低价出APPLE点券648元！ 真的😀")
    put(search, case, make_case("低价出梨子，真的"))
    assert ids(search, ask(asked)) == [case.pk]


def test_facets_count_what_the_other_filters_leave(search: SearchPort) -> None:
    put(
        search,
        make_case("一", site="east", severity="S1"),
        make_case("二", site="east", severity="S2"),
        make_case("三", site="west", severity="S2"),
    )
    facets = search.search(ask(filters={"site": ["east"]})).facets
    assert facets["site"] == [("east", 2), ("west", 1)]
    assert facets["severity"] == [("S1", 1), ("S2", 1)]


def test_a_case_is_found_and_counted_under_each_of_its_categories(search: SearchPort) -> None:
    case = make_case("又骂人又骗钱", category="bullying", categories=["bullying", "fraud_spending"])
    put(search, case, make_case("只骂人"))
    assert ids(search, ask(filters={"category": ["fraud_spending"]})) == [case.pk]
    assert search.search(ask()).facets["category"] == [("bullying", 2), ("fraud_spending", 1)]


def test_filters_join_values_with_or_and_fields_with_and(search: SearchPort) -> None:
    first = make_case("一", site="east", kid_zone=True)
    second = make_case("二", site="west", kid_zone=True)
    put(search, first, second, make_case("三", site="east"), make_case("四", site="north", kid_zone=True))
    found = ids(search, ask(filters={"site": ["east", "west"], "kid_zone": ["true"]}))
    assert sorted(found) == sorted([first.pk, second.pk])


def test_the_day_is_a_day_in_shanghai(search: SearchPort) -> None:
    today = make_case("今天")
    yesterday = make_case("昨天")
    Case.objects.filter(pk=yesterday.pk).update(created_at=timezone.now() - timedelta(days=1))
    put(search, today, yesterday)
    day = timezone.localdate() - timedelta(days=1)
    assert ids(search, ask(filters={"day": [day.isoformat()]})) == [yesterday.pk]


def test_urgency_puts_the_gravest_first_then_the_surest(search: SearchPort) -> None:
    mild = make_case("一", severity="S3", score=0.99)
    sure = make_case("二", severity="S1", score=0.9)
    unsure = make_case("三", severity="S1", score=0.6)
    put(search, mild, sure, unsure)
    assert ids(search, ask()) == [sure.pk, unsure.pk, mild.pk]


def test_other_orders(search: SearchPort) -> None:
    old, young = make_case("一", score=0.9), make_case("二", score=0.7)
    Case.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=1))
    put(search, old, young)
    assert ids(search, ask(sort=Sort.NEWEST)) == [young.pk, old.pk]
    assert ids(search, ask(sort=Sort.OLDEST)) == [old.pk, young.pk]
    assert ids(search, ask(sort=Sort.SCORE)) == [old.pk, young.pk]


def test_a_whole_word_is_more_relevant_than_its_pieces(search: SearchPort) -> None:
    pieces = make_case("小木鸟啄木头")
    whole = make_case("啄木鸟")
    put(search, whole, pieces)
    assert ids(search, ask("啄木鸟", sort=Sort.RELEVANCE))[0] == whole.pk


def test_pages_follow_each_other_without_gap_or_double(search: SearchPort) -> None:
    wanted = sorted(put(search, *(make_case(f"第{n}条", score=0.5 + n % 3 / 10) for n in range(25))))
    by_number = [one for page in (1, 2, 3) for one in ids(search, ask(page=page, size=10))]
    assert sorted(by_number) == wanted
    by_cursor, after = [], None
    while True:
        page = search.search(ask(size=4, after=after))
        by_cursor += [hit.case_id for hit in page.hits]
        after = page.next_after
        if after is None:
            break
    assert by_cursor == by_number


@pytest.mark.parametrize("sort", list(Sort))
def test_the_cursor_works_in_every_order(search: SearchPort, sort: Sort) -> None:
    wanted = sorted(put(search, *(make_case(f"同一句话{n % 2}") for n in range(7))))
    found: list[int] = []
    after = None
    while True:
        page = search.search(ask("同一句话", sort=sort, size=3, after=after))
        found += [hit.case_id for hit in page.hits]
        after = page.next_after
        if after is None:
            break
    assert sorted(found) == wanted


def test_a_case_that_comes_while_somebody_turns_pages_moves_nothing(search: SearchPort) -> None:
    put(search, *(make_case(f"第{n}条", severity="S2", score=0.5) for n in range(6)))
    first = search.search(ask(size=3))
    put(search, make_case("插队", severity="S1", score=0.9))
    second = search.search(ask(size=3, after=first.next_after))
    seen = [hit.case_id for hit in (*first.hits, *second.hits)]
    assert len(set(seen)) == 6


def test_a_cursor_of_another_order_or_of_nobody_is_refused(search: SearchPort) -> None:
    put(search, *(make_case(f"第{n}条") for n in range(3)))
    cursor = search.search(ask(size=1)).next_after
    with pytest.raises(InvalidInput, match="after"):
        search.search(ask(sort=Sort.NEWEST, after=cursor))
    with pytest.raises(InvalidInput, match="after"):
        search.search(ask(after="made-up"))


def test_nobody_finds_more_than_their_scope(search: SearchPort) -> None:
    ordinary, grave = make_case("普通", severity="S2"), make_case("急", severity="S0", category="self_harm")
    restricted = make_restricted_case()
    put(search, ordinary, grave, restricted)
    reviewer = Scope(restricted=(False,), severities=("S1", "S2", "S3"), states=("open",))
    page = search.search(Query(scope=reviewer))
    assert [hit.case_id for hit in page.hits] == [ordinary.pk]
    assert page.facets["severity"] == [("S2", 1)]
    assert search.search(Query(scope=Scope())).total == 0
    assert search.search(Query(scope=EVERYTHING)).total == 3


def test_out_of_scope_is_never_shown(search: SearchPort) -> None:
    put(search, make_case("时事评论", state="out_of_scope"))
    assert search.search(Query(scope=EVERYTHING)).total == 0


def test_counting_and_being_behind(search: SearchPort) -> None:
    cases = [make_case(f"第{n}条") for n in range(3)]
    outbox.put(case.pk for case in cases)
    assert search.behind() == (3 if search.is_index else 0)
    put(search, *cases)
    assert (search.count(), search.behind()) == (3, 0)
    Case.objects.filter(pk=cases[0].pk).update(version=2)
    outbox.put([cases[0].pk])
    assert search.behind() == (1 if search.is_index else 0)


def test_a_rebuild_leaves_every_case_as_it_is(search: SearchPort) -> None:
    changed = put(search, make_case("一"), make_case("二"))
    Case.objects.update(state="dismissed", version=2)
    outbox.put(changed)
    told: list[int] = []
    assert search.rebuild(told.append) == 2
    assert told[-1] == 2
    assert search.search(Query(scope=EVERYTHING, filters={"state": ["dismissed"]})).total == 2
    assert search.behind() == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": "字" * 201}, "text"),
        ({"filters": {"colour": ["red"]}}, "filter"),
        ({"filters": {"site": ["x"] * 51}}, "site"),
        ({"size": 0}, "size"),
        ({"size": 101}, "size"),
        ({"page": 0}, "page"),
        ({"page": 501, "size": 20}, "page"),
    ],
)
def test_what_cannot_be_asked_says_what_can(values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Query(**{"scope": EVERYTHING, **values})  # type: ignore[arg-type]
    assert refused.value.field == field


@pytest.mark.parametrize("filters", [{"kid_zone": ["perhaps"]}, {"day": ["yesterday"]}])
def test_values_that_cannot_be_are_named(search: SearchPort, filters: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(filters))):
        search.search(ask(filters=filters))


def test_a_case_that_becomes_a_copy_leaves_the_search_and_comes_back_when_it_is_split_off(search: SearchPort) -> None:
    first, second, never_there = make_case("同一句话"), make_case("同一句话"), make_case("同一句话")
    put(search, first, second)
    Case.objects.filter(pk__in=[second.pk, never_there.pk]).update(copy_of=first, version=2)
    put(search, second, never_there)
    assert (ids(search, ask("同一句话")), search.count(), search.behind()) == ([first.pk], 1, 0)
    Case.objects.filter(pk=second.pk).update(copy_of=None, version=3)
    put(search, second)
    assert (sorted(ids(search, ask("同一句话"))), search.count()) == ([first.pk, second.pk], 2)
    Case.objects.filter(pk=second.pk).update(copy_of=first, version=4)
    outbox.put([second.pk])
    assert search.rebuild() == 1
    assert ids(search, ask("同一句话")) == [first.pk]


def test_without_facets_a_page_is_the_same_page(search: SearchPort) -> None:
    put(search, *[make_case(f"第{n}句话", category="gambling") for n in range(3)])
    with_facets, without = search.search(ask(size=2)), search.search(ask(size=2, facets=False))
    assert without.facets == {}
    assert (without.hits, without.total) == (with_facets.hits, with_facets.total)
    # The cursors are stamped with the time, so that only where they lead can be compared.
    assert ids(search, ask(size=2, after=without.next_after)) == ids(search, ask(size=2, after=with_facets.next_after))


@pytest.mark.parametrize("text", ["", "第"])
def test_the_ids_of_a_page_are_those_of_its_hits_in_their_order(search: SearchPort, text: str) -> None:
    put(search, *[make_case(f"第{n}句话", score=0.5 + n / 10) for n in range(4)], make_restricted_case())
    query = Query(scope=Scope(restricted=(False,), severities=("S1",), states=("open",)), text=text, size=3)
    assert search.ids(query) == ids(search, query)
    assert len(search.ids(query)) == 3


def test_similar_cases_share_the_wording_and_the_likest_comes_first(search: SearchPort) -> None:
    case = make_case("加微信领游戏点券，先到先得，编号八百八")
    near = make_case("加微信领游戏点券，先到先得，编号六百六")
    looser = make_case("想要游戏点券的加微信，先到先得")
    others = [make_case(f"下雨天记得带伞，第{n}次提醒大家") for n in range(5)]
    put(search, case, near, looser, *others)
    assert search.similar(case, EVERYTHING) == [near.pk, looser.pk]
    assert search.similar(case, EVERYTHING, size=1) == [near.pk]


def test_similar_cases_are_only_those_that_one_may_meet(search: SearchPort) -> None:
    case = make_case("加微信领游戏点券，先到先得")
    grave, outside = make_case(case.text, severity="S0"), make_case(case.text, state="out_of_scope")
    restricted = make_restricted_case()
    put(search, case, grave, outside, restricted)
    ordinary = Scope(restricted=(False,), severities=("S1",), states=("open",))
    assert search.similar(case, ordinary) == []
    assert search.similar(case, EVERYTHING) == [grave.pk]
    assert search.similar(restricted, EVERYTHING) == []


def test_a_questions_cases_are_counted_by_day(search: SearchPort) -> None:
    today, before, long_ago = make_case("放风筝"), make_case("放风筝"), make_case("放风筝")
    other = make_case("放风筝", category="gambling")
    now = timezone.localtime().replace(hour=12)
    for case, days in ((before, 1), (long_ago, 40)):
        Case.objects.filter(pk=case.pk).update(created_at=now - timedelta(days=days))
        case.refresh_from_db()
    put(search, today, before, long_ago, other, make_case("游泳"))
    found = search.days(ask("放风筝", filters={"category": ["bullying"]}), 7)
    assert [day for day, _n in found] == [timezone.localdate() - timedelta(days=ago) for ago in range(6, -1, -1)]
    assert [n for _day, n in found] == [0, 0, 0, 0, 0, 1, 1]


def test_a_band_of_scores_leaves_its_end_out(search: SearchPort) -> None:
    low, middle, _high = (make_case(score=score) for score in (0.5, 0.6, 0.8))
    put(search, low, middle, _high)
    assert sorted(ids(search, ask(filters={"score": ["0.5-0.8"]}))) == [low.pk, middle.pk]
    for wrong in ("0.8-0.5", "a-b", "0.5", "-1-2"):
        with pytest.raises(InvalidInput):
            search.search(ask(filters={"score": [wrong]}))
