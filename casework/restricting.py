"""Restricting: all that may not be held of a case goes, wherever it lies (未成年人网络保护条例 Art 22¶2)."""

from __future__ import annotations

from casework import evidence, hits, responses, signatures
from casework.models import Case, PastAssessment


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
