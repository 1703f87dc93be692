"""Restricting: all that may not be held of a case goes, wherever it lies (未成年人网络保护条例 Art 22¶2)."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction

from casework import evidence, hits, responses, signatures
from casework.models import Case, PastAssessment
from casework.search import get_search
from casework.search.port import SearchUnavailable


def restrict(case: Case, response: str | None = None) -> None:
    """Strip a case that is in the database, in the running transaction; the caller saves the row itself.

    Args:
        case: the case.
        response: its stored response, where the case itself has been stripped of it already.
    """
    evidence.destroy(case)
    responses.destroy([response or case.evidence])
    hits.restrict(case)
    signatures.restrict(case)
    PastAssessment.objects.filter(case=case).delete()


def forget_in_index(case_id: int) -> None:
    """Write a case's document over as soon as the running transaction has committed, without waiting for a worker.

    While the index is away it stays behind like any other, and the sweep writes it.
    """
    transaction.on_commit(lambda: _write_over(case_id), robust=True)


def _write_over(case_id: int) -> None:
    with suppress(SearchUnavailable):
        get_search().sync([case_id])
