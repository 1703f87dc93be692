"""Tasks and pages are timed in every process, and one page of figures sums them up."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.captures import rows
from config.settings import get_settings
from tests.servers.installations import Installation
from workers import timing


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def number(text: str, pattern: str) -> float:
    return sum(float(one) for one in re.findall(rf"^{pattern} (\S+)$", text, re.MULTILINE))


def test_what_web_and_work_have_measured_stands_on_one_page_and_at_the_workers_own_port(
    install: Callable[..., Installation], free_ports: Callable[[int], list[int]]
) -> None:
    pages, own = free_ports(2)
    here = install("embedded", work_metrics_port=str(own))
    file = here.folder / "captures.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(40)), "utf-8")
    assert here.run("ingest", str(file)).returncode == 0
    here.start("work")
    here.start("web", "--port", str(pages))
    here.rest()
    deadline = time.monotonic() + 60
    text = ""
    while time.monotonic() < deadline:
        try:
            read(f"http://127.0.0.1:{pages}/readyz")
            text = read(f"http://127.0.0.1:{pages}/metrics")
        except OSError:
            pass
        if number(text, r'woodpecker_task_seconds_count\{outcome="done",task="assess"\}') >= 1:
            break
        time.sleep(0.5)
    assert number(text, r'woodpecker_task_seconds_count\{outcome="done",task="assess"\}') >= 1
    assert number(text, r'woodpecker_page_seconds_count\{method="GET",status="200",view="readyz"\}') >= 1
    assert number(text, r'woodpecker_captures_total\{outcome="assessed",site="demo"\}') == 40
    assert "woodpecker_task_seconds_count" in read(f"http://127.0.0.1:{own}/")


def test_folders_of_parts_that_have_ended_are_removed(tmp_path: Path) -> None:
    settings = get_settings().model_copy(update={"data_dir": tmp_path})
    own = timing.folder_of(settings, "work")
    host = own.name.partition("@")[2].rpartition(":")[0]
    ended, living, elsewhere = (
        own.parent / name for name in (f"work@{host}:999999999", f"web@{host}:{os.getppid()}", "work@other-host:1")
    )
    for folder in (ended, living, elsewhere):
        folder.mkdir()
    (own / "histogram_1.db").touch()
    again = timing.folder_of(settings, "work")
    assert again == own
    assert list(own.iterdir()) == []
    assert not ended.exists()
    assert living.exists()
    assert elsewhere.exists()


@pytest.fixture
def free_ports() -> Callable[[int], list[int]]:
    """Ports on which nobody listens."""
    import socket

    def find(count: int) -> list[int]:
        probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        ports = [probe.getsockname()[1] for probe in probes]
        for probe in probes:
            probe.close()
        return ports

    return find
