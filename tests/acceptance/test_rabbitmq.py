"""The whole path over RabbitMQ: what a worker that is killed had taken comes back, and the urgent is apart."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from amqp.exceptions import NotFound
from kombu import Connection

from benchmarks.captures import FILLER, rows
from benchmarks.urgent import urgent
from classifiers import triage
from config.celery import Queue
from deploy.services import rabbitmq, system
from tests.servers.installations import Installation

CAPTURES, BATCH, URGENT = 1200, 60, 5
TEXTS = [f"有没有人相约自杀，编号{FILLER[n * 8 : n * 8 + 8]}" for n in range(URGENT)]


@pytest.fixture
def broker() -> Iterator[str]:
    """A RabbitMQ of its own: the address."""
    system.ensure_user()
    # It runs as another user where we are root, and that one may not enter pytest's folders.
    with tempfile.TemporaryDirectory(prefix="woodpecker-rabbitmq-") as above:
        Path(above).chmod(0o711)
        folder, port, password = Path(above) / "server", system.free_port(), secrets.token_hex(16)
        rabbitmq.make(folder, password)
        pid = rabbitmq.serve(folder, port, password)
        yield rabbitmq.address(port, password)
        system.kill(pid)


@pytest.mark.timeout(900)
def test_over_rabbitmq_nothing_is_lost_when_workers_are_killed_and_the_urgent_waits_in_a_queue_of_its_own(
    install: Callable[..., Installation], broker: str
) -> None:
    # The sweep would send again what is lost; here it is too late for that, so whatever arrives came from RabbitMQ.
    here = install("services", broker_url=broker, audit_rate="0", batch_size=str(BATCH), lost_seconds="3600")
    file = here.folder / "captures.jsonl"
    captures = [*rows(CAPTURES, one_in=4), *urgent(TEXTS)]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in captures), "utf-8")

    assert here.run("ingest", str(file), timeout=240).returncode == 0

    there = waiting(broker)
    assert (there[Queue.URGENT], there[Queue.ASSESS]) == (batches_with_what_is_grave(captures), CAPTURES // BATCH)
    assert outlive_their_node(broker, Queue.URGENT, Queue.ASSESS)
    worker = here.start("work")
    here.until(lambda status: status["assessed"] > 0, 240)
    for one in psutil.Process(worker.pid).children(recursive=True):
        one.kill()
    worker.kill()
    worker.wait()
    assert here.status()["inbox"] > 0
    here.start("work")

    status = here.rest(240)

    assert (status["assessed"], status["failed"]) == (len(captures), 0)
    assert status["search"]["documents"] == status["cases"]["total"]
    assert status["cases"]["total"] + status["cases"]["copies"] >= CAPTURES // 4 + URGENT
    here.stop()
    assert set(waiting(broker).values()) == {0}


def waiting(broker: str) -> dict[Queue, int]:
    """How many messages stand ready in each queue; in one to which nothing was ever sent, none."""
    with Connection(broker) as connection:
        return {queue: _in(connection, queue) for queue in Queue}


def batches_with_what_is_grave(captures: Sequence[dict[str, Any]]) -> int:
    """How many of the batches that captures are taken in are parted: the last, whose texts are all grave, and those
    with one or the other ordinary text that looks so at a glance."""
    grave = [bool(slugs) for slugs in triage.load().slugs([one["text"] for one in captures])]
    assert all(grave[CAPTURES:])
    return sum(any(grave[start : start + BATCH]) for start in range(0, len(captures), BATCH))


def outlive_their_node(broker: str, *queues: Queue) -> bool:
    """Whether these are quorum queues: RabbitMQ takes a queue declared once more only if all is as it was."""
    with Connection(broker) as connection, connection.channel() as channel:
        for queue in queues:
            channel.queue_declare(str(queue), durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
    return True


def _in(connection: Connection, queue: Queue) -> int:
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(queue=str(queue), passive=True).message_count)
    except NotFound:
        return 0
