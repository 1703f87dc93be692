"""The inbox: once in, once out, whatever is killed or repeated in between."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from casework import hits, intake, signals
from casework.errors import InvalidInput
from casework.models import Batch, Case, DailyCount, InboxItem, SeenCapture
from classifiers.assessment import Assessment
from config.settings import get_settings
from crawlers.capture import Capture
from tests.casework.factories import make_assessment, make_capture
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


@pytest.fixture(autouse=True)
def nothing_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What scores low becomes no case: ids differ from run to run, and one in a hundred would join the audit sample."""
    own = get_settings().model_copy(update={"audit_rate": 0.0})
    monkeypatch.setattr(hits, "get_settings", lambda: own)


@pytest.fixture
def heard(index_away: None) -> Iterator[dict[str, list[object]]]:
    told: dict[str, list[object]] = {"batches": [], "cases": []}

    def on_batch(sender: object, batch_id: int, **_: object) -> None:
        told["batches"].append((batch_id, connection.in_atomic_block))

    def on_cases(sender: object, case_ids: list[int], **_: object) -> None:
        told["cases"].append((case_ids, connection.in_atomic_block))

    signals.batch_received.connect(on_batch)
    signals.cases_changed.connect(on_cases)
    yield told
    signals.batch_received.disconnect(on_batch)
    signals.cases_changed.disconnect(on_cases)


def hit(capture: Capture) -> tuple[Capture, Assessment]:
    return capture, make_assessment({"bullying": 0.9})


def miss(capture: Capture) -> tuple[Capture, Assessment]:
    return capture, make_assessment()


def counted() -> dict[str, int]:
    row = DailyCount.objects.get()
    return {name: getattr(row, name) for name in ("accepted", "duplicate", "rejected", "assessed", "flagged")}


def test_captures_wait_in_batches_of_the_given_size(heard: dict[str, list[object]]) -> None:
    receipt = intake.receive([make_capture() for _ in range(5)], batch_size=2)
    assert (receipt.accepted, receipt.duplicate, len(receipt.batch_ids)) == (5, 0, 3)
    assert InboxItem.objects.count() == 5
    assert heard["batches"] == [(batch_id, False) for batch_id in receipt.batch_ids]


def test_a_capture_comes_out_as_it_went_in() -> None:
    given = make_capture(
        published_at="2026-11-19T07:00:00+08:00",
        redactions=[{"kind": "phone", "start": 0, "end": 2}],
        flags=["prominent"],
    )
    receipt = intake.receive([given])
    assert intake.load_batch(receipt.batch_ids[0]) == [given]
    assert Batch.objects.get().attempts == 1


def test_the_same_thing_is_taken_once_even_after_it_was_assessed(heard: dict[str, list[object]]) -> None:
    captures = [make_capture() for _ in range(3)]
    receipt = intake.receive([*captures, captures[0]])
    assert (receipt.accepted, receipt.duplicate) == (3, 1)
    intake.complete(receipt.batch_ids[0], [miss(one) for one in captures])
    again = intake.receive(captures)
    assert (again.accepted, again.duplicate, again.batch_ids) == (0, 3, ())
    assert len(heard["batches"]) == 1
    assert counted() == {"accepted": 3, "duplicate": 4, "rejected": 0, "assessed": 3, "flagged": 0}


def test_completing_writes_cases_counts_and_clears_the_inbox(heard: dict[str, list[object]]) -> None:
    captures = [make_capture(f"第{n}句") for n in range(4)]
    batch_id = intake.receive(captures).batch_ids[0]
    case_ids = intake.complete(batch_id, [hit(captures[0]), hit(captures[1]), miss(captures[2]), miss(captures[3])])
    assert list(Case.objects.order_by("id").values_list("pk", flat=True)) == case_ids
    assert {case.capture_id for case in Case.objects.all()} == {captures[0].id, captures[1].id}
    assert (InboxItem.objects.count(), Batch.objects.count(), SeenCapture.objects.count()) == (0, 0, 4)
    assert counted() == {"accepted": 4, "duplicate": 0, "rejected": 0, "assessed": 4, "flagged": 2}
    assert heard["cases"] == [(case_ids, False)]


def test_completing_again_does_nothing(heard: dict[str, list[object]]) -> None:
    captures = [make_capture()]
    batch_id = intake.receive(captures).batch_ids[0]
    intake.complete(batch_id, [hit(captures[0])])
    assert intake.complete(batch_id, [hit(captures[0])]) == []
    assert intake.load_batch(batch_id) == []
    assert (Case.objects.count(), counted()["assessed"], len(heard["cases"])) == (1, 1, 1)


def test_a_batch_takes_only_its_own_captures() -> None:
    captures = [make_capture(), make_capture()]
    batch_id = intake.receive(captures).batch_ids[0]
    with pytest.raises(InvalidInput, match="1 missing"):
        intake.complete(batch_id, [hit(captures[0])])
    with pytest.raises(InvalidInput, match="1 foreign"):
        intake.complete(batch_id, [hit(captures[0]), hit(captures[1]), hit(make_capture())])
    assert (Case.objects.count(), InboxItem.objects.count()) == (0, 2)


def test_what_fails_half_way_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    captures = [make_capture()]
    batch_id = intake.receive(captures).batch_ids[0]

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(intake.counts, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            intake.complete(batch_id, [hit(captures[0])])
    assert (Case.objects.count(), InboxItem.objects.count()) == (0, 1)
    assert len(intake.complete(batch_id, [hit(captures[0])])) == 1


def test_nobody_is_told_of_what_was_rolled_back(heard: dict[str, list[object]]) -> None:
    with transaction.atomic():
        intake.receive([make_capture()])
        transaction.set_rollback(True)
    assert heard["batches"] == []
    assert SeenCapture.objects.count() == 0


def test_a_receiver_that_fails_harms_nobody() -> None:
    def fails(sender: object, **_: object) -> None:
        raise OSError("the broker is away")

    signals.batch_received.connect(fails)
    try:
        assert intake.receive([make_capture()]).accepted == 1
    finally:
        signals.batch_received.disconnect(fails)


def test_concurrent_ingests_take_each_capture_once() -> None:
    captures = [make_capture() for _ in range(120)]

    def ingest(number: int) -> intake.Receipt:
        return intake.receive(captures[number * 30 :] + captures[: number * 30], batch_size=25)

    receipts = at_once(4, ingest)
    assert sum(receipt.accepted for receipt in receipts) == 120
    assert sum(receipt.duplicate for receipt in receipts) == 360
    assert InboxItem.objects.count() == 120
    assert (counted()["accepted"], counted()["duplicate"]) == (120, 360)


def test_ingests_in_opposite_orders_never_wait_for_each_other_in_a_ring() -> None:
    for _ in range(5):
        captures = [make_capture() for _ in range(400)]
        receipts = at_once(4, lambda number: intake.receive(captures[:: 1 - 2 * (number % 2)], batch_size=400))  # noqa: B023
        assert sum(receipt.accepted for receipt in receipts) == 400


def test_workers_that_get_the_same_batch_complete_it_once() -> None:
    captures = [make_capture(f"第{n}句") for n in range(20)]
    batch_id = intake.receive(captures).batch_ids[0]
    results = at_once(4, lambda _: intake.complete(batch_id, [hit(one) for one in captures]))
    assert sorted(map(len, results)) == [0, 0, 0, 20]
    assert (Case.objects.count(), counted()["assessed"]) == (20, 20)


def test_workers_with_batches_of_the_same_sections_never_block_each_other_for_good() -> None:
    captures = [make_capture(section=f"s{n % 7}") for n in range(160)]
    batches = intake.receive(captures, batch_size=20).batch_ids

    def work(number: int) -> None:
        for batch_id in batches[number * 2 : number * 2 + 2]:
            loaded = intake.load_batch(batch_id)
            intake.complete(batch_id, [hit(one) for one in reversed(loaded)])

    at_once(4, work)
    assert Case.objects.count() == 160
    assert sum(DailyCount.objects.values_list("assessed", flat=True)) == 160


def test_what_was_sent_long_ago_or_never_is_unfinished() -> None:
    first, second, third, given_up = (intake.receive([make_capture()]).batch_ids[0] for _ in range(4))
    intake.mark_sent([first, second])
    Batch.objects.filter(pk=first).update(sent_at=timezone.now() - timedelta(minutes=2))
    # Said outright: where the tasks of workers are loaded, what is received is also sent and noted.
    Batch.objects.filter(pk=third).update(created_at=timezone.now() - timedelta(minutes=2), sent_at=None)
    Batch.objects.filter(pk=given_up).update(created_at=timezone.now() - timedelta(minutes=2))
    intake.fail(given_up, "assessment failed: ValueError")
    assert intake.unfinished(60) == [first, third]


def test_a_given_up_batch_keeps_its_captures_and_can_be_let_go(heard: dict[str, list[object]]) -> None:
    batch_id = intake.receive([make_capture()]).batch_ids[0]
    intake.fail(batch_id, "x" * 900)
    assert len(Batch.objects.get().error) == 500
    assert intake.release(batch_id)
    assert intake.unfinished(0) == [batch_id]
    assert heard["batches"] == [(batch_id, False)] * 2
    assert not intake.release(batch_id)


def test_refused_rows_are_counted() -> None:
    intake.reject(3)
    intake.reject(0)
    intake.reject(2)
    assert counted()["rejected"] == 5


def test_what_must_not_wait_goes_into_a_batch_of_its_own() -> None:
    captures = [make_capture(text) for text in ("甲", "急", "乙", "急")]
    first, second = intake.receive(captures, urgent=lambda texts: [text == "急" for text in texts]).batch_ids
    assert [one.text for one in intake.load_batch(first)] == ["急", "急"]
    assert {one.text for one in intake.load_batch(second)} == {"甲", "乙"}
    assert intake.urgent_among([first, second]) == {first}


def test_a_case_knows_when_its_capture_came_in() -> None:
    capture = make_capture()
    (batch_id,) = intake.receive([capture]).batch_ids
    came = Batch.objects.get().created_at
    intake.complete(batch_id, [hit(capture)])
    assert Case.objects.get().received_at == came
