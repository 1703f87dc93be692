"""The folder broker hands each message to one consumer, whole, whatever happens beside it."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

import pytest
from kombu import Connection

from config.settings import FOLDER_BROKER
from workers import folder_broker

folder_broker.register()


@pytest.fixture(autouse=True)
def _fresh_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kombu remembers per process which queues are bound, whatever the folder."""
    monkeypatch.setattr(f"{__name__}.QUEUE", f"q{uuid.uuid4().hex}")


QUEUE = ""


@pytest.fixture
def broker(tmp_path: Path) -> Connection:
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "messages"),
        "data_folder_out": str(tmp_path / "messages"),
        "control_folder": str(tmp_path / "control"),
        "polling_interval": 0.01,
    }
    return Connection(FOLDER_BROKER, transport_options=options)


def test_messages_come_out_in_the_order_they_went_in(broker: Connection) -> None:
    queue = broker.SimpleQueue(QUEUE)
    for number in range(20):
        queue.put({"n": number})

    received = [_take(queue) for _ in range(20)]

    assert received == list(range(20))
    assert queue.qsize() == 0


def test_two_consumers_never_get_the_same_message_nor_half_of_one(broker: Connection) -> None:
    producers = [threading.Thread(target=_produce, args=(broker.clone(), start)) for start in (0, 1000)]
    received: list[int] = []
    done = threading.Event()
    consumers = [threading.Thread(target=_consume, args=(broker.clone(), received, done)) for _ in range(3)]

    for thread in consumers + producers:
        thread.start()
    for thread in producers:
        thread.join()
    done.set()
    for thread in consumers:
        thread.join()

    assert sorted(received) == [*range(150), *range(1000, 1150)]


def test_a_half_written_message_is_not_seen(broker: Connection, tmp_path: Path) -> None:
    queue = broker.SimpleQueue(QUEUE)
    (tmp_path / "messages" / f"00000000000000000001-x.{QUEUE}.part").write_text('{"half":')

    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_queues_do_not_mix(broker: Connection) -> None:
    broker.SimpleQueue("crawl").put({"n": 1})

    with pytest.raises(broker.SimpleQueue(QUEUE).Empty):
        broker.SimpleQueue(QUEUE).get(block=False)


def _take(queue) -> int:
    message = queue.get(timeout=2)
    message.ack()
    return message.payload["n"]


def _produce(connection: Connection, start: int) -> None:
    queue = connection.SimpleQueue(QUEUE)
    for number in range(start, start + 150):
        queue.put({"n": number})


def _consume(connection: Connection, received: list[int], done: threading.Event) -> None:
    queue = connection.SimpleQueue(QUEUE)
    while True:
        try:
            message = queue.get(timeout=0.2)
        except queue.Empty:
            if done.is_set():
                return
            continue
        message.ack()
        received.append(message.payload["n"])
