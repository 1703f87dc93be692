"""Does a crawl that is killed with -9 again and again end like an undisturbed one, and keep its manners?

python -m benchmarks.crawl_kills [--kills 30] [--delay 0.1] [--seed 7]

A forum on loopback is read twice: once undisturbed, once killed at random moments, before, during and after requests.
Judged are the captures of the two, and the server's log of the second.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.system import WOODPECKER
from tests.crawlers import forum
from tests.crawlers.site import Site
from tests.crawlers.test_kills import site_file

THREADS, POSTS, PER_PAGE = 60, 8, 5
CLOCK_TOLERANCE = 0.003
"""Seconds by which the server's threads may note a moment late."""


def main(
    kills: Annotated[int, typer.Option(help="Times that the crawl is killed.")] = 30,
    delay: Annotated[float, typer.Option(help="Seconds between two requests.")] = 0.1,
    seed: int = 7,
) -> None:
    """Print what differed; exit 1 when anything did."""
    dice = random.Random(seed)
    with Site() as site, tempfile.TemporaryDirectory() as folder:
        forum.put(site, {f"t{n}": [f"第 {n} 帖第 {m} 层" for m in range(POSTS)] for n in range(THREADS)}, PER_PAGE, 20)
        policy = site_file(site, Path(folder))
        policy.write_text(json.dumps(json.loads(policy.read_text("utf-8")) | {"delay_seconds": delay}), "utf-8")
        calm = _finish(policy, Path(folder) / "calm")
        site.log.clear()
        runs = [0]
        while len(runs) <= kills and _killed_on_the_way(site, policy, Path(folder) / "torn", dice):
            runs.append(len(site.log))
        done = len(runs) - 1
        torn = _finish(policy, Path(folder) / "torn")
        runs.append(len(site.log))
        log = list(site.log)
        site.shutdown()
    asked = [one.target for one in log]
    in_one_run = max(max(Counter(asked[a:b]).values(), default=0) for a, b in itertools.pairwise(runs))
    pauses = [after.at - before.at for before, after in itertools.pairwise(log)]
    repeated, different = len(asked) - len(set(asked)), len(set(calm) ^ set(torn))
    print(
        f"{done} kills; {len(calm)} captures undisturbed, {len(torn)} disturbed, {len(torn) - len(set(torn))} twice, "
        f"{different} different"
    )
    print(
        f"{len(asked)} requests for {len(set(asked))} pages: {repeated / max(done, 1):.2f} repeated for each kill, "
        f"none more than {in_one_run} times between two kills"
    )
    print(f"shortest pause between two requests {min(pauses):.3f} s, of {delay:g} s wanted")
    right = sorted(calm) == sorted(torn) and in_one_run == 1 and min(pauses) >= delay - CLOCK_TOLERANCE
    sys.exit(0 if right else 1)


def _crawl(policy: Path, state: Path) -> subprocess.Popen[bytes]:
    state.mkdir(exist_ok=True)
    command = [*WOODPECKER, "crawl", str(policy), "-o", str(state / "captures.jsonl"), "--state", str(state)]
    environment = os.environ | {"WOODPECKER_DATA_DIR": str(policy.parent)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _killed_on_the_way(site: Site, policy: Path, state: Path, dice: random.Random) -> bool:
    """Kill a crawl at a random moment after its first few requests; return False when it ended before."""
    before, wanted = len(site.log), dice.randrange(5)
    with _crawl(policy, state) as process:
        while len(site.log) - before < wanted:
            time.sleep(0.002)
            if process.poll() is not None:
                return False
        time.sleep(dice.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
    return True


def _finish(policy: Path, state: Path) -> list[str]:
    """Crawl to the end and return the ids of what was captured."""
    with _crawl(policy, state) as process:
        if process.wait(600):
            raise SystemExit(f"the crawl ended with {process.returncode}")
    return [json.loads(line)["id"] for line in (state / "captures.jsonl").read_text("utf-8").splitlines()]


if __name__ == "__main__":
    typer.run(main)
