"""Searches that people keep, and results that they take out of the house."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from casework import audit, exposure
from casework.errors import InvalidInput, NotFound
from casework.models import Case, CaseState, SavedSearch, User
from casework.notice_files import to_csv
from casework.policies import section_title, site_title
from casework.roles import Action, require
from casework.search import get_search
from casework.search.port import MAX_SIZE, Query
from config.taxonomy import load_taxonomy

MOST_SAVED = 50
"""Searches that one person keeps."""
MOST_ROWS = 5000
"""Cases of one export; a result with more is narrowed first."""
UNDO_KEPT = timedelta(days=1)
COLUMNS = ("案件编号", "状态", "等级", "类别", "平台", "板块", "网址", "单元", "采集时间", "分数")


def saved(user: User) -> QuerySet[SavedSearch]:
    """Return the searches that this person keeps, by name."""
    return SavedSearch.objects.filter(user=user, removed_at=None)


def save(user: User, name: str, address: str) -> SavedSearch:
    """Keep a question under a name; a name that is taken gets the new question.

    Raises:
        InvalidInput: no name, nothing asked, or too many are kept.
    """
    name, own = name.strip(), saved(user)
    if not name or len(name) > 60:
        raise InvalidInput("name", name, "1 至 60 字")
    if not address or len(address) > 1000:
        raise InvalidInput("search", "", "先搜索或筛选，再保存")
    SavedSearch.objects.filter(user=user, removed_at__lt=timezone.now() - UNDO_KEPT).delete()
    if not own.filter(name=name).exists() and own.count() >= MOST_SAVED:
        raise InvalidInput("name", name, "最多保存 50 个搜索，请先删去不用的")
    kept, _ = SavedSearch.objects.update_or_create(user=user, name=name, removed_at=None, defaults={"address": address})
    return kept


def remove(user: User, search_id: int) -> SavedSearch:
    """Remove a search; `bring_back` undoes it.

    Raises:
        NotFound: this person keeps none of this number.
    """
    found = saved(user).filter(pk=search_id).first()
    if found is None:
        raise NotFound("保存的搜索", search_id)
    found.removed_at = timezone.now()
    found.save(update_fields=["removed_at"])
    return found


def bring_back(user: User, search_id: int) -> SavedSearch:
    """Undo a removal.

    Raises:
        NotFound: this person has removed none of this number lately.
    """
    found = SavedSearch.objects.filter(user=user, pk=search_id, removed_at__isnull=False).first()
    if found is None:
        raise NotFound("保存的搜索", search_id)
    found.removed_at = None
    found.save(update_fields=["removed_at"])
    return found


def export(query: Query, user: User) -> bytes:
    """Return a result as CSV: where each case stands and how it is judged, never its text; recorded.

    Restricted cases are left out, whoever asks.

    Raises:
        NotAllowed: this person may not take results out.
        InvalidInput: the result has more than `MOST_ROWS` cases.
    """
    require(user, Action.EXPORT_RESULTS)
    query = replace(query, scope=replace(query.scope, restricted=(False,)), size=MAX_SIZE, page=1, after=None)
    rows = [_row(case) for case in _cases(query, user)]
    asked = {name: list(values) for name, values in query.filters.items() if values}
    audit.record("case.export", user, "search", cases=len(rows), filters=asked, words=bool(query.text))
    return to_csv(COLUMNS, rows)


def _cases(query: Query, user: User) -> Iterator[Case]:
    """Yield the cases of a result, page after page by its cursor, each once."""
    seen: set[int] = set()
    search = get_search()
    # A search that changes between index and database begins anew; this is twice the pages that there can be.
    for _ in range(2 + 2 * MOST_ROWS // MAX_SIZE):
        page = search.search(query)
        if page.total > MOST_ROWS:
            raise InvalidInput("search", page.total, f"结果不超过 {MOST_ROWS} 件，请先缩小范围")
        new = [hit.case_id for hit in page.hits if hit.case_id not in seen]
        found = exposure.visible_cases(user).in_bulk(new)
        yield from (found[one] for one in new if one in found)
        seen.update(new)
        if not page.next_after or len(seen) >= MOST_ROWS:
            return
        query = replace(query, after=page.next_after, facets=False)


def _row(case: Case) -> dict[str, str]:
    category = load_taxonomy().categories[case.category]
    captured = timezone.localtime(case.captured_at)
    values = (
        case.number, CaseState(case.state).label, case.severity, f"{category.code} {category.name}",
        site_title(case.site), section_title(case.site, case.section), case.url, case.unit,
        f"{captured:%Y-%m-%d %H:%M:%S} +08:00", f"{case.score:.3f}" if exposure.scores_shown(case) else "",
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
