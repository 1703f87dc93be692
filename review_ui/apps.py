"""The review pages as a Django app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig


class ReviewUiConfig(AppConfig):
    """The review pages as a Django app."""

    name = "review_ui"

    def ready(self) -> None:
        """Bring what a person has just changed into the index before their next page asks for it."""
        from casework.signals import cases_changed

        cases_changed.connect(_into_index, dispatch_uid="review_ui.into_index")


def _into_index(case_ids: Sequence[int], **_sent: Any) -> None:
    from casework.search import get_search
    from casework.search.port import SearchUnavailable

    # Only what a page did is waited for; batches of a worker's size are the worker's own to index.
    if len(case_ids) > 1:
        return
    try:
        get_search().sync(case_ids, refresh=True)
    except SearchUnavailable:
        return  # the sweep brings it in later; the queue meanwhile falls back to the database
