"""Do many people at once get in each other's way?

python -m benchmarks.reviewers [--mode embedded|services] [--people 50] [--seconds 60]

Simulated reviewers work over HTTP against `woodpecker web`: each takes the next case, opens and claims it, decides it,
and takes one finding in five back. At the end the database is asked: no case decided twice, no claim lost, no 5xx;
latencies are those that the people saw, on this machine with everything that runs on it.
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
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.system import WOODPECKER, Installation, installation

TOKEN = "t" * 32
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
    """What the people saw: seconds by act, answers by status, and claims that somebody else had taken meanwhile."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
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
    """One person with a session and a connection of their own."""

    def __init__(self, port: int, session: str, until: Until, seen: Seen, lock: threading.Lock, seed: int) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.session, self.until, self.seen, self.lock = session, until, seen, lock
        self.dice = random.Random(seed)

    def run(self) -> None:
        while self.until:
            try:
                self._one()
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self._note("broken connection", 0.0, 599)
                time.sleep(0.2)

    def _one(self) -> None:
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
        began = time.monotonic()
        self.connection.request(method, path, body=form or None, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read().decode()
        self._note(act, time.monotonic() - began, answer.status)
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
) -> None:
    """Let people work at once and judge what they left; exit 1 when something was lost or doubled."""
    with installation(mode) as here:
        inside(here, CASES, str(cases))
        keys = json.loads(inside(here, PEOPLE, str(people)))
        port, web = _web(here)
        seen, lock, until = Seen(), threading.Lock(), Until(seconds)
        crew = [Reviewer(port, key, until, seen, lock, seed) for seed, key in enumerate(keys)]
        for one in crew:
            one.start()
        for one in crew:
            one.join()
        web.terminate()
        web.wait(60)
        left = json.loads(inside(here, JUDGE))
    Console().print(_table(seen, mode, people, seconds))
    errors = sum(n for status, n in seen.statuses.items() if status >= 500)
    print(f"decided {seen.decided}, {left}, claims lost {seen.lost}, 5xx {errors}, statuses {dict(seen.statuses)}")
    sys.exit(bool(left["decided_twice"] or seen.lost or errors or not left["audit_whole"]))


def _table(seen: Seen, mode: str, people: int, seconds: int) -> Table:
    table = Table(title=f"{people} people, {seconds} s, {mode}")
    for column in ("act", "times", "median ms", "p95 ms"):
        table.add_column(column, justify="right")
    for act, taken in seen.seconds.items():
        ordered = sorted(taken)
        p95 = ordered[int(0.95 * (len(ordered) - 1))]
        table.add_row(act, str(len(ordered)), f"{1000 * ordered[len(ordered) // 2]:.0f}", f"{1000 * p95:.0f}")
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
