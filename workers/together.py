"""`woodpecker up`: every part of the system in one process tree, on one machine."""

from __future__ import annotations

import http.client
import json
import signal
import sys
import time

from config.settings import Settings
from workers.cli.output import complain, console
from workers.processes import Part, Tree

READY_SECONDS = 120
DEMO_PORT = 8765


class CannotStart(Exception):
    """A part did not come up in time."""


def run(settings: Settings, port: int, *, demo: bool) -> None:
    """Start the parts, print the address when they answer, and watch until Ctrl-C.

    Raises:
        CannotStart: the pages did not answer in time.
    """
    here = {"WOODPECKER_HTTP_PORT": str(port)}
    woodpecker = [sys.executable, "-m", "workers"]
    parts = [
        Part("web", [*woodpecker, "web", "--port", str(port)], here),
        Part("work", [*woodpecker, "work"], here),
        Part("beat", [*woodpecker, "beat"], here),
    ]
    if demo:
        folder = settings.path("demo")
        command = [sys.executable, "-m", "demo", "--port", str(DEMO_PORT), "--data", str(folder)]
        parts.insert(0, Part("demo", command))
    tree = Tree(parts, complain)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, tree.ask_to_stop)
    tree.start()
    try:
        _await_health(settings.http_host, port, tree)
        if not tree.stopping:
            _greet(settings, port, demo=demo)
            tree.watch()
    finally:
        console.print("stopping …", markup=False)
        tree.stop()
        console.print("stopped.", markup=False)


def _greet(settings: Settings, port: int, *, demo: bool) -> None:
    from workers import demonstration

    address = settings.public_url.rstrip("/") or f"http://{settings.http_host}:{port}"
    console.print(f"\n  Silver Woodpecker 银发啄木鸟  →  {address}\n", markup=False)
    if demo:
        console.print("  One sign-in link per role, each good for one use:", markup=False)
        for role, link in demonstration.sign_in_links():
            console.print(f"    {role:<10} {address}{link}", markup=False, soft_wrap=True)
        console.print(f"\n  The fictional platform that is crawled: http://127.0.0.1:{DEMO_PORT}", markup=False)
    else:
        console.print("  First account:  woodpecker user add NAME --role lead", markup=False)
    console.print("  Ctrl-C ends everything.\n", markup=False)


def _await_health(host: str, port: int, tree: Tree) -> None:
    deadline = time.monotonic() + READY_SECONDS
    last = "no answer yet"
    while time.monotonic() < deadline and not tree.stopping:
        for part in tree.parts:
            if part.ended() is not None:
                raise CannotStart(f"{part.name} ended with code {part.ended()} while starting; its message is above")
        try:
            connection = http.client.HTTPConnection(host, port, timeout=5)
            connection.request("GET", "/healthz", headers={"Host": f"{host}:{port}"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == http.HTTPStatus.OK:
                return
            last = json.dumps(json.loads(body), ensure_ascii=False)
        except (OSError, http.client.HTTPException, ValueError) as error:
            last = str(error) or type(error).__name__
        time.sleep(0.3)
    if not tree.stopping:
        raise CannotStart(f"the pages did not answer within {READY_SECONDS} s; last answer: {last}")
