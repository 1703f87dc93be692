"""What casework tells the other rooms, always after the transaction has committed. Receivers get ids only.

`batch_received(batch_id: int, urgent: bool)`: an inbox batch waits for its assessment.
`cases_changed(case_ids: list[int])`: the index has to be told of these cases, which are new or have a new version.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.dispatch import Signal

batch_received = Signal()
cases_changed = Signal()


def announce_batch(batch_id: int, *, urgent: bool = False) -> None:
    """Send `batch_received` once the running transaction has committed; a receiver that fails harms nobody."""
    transaction.on_commit(lambda: _robust(batch_received, batch_id=batch_id, urgent=urgent), robust=True)


def announce_cases(case_ids: Sequence[int]) -> None:
    """Put cases that changed into the index's outbox, and send `cases_changed` once the transaction has committed.

    A receiver that fails harms nobody: what is in the outbox stays there. Without an index nothing has to be told.
    """
    from casework import search
    from casework.search import outbox

    if case_ids and search.get_search().is_index:
        ids = list(case_ids)
        outbox.put(ids)
        transaction.on_commit(lambda: _robust(cases_changed, case_ids=ids), robust=True)


def _robust(signal: Signal, **values: object) -> None:
    signal.send_robust(sender="casework", **values)
