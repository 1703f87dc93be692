"""`make run` after its set-up: `woodpecker up --demo` shows hits of a real crawl, and one Ctrl-C ends it all."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.servers.installations import ROOT, WOODPECKER, Installation
from workers.together import DEMO_PORT

pytestmark = pytest.mark.browser
UP_SECONDS, HITS_SECONDS, DOWN_SECONDS = 120, 30, 60
ROLES = ["reviewer", "volunteer", "liaison", "lead", "duty", "admin"]


class Run:
    """`woodpecker up --demo` as a terminal runs it: in a process group of its own, which Ctrl-C reaches as a whole."""

    def __init__(self, installation: Installation) -> None:
        self.log = installation.folder / "up.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*WOODPECKER, "up", "--demo", "--port", "0"],
                env=installation.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def links(self) -> dict[str, str]:
        """Wait for the greeting and return its sign-in links: role → address."""
        deadline = time.monotonic() + UP_SECONDS
        while "Ctrl-C ends everything." not in (said := self.log.read_text("utf-8")):
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        return dict(re.findall(r"^ +(\w+) +(http\S+/sign-in/\S+)$", said, re.MULTILINE))

    def tree(self) -> list[psutil.Process]:
        """Return every process that belongs to it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(DOWN_SECONDS)


@pytest.fixture
def run(install: Callable[..., Installation]) -> Iterator[Run]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", DEMO_PORT))  # the site file names this port, so nobody else may have it
    running = Run(install("embedded"))
    yield running
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()


def test_the_demonstration_comes_up_shows_hits_and_goes_without_a_trace(
    run: Run, open_page: Callable[..., Page]
) -> None:
    links = run.links()
    assert list(links) == ROLES
    page = open_page()
    page.goto(links["reviewer"].split("/sign-in/")[0] + "/healthz")
    assert '"status": "ok"' in page.content()

    page.goto(links["reviewer"])
    page.get_by_role("button", name="进入").click()
    deadline = time.monotonic() + HITS_SECONDS
    while page.locator(".row").count() == 0:
        assert time.monotonic() < deadline, run.log.read_text("utf-8")
        page.wait_for_timeout(200)
        page.reload()
    expect(page.locator(".row").first).to_contain_text("榆钱坡（演示）")

    tree = run.tree()
    assert len(tree) >= 5
    assert run.interrupt() == 0
    _gone, alive = psutil.wait_procs(tree, timeout=10)
    assert not alive
    assert "stopped." in run.log.read_text("utf-8")
    assert "Traceback" not in run.log.read_text("utf-8")
