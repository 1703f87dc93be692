"""What only the index can get wrong: late writes, its loss, its rebuild, its absence."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from elasticsearch import Elasticsearch

from casework.models import Case, Heartbeat, Outbox, Visible
from casework.search import asking, mapping, newest, outbox
from casework.search.alone import SILENT
from casework.search.database import DatabaseSearch
from casework.search.elasticsearch import ElasticsearchSearch
from casework.search.fallback import WithFallback
from casework.search.mapping import Stored
from casework.search.port import Query, SearchUnavailable, Sort
from tests.casework.factories import make_case, make_restricted_case
from tests.casework.search.conftest import EVERYTHING, ask, ids, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(services: dict[str, str]) -> Elasticsearch:
    return Elasticsearch(services["ELASTICSEARCH_URL"])


@pytest.fixture
def nowhere() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://elastic:secret@127.0.0.1:{probe.getsockname()[1]}"


def test_a_late_older_write_changes_nothing(index: ElasticsearchSearch) -> None:
    case = make_case("一")
    older = mapping.stored(Case.objects.filter(pk=case.pk))
    Case.objects.filter(pk=case.pk).update(state="confirmed", version=5)
    put(index, case)
    assert index.write(older) == 1
    assert index.count() == 1
    assert index.search(Query(scope=EVERYTHING, filters={"state": ["confirmed"]})).total == 1


def test_the_same_write_twice_is_harmless(index: ElasticsearchSearch) -> None:
    case = make_case("一")
    put(index, case)
    assert index.sync([case.pk]).stale == 0
    assert index.count() == 1


def test_what_changes_while_it_is_being_written_stays_behind_and_when_it_was_first_there_is_noted_once(
    index: ElasticsearchSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, write = make_case("一"), index.write
    outbox.put([case.pk])

    def write_slowly(cases: Sequence[Stored]) -> int:
        Case.objects.filter(pk=case.pk).update(state="confirmed", version=2)
        outbox.put([case.pk])
        return write(cases)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(index, "write", write_slowly)
        put(index, case)
    assert (index.behind(), Visible.objects.count()) == (1, 0)

    put(index, case)
    first_seen = Visible.objects.get(case=case).at
    outbox.put([case.pk])
    put(index, case)
    assert (index.behind(), Visible.objects.get(case=case).at) == (0, first_seen)


def test_the_index_holds_no_text_of_a_restricted_case_and_none_that_was_purged(
    index: ElasticsearchSearch, server: Elasticsearch
) -> None:
    purged = make_case("曾经有过的话")
    restricted = make_restricted_case()
    put(index, purged, restricted)
    Case.objects.filter(pk=purged.pk).update(text="", folded="", version=2)
    put(index, purged)
    server.indices.refresh(index=index.alias)
    sources = [hit["_source"] for hit in server.search(index=index.alias)["hits"]["hits"]]
    assert [source["folded"] for source in sources] == ["", ""]


def test_an_index_that_is_lost_is_made_again_and_everything_is_behind(
    index: ElasticsearchSearch, server: Elasticsearch
) -> None:
    first = make_case("一")
    put(index, first)
    server.indices.delete(index=f"{index.alias}-*")
    again = ElasticsearchSearch(_address(server), index.alias)
    again._client = index._client
    assert again.search(ask()).total == 0
    assert again.behind() == 1
    put(again, first)
    assert ids(again, ask()) == [first.pk]


def test_whoever_is_killed_while_making_an_index_leaves_none_that_seems_to_hold_everything(
    index: ElasticsearchSearch, server: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed() -> None:
        raise KeyboardInterrupt

    server.indices.delete(index=f"{index.alias}-*")
    index._sure_until = 0.0
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(outbox, "put_all", killed)
        with pytest.raises(KeyboardInterrupt):
            index.search(ask())
    assert not server.indices.exists_alias(name=index.alias)


def test_an_index_that_is_lost_in_the_middle_comes_back_by_itself(
    index: ElasticsearchSearch, server: Elasticsearch
) -> None:
    first = make_case("一")
    put(index, first)
    server.indices.delete(index=f"{index.alias}-*")
    with pytest.raises(SearchUnavailable):
        index.search(ask())
    assert index.search(ask()).total == 0
    assert index.behind() == 1


def test_a_rebuild_moves_the_alias_and_drops_the_old_index(index: ElasticsearchSearch, server: Elasticsearch) -> None:
    put(index, make_case("一"))
    before = set(server.indices.get(index=f"{index.alias}-*"))
    index.rebuild()
    after = set(server.indices.get(index=f"{index.alias}-*"))
    assert len(after) == 1
    assert not before & after
    assert list(server.indices.get_alias(name=index.alias)) == list(after)


def test_an_index_that_somebody_else_makes_while_a_lost_one_is_filled_again_goes_too(
    index: ElasticsearchSearch, server: Elasticsearch
) -> None:
    put(index, make_case("一"))
    server.indices.delete(index=f"{index.alias}-v*", expand_wildcards="all")
    page = ElasticsearchSearch(_address(server), index.alias)
    page._client = index._client

    def search_meanwhile(_done: int) -> None:
        put(page, make_case("二"))

    assert index.rebuild(search_meanwhile) == 2
    assert len(server.indices.get(index=f"{index.alias}-v*")) == 1
    assert len(ids(index, ask())) == 2


def test_what_changes_during_a_rebuild_is_not_lost(index: ElasticsearchSearch) -> None:
    first, second = make_case("一"), make_case("二")
    put(index, first, second)

    def change(_done: int) -> None:
        """Somebody decides, and a hit comes, while the new index is being filled; the writes reach the old one."""
        Case.objects.filter(pk=first.pk).update(state="confirmed", version=2)
        outbox.put([first.pk, make_case("三").pk])
        index.sync([first.pk])

    index.rebuild(change)
    assert (index.count(), index.behind()) == (3, 0)
    assert index.search(Query(scope=EVERYTHING, filters={"state": ["confirmed"]})).total == 1


def test_a_rebuild_that_fails_leaves_the_old_index(index: ElasticsearchSearch, server: Elasticsearch) -> None:
    put(index, make_case("一"))

    def fail(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.rebuild(fail)
    assert len(server.indices.get(index=f"{index.alias}-*")) == 1
    assert index.search(ask()).total == 1


def test_a_rebuild_that_was_killed_leaves_nothing_behind_and_loses_nothing(
    index: ElasticsearchSearch, server: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_case("一"), make_case("二")
    put(index, first, second)
    leftover = index._create()

    def change_and_die(_still_here: object) -> None:
        raise KeyboardInterrupt

    def change(_done: int) -> None:
        Case.objects.filter(pk=first.pk).update(state="confirmed", version=2, updated_at=timezone.now())
        index.sync([first.pk])

    monkeypatch.setattr(index, "_catch_up", change_and_die)
    with pytest.raises(KeyboardInterrupt):
        index.rebuild(change)
    assert leftover not in server.indices.get(index=f"{index.alias}-*")
    assert Outbox.objects.filter(pk=first.pk).exists()


def test_two_rebuilds_at_once_are_refused(index: ElasticsearchSearch) -> None:
    make_case("一")

    def again(_done: int) -> None:
        with pytest.raises(SearchUnavailable, match="another process rebuilds"):
            index.rebuild()

    assert index.rebuild(again) == 1
    assert index.rebuild() == 1


def test_a_rebuild_of_which_nothing_is_heard_is_taken_over(index: ElasticsearchSearch) -> None:
    Heartbeat.objects.create(name=f"rebuild:{index.alias}", kind="rebuild", at=timezone.now() - 2 * SILENT)
    assert index.rebuild() == 0


def test_a_question_whose_index_has_gone_is_named_although_it_is_asked_with_others(
    index: ElasticsearchSearch, server: Elasticsearch
) -> None:
    put(index, make_case("一"))
    server.indices.delete(index=f"{index.alias}-v*", expand_wildcards="all")
    with pytest.raises(SearchUnavailable, match=r"index_not_found_exception \(404\)"):
        index.search(ask())


def test_each_facet_that_is_filtered_by_is_counted_without_its_own_filter_and_nothing_else_twice() -> None:
    question = ask(filters={"state": ["open"], "site": ["demo"], "day": ["2026-11-28"]})
    everything, by_site, by_state = sorted(asking.counts(question), key=lambda one: sorted(one["aggs"]))
    assert sorted(everything["aggs"]) == ["category", "platform_class", "section", "severity"]
    assert [list(one["aggs"]) for one in (by_site, by_state)] == [["site"], ["state"]]
    fitting = [len(one["query"]["bool"]["filter"]) for one in (everything, by_site, by_state)]
    assert fitting == [fitting[0], fitting[0] - 1, fitting[0] - 1]
    assert [list(one["aggs"]) for one in asking.counts(replace(question, facets=False))] == [[]]


@pytest.mark.parametrize("spare", [0, 2, 2000])
@pytest.mark.parametrize("category", ["", "gambling", "fraud_spending"])
def test_the_newest_are_found_however_many_of_the_newest_fit(
    spare: int, category: str, index: ElasticsearchSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest, "SPARE", spare)
    categories = ["gambling", "bullying", "gambling", "bullying", "gambling", "bullying", "bullying", "bullying"]
    cases = [make_case(category=one) for one in categories]
    for at, case in enumerate(cases):
        case.created_at = timezone.now() - timedelta(seconds=100 - at)
        case.save()
    put(index, *cases)
    expected = [case.pk for case in reversed(cases) if category in {"", case.category}]
    question = ask(sort=Sort.NEWEST, size=2, filters={"category": [category]} if category else {})
    pages = [ids(index, replace(question, page=page)) for page in range(1, 6)]
    assert [one for page in pages for one in page] == expected
    assert index.ids(question) == expected[:2]


def test_what_is_alike_is_found_by_rare_words_and_where_a_text_has_none_by_common_ones(
    index: ElasticsearchSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "common", lambda documents: documents // 3)
    case = make_case("加微信领游戏点券，老槐树底下见")
    near, reworded = make_case("加微信领游戏点券！老槐树底下见"), make_case("老槐树底下有人等，带上游戏点券")
    flood = [make_case(f"加微信领游戏点券{'。' * n}") for n in range(6)]
    put(index, case, near, reworded, *flood)
    assert index.similar(case, EVERYTHING) == [near.pk, reworded.pk]
    assert set(index.similar(flood[0], EVERYTHING, size=20)) == {case.pk, near.pk, *(one.pk for one in flood[1:])}


def test_of_a_small_index_no_word_is_too_common() -> None:
    assert [asking.common(documents) for documents in (0, 20_000, 1_000_000)] == [1000, 1000, 50_000]


def test_a_foreign_index_is_not_touched(index: ElasticsearchSearch, server: Elasticsearch) -> None:
    other = ElasticsearchSearch(_address(server), f"{index.alias}-x")
    other._client = index._client
    server.indices.create(index=f"{other.alias}-foreign", aliases={other.alias: {}})
    with pytest.raises(SearchUnavailable, match="foreign"):
        other.sync([make_case("一").pk])
    with pytest.raises(SearchUnavailable, match="foreign"):
        other.rebuild()


def test_an_index_of_an_older_version_says_what_to_do_and_a_rebuild_replaces_it(
    index: ElasticsearchSearch, server: Elasticsearch
) -> None:
    older = ElasticsearchSearch(_address(server), f"{index.alias}-o")
    older._client = index._client
    meta = {"_meta": {"mark": mapping.MARK, "version": 1}}
    server.indices.create(index=f"{older.alias}-v1-1", aliases={older.alias: {}}, mappings=meta)
    case = make_case("一")
    with pytest.raises(SearchUnavailable, match="woodpecker reindex"):
        older.sync([case.pk])
    assert older.rebuild() == 1
    assert ids(older, ask()) == [case.pk]


def test_an_index_that_may_not_be_written_is_named_and_cases_stay_behind(
    index: ElasticsearchSearch, server: Elasticsearch
) -> None:
    case = make_case("一")
    outbox.put([case.pk])
    server.indices.put_settings(index=index.alias, settings={"index.blocks.write": True})
    with pytest.raises(SearchUnavailable, match=f"index {index.alias} is read-only .* make room on its disk"):
        index.sync([case.pk])
    assert index.behind() == 1
    server.indices.put_settings(index=index.alias, settings={"index.blocks.write": False})
    put(index, case)
    assert index.behind() == 0


def test_while_the_server_is_away_pages_come_from_the_database_and_say_so(nowhere: str) -> None:
    case = make_case("老啄木鸟")
    search = WithFallback(ElasticsearchSearch(nowhere, "away"), DatabaseSearch())
    began = time.monotonic()
    page = search.search(ask("啄木鸟"))
    assert [hit.case_id for hit in page.hits] == [case.pk]
    assert page.backend == "database"
    assert "does not answer" in page.degraded
    assert "secret" not in page.degraded
    assert time.monotonic() - began < 5


def test_a_write_to_a_server_that_is_away_stays_behind(nowhere: str) -> None:
    case = make_case("一")
    outbox.put([case.pk])
    search = ElasticsearchSearch(nowhere, "away")
    with pytest.raises(SearchUnavailable):
        search.sync([case.pk])
    assert search.behind() == 1


def test_a_wrong_password_is_named_without_being_told(services: dict[str, str]) -> None:
    address = services["ELASTICSEARCH_URL"].split("@")[1]
    search = ElasticsearchSearch(f"http://elastic:not-this-one@{address}", "whatever")
    with pytest.raises(SearchUnavailable, match="401") as refused:
        search.count()
    assert "not-this-one" not in str(refused.value)


def test_of_several_nodes_one_may_be_away(nowhere: str, index: ElasticsearchSearch, services: dict[str, str]) -> None:
    there = services["ELASTICSEARCH_URL"]
    search = ElasticsearchSearch(f"{there.replace(there.split('@')[1], nowhere.split('@')[1])},{there}", index.alias)
    case = make_case()
    for _ in range(4):  # whichever is asked first
        put(search, case)
        assert ids(search, ask()) == [case.pk]


def test_when_no_node_answers_all_are_named_and_no_password(nowhere: str) -> None:
    search = ElasticsearchSearch(f"{nowhere},{nowhere[:-1]}", "whatever")
    with pytest.raises(SearchUnavailable, match=r"http://127\.0\.0\.1:\d+, http://127\.0\.0\.1:\d+ does not") as away:
        search.count()
    assert "secret" not in str(away.value)


def test_a_rebuild_that_was_noted_by_a_clock_that_was_wrong_holds_none_up(index: ElasticsearchSearch) -> None:
    Heartbeat.objects.create(name=f"rebuild:{index.alias}", kind="rebuild", at=timezone.now() + 30 * SILENT)
    assert index.rebuild() == 0


def _address(server: Elasticsearch) -> str:
    return str(next(iter(server.transport.node_pool.all())).base_url)
