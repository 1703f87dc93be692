"""Search in Elasticsearch: an alias over one index, written with external versions, rebuilt beside itself.

Works on a stock server without plugins, and without the modules that small distributions lack: no scripts, no
by-query calls, no `GET /`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from django.db.models import Max
from django.utils import timezone
from elastic_transport import TlsError
from elasticsearch import ApiError, AuthenticationException, Elasticsearch, NotFoundError, TransportError, helpers
from pydantic_core import to_json

from casework import bulk
from casework.exposure import Scope
from casework.models import Case, Outbox
from casework.search import asking, counting, cursor, mapping, newest, outbox
from casework.search.alone import alone
from casework.search.connection import connect
from casework.search.mapping import Stored
from casework.search.port import Hit, Page, Query, SearchUnavailable, SyncReport, highlights, last_days
from casework.skew import CLOCKS_APART

CHUNK = 1000
TIMEOUT_SECONDS = 5.0
"""A page that waits longer is answered from the database; a slow bulk is sent again by the sweep."""
FILL_SECONDS, FILL_RETRIES = 60.0, 3
"""A rebuild has nobody waiting for it: a node that is busy for a minute does not end what may have taken an hour."""
CREATE_SECONDS = 15.0
"""A busy node answers searches long before it has made an index."""
SURE_SECONDS = 30.0
"""How long a process goes on believing that the index it saw is there."""
_CONFLICT, _ABSENT = 409, 404


class ElasticsearchSearch:
    """An alias over one physical index; the alias moves when the index is rebuilt."""

    backend, is_index = "elasticsearch", True

    def __init__(self, url: str, alias: str, analyzer: str = "", authority: Path | None = None) -> None:
        self.alias, self.analyzer = alias, analyzer
        self._client, self._where = connect(url, authority, TIMEOUT_SECONDS)
        self._name = f"{self.backend}:{self._where}:{alias}"
        self._sure_until = 0.0

    def sync(self, case_ids: Sequence[int]) -> SyncReport:
        """Write these cases as they are now; a late, older write changes nothing.

        Raises:
            SearchUnavailable: nothing or only a part was written; what was not stays behind.
        """
        written = stale = 0
        for start in range(0, len(case_ids), CHUNK):
            chunk = bulk.numbers(case_ids[start : start + CHUNK])
            cases = mapping.stored(Case.objects.filter(pk__in=chunk))
            late = self.write(cases)
            written += len(cases) - late
            stale += late
            outbox.take([(case.pk, case.mark) for case in cases if case.mark is not None])
        return SyncReport(written, stale)

    def write(self, cases: Sequence[Stored], *, index: str | None = None) -> int:
        """Write snapshots of cases; return how many were older than what the index holds.

        Raises:
            SearchUnavailable: the server is away, or refused a document.
        """
        if not cases:
            return 0
        target = index or self.alias
        client = self._client if index is None else self._patient()
        late = 0
        with self._reached():
            if index is None:
                self._ensure_index()
            actions: list[Any] = [_action(target, case) for case in cases]  # as `helpers` would have made them
            for ok, item in helpers.streaming_bulk(
                client,
                actions,
                expand_action_callback=_as_it_is,
                chunk_size=CHUNK,
                raise_on_error=False,
                filter_path=["items.*.status", "items.*.error"],
                max_retries=2,
                require_alias=index is None,
            ):
                result = next(iter(item.values()))
                if not ok and result.get("status") == _ABSENT and "delete" in item:
                    continue
                if not ok and result.get("status") != _CONFLICT:
                    self._sure_until = 0.0
                    raise SearchUnavailable(self._refusal(result.get("error", {})))
                late += not ok
        return late

    def _patient(self) -> Elasticsearch:
        """The client that fills an index; what it sends twice has the same version, so the second changes nothing."""
        return self._client.options(request_timeout=FILL_SECONDS, retry_on_timeout=True, max_retries=FILL_RETRIES)

    def _refusal(self, error: Any) -> str:
        kind = error.get("type", error) if isinstance(error, dict) else error
        if kind == "cluster_block_exception":
            return (
                f"{self._where}: index {self.alias} is read-only ({kind}): make room on its disk, or lift "
                "its index.blocks; what is behind is caught up then"
            )
        return f"{self._where} refused a document: {kind}"

    def search(self, query: Query) -> Page:
        """Return one page of cases.

        Raises:
            SearchUnavailable: the server is away, or the index is not ours.
        """
        with self._reached():
            self._ensure_index()
            counts = counting.kept(query, self._name)
            answer, *counted = self._page(query, asking.body, *([] if counts else asking.counts(query)))
        counts = counts or counting.keep(query, self._name, asking.counted(counted, facets=query.facets))
        found = answer["hits"]["hits"]
        page, more = found[: query.size], len(found) > query.size
        terms = query.terms()
        return Page(
            hits=[Hit(int(one["_id"]), highlights(one["_source"]["folded"], terms)) for one in page],
            total=counts.total,
            facets=counts.facets,
            counted_at=counts.at,
            next_after=cursor.write(query.sort, page[-1]["sort"]) if more else None,
            backend=self.backend,
        )

    def ids(self, query: Query) -> list[int]:
        """Return the cases of one page in their order and nothing else.

        Raises:
            SearchUnavailable: the server is away, or the index is not ours.
        """
        with self._reached():
            self._ensure_index()
            (answer,) = self._page(query, asking.ids)
        return [int(one["_id"]) for one in answer["hits"]["hits"]]

    def _page(self, query: Query, request: Callable[..., dict[str, Any]], *counts: dict[str, Any]) -> list[Any]:
        """Return the answer to a page's request, made by `request`, and those to what is counted in the same call."""
        since = newest.since(query)
        wanted = request(query, since)
        answers = self._ask(wanted, *counts)
        if since and len(answers[0]["hits"]["hits"]) < wanted["size"]:
            answers[:1] = self._ask(request(query))
        return answers

    def _ask(self, *requests: dict[str, Any]) -> list[Any]:
        """Return the answers to several requests at once; one that failed fails all."""
        lines = [line for request in requests for line in ({}, request)]
        answers: list[Any] = self._client.msearch(index=self.alias, searches=lines)["responses"]
        for answer in answers:
            if "error" in answer:
                self._sure_until = 0.0
                raise SearchUnavailable(f"{self._where}: {answer['error'].get('type')} ({answer['status']})")
        return answers

    def similar(self, case: Case, scope: Scope, size: int = 8) -> list[int]:
        """Return cases that share much of its wording, the likest first.

        Words that stand in one of twenty cases tell little and cost the most: they are looked for only where no case
        shares others.

        Raises:
            SearchUnavailable: the server is away.
        """
        if not case.folded:
            return []
        with self._reached():
            self._ensure_index()
            common = asking.common(self._client.count(index=self.alias)["count"])
            for most in (common, None):
                answer = self._client.search(index=self.alias, **asking.similar(case, scope, size, common=most))
                if found := answer["hits"]["hits"]:
                    break
        return [int(one["_id"]) for one in found]

    def days(self, query: Query, days: int) -> list[tuple[date, int]]:
        """Return how many cases of a question were made on each of the last days.

        Raises:
            SearchUnavailable: the server is away.
        """
        wanted = last_days(days)
        with self._reached():
            self._ensure_index()
            answer = self._client.search(index=self.alias, **asking.days(query, wanted[0]))
        counted = {one["key_as_string"]: int(one["doc_count"]) for one in answer["aggregations"]["days"]["buckets"]}
        return [(day, counted.get(day.isoformat(), 0)) for day in wanted]

    def count(self) -> int:
        """Return how many cases the index holds.

        Raises:
            SearchUnavailable: the server is away.
        """
        with self._reached():
            self._ensure_index()
            self._client.indices.refresh(index=self.alias)
            return int(self._client.count(index=self.alias)["count"])

    def behind(self) -> int:
        """Return how many cases stand in the outbox."""
        return outbox.count()

    def rebuild(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Fill a fresh index from the database, move the alias, catch up, drop the old index.

        Search and writes go on meanwhile: writes reach the old index through the alias, and what changed since it
        was read is written again once the alias has moved.

        Raises:
            SearchUnavailable: the server is away, or another process rebuilds; the old index stays in place.
        """
        with alone(f"rebuild:{self.alias}") as still_here:
            began = timezone.now()
            with self._reached():
                self._remove_leftovers(self._behind_alias())
                fresh = self._create()
            try:
                for done in self._fill(fresh):
                    still_here()
                    progress(done)
                with self._reached():
                    self._client.indices.refresh(index=fresh)
                # Should this process be killed before it has caught up, the sweep does it.
                outbox.put_since(began - CLOCKS_APART)
                with self._reached():
                    # Asked again: where there was none, whoever searched meanwhile has made one.
                    self._move_alias(self._behind_alias(), fresh)
                # Once more: whoever wrote to the old index just before has taken it out of the outbox just now.
                outbox.put_since(began - CLOCKS_APART)
            except BaseException:
                with self._reached():
                    self._client.indices.delete(index=fresh, ignore_unavailable=True)
                raise
            self._catch_up(still_here)
        return self.count()

    def _fill(self, index: str) -> Iterator[int]:
        """Write every case that there is now, in order of id; yield how many are done.

        Newer ones are left to `_catch_up`, or under a steady stream of hits filling would never end.
        """
        newest = Case.objects.aggregate(pk=Max("pk"))["pk"] or 0
        own = Case.objects.filter(copy_of=None)
        last = done = 0
        while cases := mapping.stored(own.filter(pk__gt=last, pk__lte=newest).order_by("pk")[:CHUNK]):
            self.write(cases, index=index)
            last = cases[-1].pk
            done += len(cases)
            yield done

    def _catch_up(self, still_here: Callable[[], None]) -> None:
        """Write what was made or changed while the index was filled: its version differs from the index's."""
        last = 0
        own = Case.objects.filter(copy_of=None).order_by("pk").values_list("pk", "version", "outbox__mark")
        while rows := list(own.filter(pk__gt=last)[:CHUNK]):
            with self._reached():
                answer = self._client.mget(
                    index=self.alias, docs=[{"_id": str(pk), "_source": False} for pk, _, _ in rows]
                )
            held = {int(doc["_id"]): doc.get("_version", 0) for doc in answer["docs"] if doc.get("found")}
            outbox.take([(pk, mark) for pk, version, mark in rows if mark is not None and held.get(pk, 0) >= version])
            self.sync([pk for pk, version, _ in rows if held.get(pk, 0) < version])
            last = rows[-1][0]
            still_here()
        # Of copies those alone that changed meanwhile: one that was a case of its own before has to leave the index.
        self.sync(list(Outbox.objects.filter(case__copy_of__isnull=False).order_by("pk").values_list("pk", flat=True)))

    def _remove_leftovers(self, in_use: Sequence[str]) -> None:
        """Remove what a rebuild that was killed has left."""
        found = self._client.indices.get(index=f"{self.alias}-v*", expand_wildcards="all")
        ours = [name for name, one in found.items() if one["mappings"].get("_meta", {}).get("mark") == mapping.MARK]
        for name in set(ours) - set(in_use):
            if re.fullmatch(rf"{re.escape(self.alias)}-v\d+-\d+", name):
                self._client.indices.delete(index=name, ignore_unavailable=True)

    def _create(self) -> str:
        name = f"{self.alias}-v{mapping.VERSION}-{time.time_ns()}"
        self._client.options(request_timeout=CREATE_SECONDS).indices.create(
            index=name, settings=mapping.settings(self.analyzer), mappings=mapping.mappings(self.analyzer)
        )
        return name

    def _ensure_index(self) -> None:
        """Make the index when there is none; of several processes one wins, and every case is behind then."""
        if time.monotonic() < self._sure_until:
            return
        behind = self._behind_alias()
        if not behind:
            self._first_index()
        self._must_be_current(behind)
        self._sure_until = time.monotonic() + SURE_SECONDS

    def _must_be_current(self, names: Iterable[str]) -> None:
        for name in names:
            if not name.startswith(f"{self.alias}-v{mapping.VERSION}-"):
                raise SearchUnavailable(
                    f"{self._where}: index {name} is of an older version; `woodpecker reindex` makes a new one"
                )

    def _first_index(self) -> None:
        name = self._create()
        try:
            outbox.put_all()  # before anybody finds it: killed in between, an empty index would pass for a full one
            self._client.indices.put_alias(index=name, name=self.alias)
        except BaseException:
            self._client.indices.delete(index=name, ignore_unavailable=True)
            raise
        others = [index for index in self._behind_alias() if index != name]
        if others and min(others) < name:  # somebody else was first: theirs stays
            self._client.indices.delete(index=name, ignore_unavailable=True)

    def _behind_alias(self) -> list[str]:
        try:
            found = self._client.indices.get_alias(name=self.alias)
        except NotFoundError:
            if self._client.indices.exists(index=self.alias):
                raise SearchUnavailable(
                    f"{self._where}: {self.alias!r} is an index, not an alias of ours; "
                    "WOODPECKER_SEARCH_INDEX names another"
                ) from None
            return []
        for name in found:
            meta = self._client.indices.get_mapping(index=name)[name]["mappings"].get("_meta", {})
            if meta.get("mark") != mapping.MARK:
                raise SearchUnavailable(f"{self._where}: index {name} has a foreign mapping")
        return sorted(found)

    def _move_alias(self, old: Iterable[str], fresh: str) -> None:
        actions: list[dict[str, Any]] = [{"add": {"index": fresh, "alias": self.alias, "is_write_index": True}}]
        actions += [{"remove_index": {"index": name}} for name in old]
        self._client.indices.update_aliases(actions=actions)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Turn every way in which the server can fail into one error with a plain message."""
        try:
            yield
        except AuthenticationException as error:
            raise SearchUnavailable(f"{self._where} refused the user or the password (401)") from error
        except ApiError as error:
            self._sure_until = 0.0
            raise SearchUnavailable(f"{self._where}: {error.message} ({error.status_code})") from error
        except TlsError as error:
            wanted = "one of the authority in WOODPECKER_ELASTICSEARCH_CA, for this name (without it: a public one)"
            raise SearchUnavailable(
                f"{self._where}: its certificate was refused ({error}); allowed: {wanted}"
            ) from error
        except TransportError as error:
            raise SearchUnavailable(f"{self._where} does not answer ({type(error).__name__})") from error
        except helpers.BulkIndexError as error:
            raise SearchUnavailable(f"{self._where} refused {len(error.errors)} documents") from error


def _action(index: str, case: Stored) -> tuple[dict[str, Any], bytes | None]:
    """Return what to do with a case's document, and the document; a copy of another has none."""
    target = {"_index": index, "_id": str(case.pk), "version": case.version, "version_type": "external_gte"}
    if case.copy_of_id is not None:
        return {"delete": target}, None
    return {"index": target}, to_json(mapping.document(case))


def _as_it_is(action: Any) -> Any:
    """Leave an action as it is: `helpers` would copy each, and write it as JSON in Python."""
    return action
