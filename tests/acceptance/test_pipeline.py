"""From a file of captures to cases that are found, in both modes, with the parts started apart."""

from __future__ import annotations

import http.client
import json
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from benchmarks.captures import rows
from tests.servers.installations import Installation

Install = Callable[[str], Installation]


@pytest.mark.parametrize("mode", ["embedded", "services"])
def test_captures_become_cases_that_are_found_and_every_part_ends_when_it_is_asked_to(
    install: Install, mode: str
) -> None:
    here = install(mode)
    file = here.folder / "captures.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(600, one_in=3)), "utf-8")
    worker = here.start("work")

    assert here.run("ingest", str(file)).returncode == 0
    status = here.rest()
    again = here.run("ingest", str(file), "--json")

    assert json.loads(again.stdout)["duplicate"] == 600
    assert status["mode"] == mode
    assert status["captures"]["accepted"] == status["assessed"] == 600
    assert status["cases"]["total"] + status["cases"]["copies"] >= 200
    assert status["search"] == {
        "backend": "elasticsearch" if mode == "services" else "database",
        "documents": status["cases"]["total"],
        "behind": 0,
    }
    assert (status["failed"], status["workers"]) == (0, 1)
    assert here.rest()["cases"] == status["cases"]

    family = psutil.Process(worker.pid).children(recursive=True)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) == 0
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family)
    for text in ("加微信", "期末复习"):
        assert text not in here.log("work")


def test_up_brings_every_part_and_ends_them_all(install: Install) -> None:
    here = install("embedded", http_port="0")
    process = here.start("up")
    address = _until(lambda: next((line.split()[-1] for line in here.log("up").splitlines() if "→" in line), None))
    host = address.removeprefix("http://")
    assert _get(host, "/healthz")["status"] == "ok"
    assert here.status()["workers"] == 1

    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 5
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    assert "stopped." in here.log("up")
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family)


def test_a_port_that_is_taken_is_named(install: Install) -> None:
    import socket

    here = install("embedded")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = here.run("web", "--port", str(port))
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port" in done.stderr


def _get(host: str, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200
    return dict(json.loads(answer.read()))


def _until(found: Callable[[], str | None], seconds: float = 90) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = found()
        if result:
            return result
        time.sleep(0.1)
    raise TimeoutError(f"did not happen within {seconds:.0f} s")
