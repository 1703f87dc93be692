"""Dead letters: a batch that cannot be assessed is halved until the one bad capture stands alone; it is set aside.

Only the kind and the place of an error are kept: its message may quote the text.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from casework import audit, intake, signals
from casework.errors import NotFound
from casework.models import Batch, DeadLetter, InboxItem, SeenCapture, Stage
from config.settings import ROOT, get_settings

TEXT_KEPT = timedelta(hours=24)
"""As in the inbox, counted from the moment at which the capture came in."""
KEPT = timedelta(days=30)
"""After this a letter goes altogether; what it named can be captured again."""


def isolate(
    batch_id: int, stage: Stage, error: Exception, *, failed: Collection[str] = (), restricted: bool = False
) -> str:
    """Halve a batch that failed, or set its one capture aside; done twice, it changes nothing.

    Args:
        stage: where it failed.
        error: what failed; its message is not kept.
        failed: ids of the captures that failed together; where others are in the batch by now, somebody else has
            halved it meanwhile and this failure says nothing of what is left. Empty: not known.
        restricted: the assessment said sexual_exploitation; nothing of the text is kept.

    Returns:
        `halved`, `buried`, `full` (no room for another letter: the batch is given up and stays in the inbox) or
        `gone` (somebody else completed or halved it).
    """
    with transaction.atomic():
        batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
        items = list(InboxItem.objects.filter(batch_id=batch_id).order_by("id"))
        if batch is None or not items or (failed and set(failed) != {item.capture_id for item in items}):
            return "gone"
        if len(items) > 1:
            _halve(batch, [item.pk for item in items])
            return "halved"
        if full():
            limit = get_settings().dead_letters_max
            intake.fail(
                batch_id, f"no room for another dead letter (WOODPECKER_DEAD_LETTERS_MAX={limit}): {named(error)}"
            )
            return "full"
        _bury(batch, items[0], stage, named(error), restricted=restricted)
        return "buried"


def named(error: Exception) -> str:
    """Return the kind of an error and the innermost place of ours that it came through, without its message.

    A database says by a code of five characters what it refused (SQLSTATE, PostgreSQL's appendix A).
    """
    code = getattr(error.__cause__, "sqlstate", None)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(ROOT) and ".venv" not in frame.filename]
    where = f" in {Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{f' {code}' if code else ''}{where}"


def full() -> bool:
    """Say whether there is no room for another letter."""
    return DeadLetter.objects.count() >= get_settings().dead_letters_max


def get(letter_id: int) -> DeadLetter:
    """Return a letter.

    Raises:
        NotFound: there is none of this number.
    """
    found = DeadLetter.objects.filter(pk=letter_id).first()
    if found is None:
        raise NotFound("搁置的采集", letter_id)
    return found


@transaction.atomic
def retry(letter_ids: Iterable[int], *, actor: str = audit.SYSTEM) -> list[int]:
    """Put letters back into the inbox, in one batch, and return those that went; one without its text cannot go."""
    letters = list(DeadLetter.objects.select_for_update().filter(pk__in=letter_ids, payload__isnull=False))
    if not letters:
        return []
    letters.sort(key=lambda letter: letter.received_at)
    batch_id = Batch.objects.create(created_at=letters[0].received_at).pk
    InboxItem.objects.bulk_create(
        [
            InboxItem(batch_id=batch_id, capture_id=letter.capture_id, payload=letter.payload)
            for letter in sorted(letters, key=lambda letter: letter.capture_id)
        ],
        batch_size=500,
    )
    gone = sorted(letter.pk for letter in letters)
    DeadLetter.objects.filter(pk__in=gone).delete()
    audit.record("dead.retry", actor, "inbox", letters=gone)
    signals.announce_batch(batch_id)
    return gone


@transaction.atomic
def drop(letter_ids: Iterable[int], *, again: bool = False, actor: str = audit.SYSTEM) -> list[int]:
    """Throw letters away for good and return those that went.

    Args:
        again: also forget that the captures were seen, so that the next crawl or ingest may bring them.
    """
    letters = list(DeadLetter.objects.select_for_update().filter(pk__in=letter_ids).order_by("id"))
    if not letters:
        return []
    captures = [letter.capture_id for letter in letters]
    if again:
        SeenCapture.objects.filter(pk__in=captures).delete()
    gone = [letter.pk for letter in letters]
    DeadLetter.objects.filter(pk__in=gone).delete()
    audit.record("dead.drop", actor, "inbox", letters=gone, captures=captures, again=again)
    return gone


def overdue(now: datetime) -> dict[str, int]:
    """Count the letters that hold a text for too long, and those that are past their own date."""
    return {
        "dead_texts": DeadLetter.objects.filter(_overdue_text(now)).count(),
        "dead_letters": DeadLetter.objects.filter(failed_at__lte=now - KEPT).count(),
    }


def purge(now: datetime) -> dict[str, int]:
    """Take the text out of letters that held it for a day, and letters away after a month; returns how many."""
    texts = DeadLetter.objects.filter(_overdue_text(now)).update(payload=None)
    old = DeadLetter.objects.filter(failed_at__lte=now - KEPT)
    SeenCapture.objects.filter(pk__in=list(old.values_list("capture_id", flat=True))).delete()
    letters, _ = old.delete()
    return {"dead_texts": texts, "dead_letters": letters}


def _overdue_text(now: datetime) -> Q:
    return Q(payload__isnull=False, received_at__lte=now - TEXT_KEPT)


def _halve(batch: Batch, item_ids: Sequence[int]) -> None:
    """Move the later half into a batch of its own; both keep their age.

    Of a batch that ended its workers again and again each half gets one more try, so that the one capture which does
    it is found in a few steps.
    """
    middle = len(item_ids) // 2
    attempts = min(batch.attempts, intake.MOST_ATTEMPTS - 1)
    other = Batch.objects.create(created_at=batch.created_at, attempts=attempts, urgent=batch.urgent)
    InboxItem.objects.filter(pk__in=item_ids[middle:]).update(batch_id=other.pk)
    Batch.objects.filter(pk=batch.pk).update(attempts=attempts)
    for batch_id in (batch.pk, other.pk):
        signals.announce_batch(batch_id, urgent=batch.urgent)


def _bury(batch: Batch, item: InboxItem, stage: Stage, error: str, *, restricted: bool) -> None:
    payload: dict[str, Any] = item.payload if isinstance(item.payload, dict) else {}
    DeadLetter.objects.update_or_create(
        capture_id=item.capture_id,
        defaults={
            "site": str(payload.get("site", ""))[:63],
            "section": str(payload.get("section", ""))[:63],
            "url": str(payload.get("url", ""))[:2000],
            "stage": stage,
            "error": error[:500],
            "restricted": restricted,
            "payload": None if restricted else item.payload,
            "received_at": batch.created_at,
        },
    )
    Batch.objects.filter(pk=batch.pk).delete()
