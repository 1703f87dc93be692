"""Following: copies go where their case goes. A thousand copies take as few statements as one.

Each copy gets a decision of its own that `follows` the one on its case, since a list and an undo ask for it row by row;
what becomes of the rows is said in SQL, so that whoever decides does not wait while they are read and written singly.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Case as Choice
from django.db.models import (
    CharField,
    F,
    FloatField,
    Func,
    JSONField,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Contains
from django.utils import timezone

from casework import clusters, hits
from casework.errors import NotAllowed
from casework.models import Case, CaseState, Decision, NoticeLine
from config.taxonomy import load_taxonomy


def spread(case: Case, decision: Decision) -> int:
    """Let every copy follow a decision that its case just got, in the running transaction; returns how many did."""
    copies = _decide(case, decision)
    if not copies:
        return 0
    if case.restricted:
        clusters.restrict_copies(case)
    followers = Case.objects.filter(copy_of=case)
    changes: dict[str, Any] = {"state": case.state, "purge_after": _purge_after(case)}
    if decision.category:
        changes |= _settled(decision.category, decision.grade) | {"categories": _First(decision.category)}
    followers.update(**changes, **_touched())
    return copies


def take_back(case: Case, decision: Decision) -> int:
    """Undo what followed a decision of a case that is being undone, in the running transaction; returns how many did.

    A copy that came after several decisions follows the last alone: it goes where its case goes, not to its beginning.

    Raises:
        NotAllowed: a copy is on a takedown list.
    """
    followers = Decision.objects.filter(follows=decision, undone_at__isnull=True).order_by()
    if not followers.exists():
        return 0
    line = NoticeLine.objects.filter(case__decisions__in=followers).select_related("notice", "case").first()
    if line is not None:
        raise NotAllowed(f"案件{line.case.number}已列入清单{line.notice.number}，不能撤销")
    _put_back(decision)
    for category in list(followers.values_list("category_before", flat=True).distinct()):
        back = Case.objects.filter(pk__in=followers.filter(category_before=category).values("case"))
        _take_back(back, case, category)
    return followers.update(undone_at=timezone.now())


def _take_back(copies: QuerySet[Case], case: Case, category: str) -> None:
    common = {"state": case.state, "purge_after": None} | _touched()
    settled = _settled(category)
    del settled["grade"]  # it has been put back already
    copies.filter(restricted=True).update(**common)
    copies.filter(restricted=False).update(**common, **settled)


def _put_back(decision: Decision) -> None:
    """Give each copy the categories and the grade that its own decision found there."""
    table, cases = (connection.ops.quote_name(model._meta.db_table) for model in (Decision, Case))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {cases} SET categories = theirs.categories_before, grade = theirs.grade_before "  # noqa: S608
            f"FROM {table} theirs WHERE theirs.follows_id = %s AND theirs.undone_at IS NULL "
            f"AND {cases}.id = theirs.case_id AND NOT {cases}.restricted",
            [decision.pk],
        )


def _decide(case: Case, decision: Decision) -> int:
    """Write for each copy the decision that it gets because its case got one; returns how many there are."""
    table, cases = (connection.ops.quote_name(model._meta.db_table) for model in (Decision, Case))
    given: dict[str, Any] = {
        "decided_by_id": decision.decided_by_id,
        "decided_at": connection.ops.adapt_datetimefield_value(timezone.now()),
        "finding": str(decision.finding),
        "category": decision.category,
        "grade": decision.grade,
        "reason": decision.reason,
        "addressee": "",
        "follows_id": decision.pk,
    }
    taken = {
        "case_id": "id", "case_version": "version", "state_before": "state", "category_before": "category",
        "categories_before": "categories", "grade_before": "grade",
    }  # fmt: skip
    columns, values = ", ".join((*given, *taken)), ", ".join([*["%s"] * len(given), *taken.values()])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {cases} WHERE copy_of_id = %s",  # noqa: S608
            [*given.values(), case.pk],
        )
        return int(cursor.rowcount)


def _settled(category: str, grade: str = "") -> dict[str, Any]:
    """Return what `hits.settle` gives a case of this category, as expressions over its row."""
    known = load_taxonomy().categories[category]
    score = Cast(KeyTextTransform(category, "scores"), FloatField())
    return {
        "category": category,
        "grade": grade or str(known.grades[0]),
        "severity": _severity(category),
        "score": Coalesce(score, 0.0),
    }


def _severity(category: str) -> Choice:
    graver, lighter = hits.severities_of(category)
    imminent = Contains(Cast("spans", TextField()), f'"{hits.IMMINENT_RULE}')
    special = imminent if category == hits.SELF_HARM else Q(kid_zone=True)
    return Choice(When(special, then=Value(graver)), default=Value(lighter), output_field=CharField())


def _purge_after(case: Case) -> Any:
    if case.state != CaseState.OUT_OF_SCOPE:
        return None
    return Choice(When(purged_at__isnull=True, then=Value(case.purge_after or timezone.now())), default=None)


def _touched() -> dict[str, Any]:
    """Return what every change of a copy brings: a new version, of which no index has to be told."""
    return {"version": F("version") + 1, "updated_at": timezone.now()}


class _First(Func):
    """The categories of a row with one of them, whether it was among them or not, put first."""

    output_field = JSONField()

    def __init__(self, category: str) -> None:
        super().__init__(F("categories"))
        self._category = category

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL of SQLite."""
        column, values = compiler.compile(self.source_expressions[0])
        others = f"SELECT value FROM json_each({column}) WHERE value <> %s"  # noqa: S608
        sql = f"(SELECT json_group_array(value) FROM (SELECT %s AS value UNION ALL {others}))"  # noqa: S608
        return sql, (self._category, *values, self._category)

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL of PostgreSQL."""
        column, values = compiler.compile(self.source_expressions[0])
        sql = f"jsonb_build_array(%s::text) || ({column} - %s::text)"
        return sql, (self._category, *values, self._category)
