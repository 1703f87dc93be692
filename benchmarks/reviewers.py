"""Do many people at once get in each other's way?

python -m benchmarks.reviewers [--mode embedded|services] [--people 50] [--seconds 60] [--think 5]

First one person works alone, and the server's CPU time is read after every request: that is what each costs, whatever
else the machine does. Then all work over HTTP against `woodpecker web`, with a `woodpecker work` beside it that indexes
what they decide: each takes the next case, opens and claims it, thinks, decides it, and takes one finding in five back;
every few cases they look at the queue. With `--think 0` nobody thinks. At the end the database is asked: no case
decided twice, no claim lost, no 5xx, none that the search does not hold as it is; latencies are those that the people
saw, on this machine with everything that runs on it.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.cpu import Meter, machine_seconds
from benchmarks.system import WOODPECKER, Installation, installation

TOKEN = "t" * 32
LOOKS_AT_QUEUE = 0.2
"""Share of cases before which somebody looks at the queue."""
CASES = """
from workers import django; django.setup(); django.migrate()
import hashlib, sys
from casework import clusters, hits
from casework.models import Case
from casework.policies import placement
from classifiers.assessment import Assessment
from config.taxonomy import SLUGS
from crawlers.capture import Capture
from benchmarks.captures import rows
cases = int(sys.argv[1])
place = placement("demo", "games")
scores = dict.fromkeys(SLUGS, 0.01) | {"illicit_ads": 0.99}
made = []
for number, row in enumerate(rows(cases, one_in=10**9)):
    row["text"] = hashlib.sha256(str(number).encode()).hexdigest()  # no two are copies of each other
    assessment = Assessment(scores=scores, spans=(), undone=(), model="m")
    made.append(hits.case_of(Capture.model_validate(row), assessment, place))
from django.db import transaction
for start in range(0, cases, 500):
    with transaction.atomic():
        clusters.enter(made[start:start + 500])
from casework.search import get_search
get_search().sync(list(Case.objects.values_list("pk", flat=True)))
print(cases)
"""
PEOPLE = """
from workers import django; django.setup(); django.migrate()
import json, sys
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from casework import accounts
store = import_module(settings.SESSION_ENGINE).SessionStore
keys = []
for number in range(int(sys.argv[1])):
    user = accounts.create(f"reviewer-{number}", "reviewer")
    session = store()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    keys.append(session.session_key)
print(json.dumps(keys))
"""
JUDGE = """
from workers import django; django.setup()
import json
from collections import Counter
from casework import audit
from casework.models import Decision
standing = Counter(Decision.objects.filter(undone_at__isnull=True).values_list("case_id", flat=True))
print(json.dumps({
    "decisions": Decision.objects.count(),
    "undone": Decision.objects.filter(undone_at__isnull=False).count(),
    "decided_twice": sum(n > 1 for n in standing.values()),
    "audit_whole": audit.verify().whole,
}))
"""


@dataclass
class Seen:
    """What the people saw: seconds by act, the server's CPU seconds where they were read, answers, lost claims."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    decided: int = 0
    empty: int = 0


class Until:
    """When people go home: after so many seconds, or when they are told."""

    def __init__(self, seconds: float = float("inf")) -> None:
        self._at = time.monotonic() + seconds

    def now(self) -> None:
        """Let everybody go home."""
        self._at = 0.0

    def __bool__(self) -> bool:
        return time.monotonic() < self._at


class Reviewer(threading.Thread):
    """One person with a session and a connection of their own, who thinks for `think` seconds or up to twice as long.

    `cpu` reads the server's CPU seconds after every request; only somebody who works alone can tell by them.
    """

    def __init__(
        self,
        port: int,
        session: str,
        until: Until,
        seen: Seen,
        lock: threading.Lock,
        seed: int,
        think: float = 0.0,
        cpu: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.session, self.until, self.seen, self.lock = session, until, seen, lock
        self.dice, self.think, self.cpu = random.Random(seed), think, cpu

    def run(self) -> None:
        time.sleep(self.dice.uniform(0, 2 * self.think))  # they do not come in step
        while self.until:
            try:
                self.one()
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self._note("broken connection", 0.0, 599)
                time.sleep(0.2)

    def one(self) -> None:
        """Take a case and decide it."""
        if self.dice.random() < LOOKS_AT_QUEUE:
            self._ask("queue", "GET", "/queue/")
        status, location, _ = self._ask("next", "GET", "/queue/next/")
        found = re.match(r"/cases/(\d+)/", location)
        if status != 302 or found is None:
            with self.lock:
                self.seen.empty += 1
            time.sleep(0.2)
            return
        case = found[1]
        _, _, page = self._ask("case page", "GET", location)
        self._ask("claim", "POST", f"/cases/{case}/claim/", htmx=True)
        if self.think:
            time.sleep(self.think * self.dice.uniform(1, 2))
            self.connection.close()  # the server does not keep it that long; a browser opens another as well
        version = re.search(r'name="version" value="(\d+)"', page)
        finding = self.dice.choice(["dismissed", "confirmed", "escalated"])
        form = f"version={version[1] if version else 0}&finding={finding}&category=illicit_ads"
        status, _, _ = self._ask("decide", "POST", f"/cases/{case}/decide/", form)
        with self.lock:
            self.seen.lost += status == 409
            self.seen.decided += status == 302
        if status == 302 and self.dice.random() < 0.2:
            self._ask("undo", "POST", f"/cases/{case}/undo/", "asked=")

    def _ask(self, act: str, method: str, path: str, form: str = "", *, htmx: bool = False) -> tuple[int, str, str]:
        headers = {"Cookie": f"sessionid={self.session}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} | ({"HX-Request": "true"} if htmx else {})
        used = self.cpu() if self.cpu else 0.0
        began = time.monotonic()
        self.connection.request(method, path, body=form or None, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read().decode()
        self._note(act, time.monotonic() - began, answer.status)
        if self.cpu:
            self.seen.cpu.setdefault(act, []).append(self.cpu() - used)
        return answer.status, answer.headers.get("Location", ""), body

    def _note(self, act: str, seconds: float, status: int) -> None:
        with self.lock:
            self.seen.seconds.setdefault(act, []).append(seconds)
            self.seen.statuses[status] += 1


def main(
    mode: str = "services",
    people: int = 50,
    seconds: int = 60,
    cases: Annotated[int, typer.Option(help="Cases to begin with.")] = 10_000,
    think: Annotated[float, typer.Option(help="Least seconds that a decision takes a person; at most twice so.")] = 5.0,
    alone: Annotated[int, typer.Option(help="Cases that one person decides alone; two more come first, unread.")] = 20,
) -> None:
    """Let people work at once and judge what they left; exit 1 when something was lost or doubled."""
    with installation(mode) as here:
        inside(here, CASES, str(cases))
        keys = json.loads(inside(here, PEOPLE, str(people)))
        port, web = _web(here)
        here.start_workers(1)
        meter = Meter(here.environment)
        seen, lock = Seen(), threading.Lock()
        for number in (2, alone):  # what a process does only once is not what a request costs
            first = Reviewer(port, keys[0], Until(), Seen(), lock, people, cpu=lambda: _cpu(web.pid))
            while first.seen.decided < number:
                first.one()
                if first.seen.empty:
                    web.terminate()
                    raise SystemExit(f"nothing is left for the one who works alone: more than {cases} --cases")
        here.settle(within=60)  # what starting a worker takes is no matter of the people
        seen.cpu, until = first.seen.cpu, Until(seconds)
        crew = [Reviewer(port, key, until, seen, lock, seed, think) for seed, key in enumerate(keys)]
        meter.follow("web", web.pid)
        meter.follow("work", here.workers[0].pid)
        with meter.running():
            everybody = machine_seconds()
            for one in crew:
                one.start()
            for one in crew:
                one.join()
            everybody = machine_seconds() - everybody
        web.terminate()
        web.wait(60)
        here.settle(within=60)
        left = json.loads(inside(here, JUDGE))
    used = meter.seconds()
    Console().print(_table(seen, f"{people} people, {seconds} s, {think:g} s of thought, {mode}"))
    parts = ", ".join(f"{part} {taken:.1f}" for part, taken in sorted(used.items(), key=lambda pair: -pair[1]))
    print(f"CPU seconds meanwhile: {parts}; {sum(used.values()) / everybody:.0%} of what the machine did")
    errors = sum(n for status, n in seen.statuses.items() if status >= 500)
    print(f"decided {seen.decided}, {left}, claims lost {seen.lost}, 5xx {errors}, statuses {dict(seen.statuses)}")
    sys.exit(bool(left["decided_twice"] or seen.lost or errors or not left["audit_whole"]))


def _cpu(pid: int) -> float:
    """Return the CPU seconds that a process and its children have used."""
    root = psutil.Process(pid)
    times = [one.cpu_times() for one in (root, *root.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def _table(seen: Seen, title: str) -> Table:
    table = Table(title=title)
    for column in ("act", "times", "median ms", "p95 ms", "CPU ms (alone)"):
        table.add_column(column, justify="right")
    for act, taken in seen.seconds.items():
        ordered = sorted(taken)
        p95 = ordered[int(0.95 * (len(ordered) - 1))]
        median, used = 1000 * ordered[len(ordered) // 2], seen.cpu.get(act, [])
        cost = f"{1000 * sum(used) / len(used):.0f}" if used else ""
        table.add_row(act, str(len(ordered)), f"{median:.0f}", f"{1000 * p95:.0f}", cost)
    return table


def inside(here: Installation, script: str, *arguments: str) -> str:
    """Run a script in an installation and return its last line."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=here.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.splitlines()[-1]


def _web(here: Installation) -> tuple[int, subprocess.Popen[bytes]]:
    """Start `woodpecker web` on a free port and wait until it answers."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here.environment["WOODPECKER_HTTP_PORT"] = str(port)
    log = (here.folder / "web.log").open("ab")
    web = subprocess.Popen([*WOODPECKER, "web"], env=here.environment, stdout=log, stderr=log)
    for _ in range(240):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return port, web
        except OSError:
            time.sleep(0.5)
    raise SystemExit((here.folder / "web.log").read_text("utf-8", "replace"))


if __name__ == "__main__":
    typer.run(main)
