"""Is anything lost or doubled when parts and servers are killed with -9, again and again, during a load?

python -m benchmarks.kills                                             # services, 8,000 texts, 24 kills, own servers
python -m benchmarks.kills --mode embedded --victims work,beat,web,crawl
python -m benchmarks.kills --captures 100000 --kills 200
python -m benchmarks.kills --elasticsearch-away 600 --flush-redis --disk-full 60 --clock-ahead 3600

Captures come from a file, in slices, and from a crawl of a forum on loopback; two people decide cases meanwhile. At
random moments something random is killed outright: a process of `work`, `beat`, `web` or of the crawl, or a server with
all its processes; whatever ended is started again as a supervisor would, and a command that failed is run again. The
outages that are asked for come half-way; a wrong clock comes after a third of the kills and is set right after two
thirds. The disk that fills up is one of its own, in memory, that holds all servers' data and the data folder (mounting
it takes root); the clock is that of `work`, `beat`, `web` and `ingest`.

Judged are the cases at rest against those that the captures must become, worked out without queue or database
(`benchmarks/expected.py`), the index document by document, and the audit chain.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import reviewers
from benchmarks.captures import rows
from benchmarks.expected import Expected, differences, expected
from benchmarks.faults import Outages, small_disk
from benchmarks.supervised import Parts, Repeated, Servers, servers_of
from benchmarks.system import Installation, installation
from deploy.services import system
from tests.crawlers import forum
from tests.crawlers.site import Site
from tests.crawlers.test_kills import site_file

PARTS, SERVERS = ("work", "beat", "web"), ("redis", "postgres", "elasticsearch")
POSTS, PAGES_A_KILL, DELAY = 8, 12, 0.5
PEOPLE = 2
SITE = "test"


def main(
    mode: str = "services",
    captures: Annotated[int, typer.Option(help="Captures that come from a file.")] = 8_000,
    kills: Annotated[int, typer.Option(help="Times that something is killed.")] = 24,
    victims: Annotated[str, typer.Option(help="What may be killed, separated by commas.")] = ",".join(
        (*PARTS, "crawl", *SERVERS)
    ),
    elasticsearch_away: Annotated[float, typer.Option(help="Seconds without Elasticsearch.")] = 0,
    flush_redis: Annotated[bool, typer.Option("--flush-redis", help="Empty the broker.")] = False,
    disk_full: Annotated[float, typer.Option(help="Seconds in which no disk has room.")] = 0,
    clock_ahead: Annotated[float, typer.Option(help="Seconds by which the clock is wrong for a while.")] = 0,
    seed: int = 7,
    state: Annotated[
        Path | None, typer.Option(help="Servers of `deploy.services up --state FILE`, instead of fresh ones.")
    ] = None,
) -> None:
    """Print what was killed and what differs at rest; exit 1 when anything does."""
    chosen = _chosen(victims, mode)
    if disk_full and state:
        raise typer.BadParameter("found with --state; allowed: with servers of its own", param_hint="--disk-full")
    dice, killed = random.Random(seed), Counter[str]()
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk()) if disk_full else None
        servers = stack.enter_context(servers_of(state)) if mode == "services" else Servers([])
        addresses = {f"WOODPECKER_{name}": value for name, value in servers.addresses.items()}
        here = stack.enter_context(installation(mode, addresses))
        here.environment["WOODPECKER_LOST_SECONDS"] = "15"
        outages = Outages(servers, elasticsearch_away, flush_redis, disk, disk_full, clock_ahead)
        outages.prepare(here)
        site = stack.enter_context(Site())
        wanted, slices = _load(here, site, captures, kills)
        keys = json.loads(reviewers.inside(here, reviewers.PEOPLE, str(PEOPLE)))
        here.environment["WOODPECKER_HTTP_PORT"] = str(port := system.free_port())
        parts = Parts(here, PARTS)
        stack.callback(parts.stop)
        crawl = Repeated(outages.by_true_clock(here), [["crawl", SITE]], "crawl.log")
        ingest = Repeated(here, slices, "ingest.log")
        crawl.allow(1)
        seen, lock = reviewers.Seen(), threading.Lock()
        until = reviewers.Until()
        crew = [reviewers.Reviewer(port, key, until, seen, lock, number, think=1.0) for number, key in enumerate(keys)]
        for one in crew:
            one.start()
        began = time.monotonic()
        for number in range(kills):
            ingest.allow(number + 1)
            outages.come(number / kills)
            while ingest.done < number:  # the load goes on as long as the kills do
                time.sleep(0.2)
                killed.update(f"{name} by itself" for name in servers.mend())
            victim = _kill(chosen, parts, crawl, servers, dice)
            print(f"{time.monotonic() - began:5.0f} s: {victim}", file=sys.stderr, flush=True)
            killed[victim] += 1
            killed.update(f"{name} by itself" for name in servers.mend())
        outages.wait()
        killed.update(f"{name} by itself" for name in servers.mend())
        crawl.finish(1800)
        ingest.finish(1800)
        servers.wait()
        until.now()
        for one in crew:
            one.join(90)
        status = here.rest(within=900)
        seconds = time.monotonic() - began
        found = differences(here, wanted)
        left = json.loads(reviewers.inside(here, reviewers.JUDGE))
        verified = here.run("audit", "verify", "--json")
    found |= {
        "inbox": status["inbox"], "behind": status["search"]["behind"], "failed": status["failed"],
        "documents less cases": status["search"]["documents"] - status["cases"]["total"],
        "decided twice": left["decided_twice"], "audit chain broken": int(verified.returncode != 0),
    }  # fmt: skip
    _report(mode, wanted, killed, found, seconds)
    print(f"ended by themselves: {dict(parts.ended_alone)}; ingest and crawl run again: "
          f"{dict(ingest.failed)}, {dict(crawl.failed)}; decisions {left['decisions']}, undone {left['undone']}, "
          f"audit {verified.stdout.strip()}")  # fmt: skip
    sys.exit(any(found.values()))


def _chosen(victims: str, mode: str) -> list[str]:
    chosen = victims.split(",")
    if wrong := sorted(set(chosen) - {*PARTS, "crawl", *(SERVERS if mode == "services" else ())}):
        raise typer.BadParameter(f"found {', '.join(wrong)}", param_hint="--victims")
    return chosen


def _load(here: Installation, site: Site, captures: int, kills: int) -> tuple[Expected, list[list[str]]]:
    """Write the slices of the file and the forum; return what must become of both, and the commands that ingest."""
    made = list(rows(captures, one_in=5))
    size = -(-captures // max(kills, 1))
    slices = []
    for start in range(0, captures, size):
        slices.append(here.folder / f"slice-{start}.jsonl")
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made[start : start + size])
        slices[-1].write_text(text, "utf-8")
    texts = [row["text"] for row in rows(PAGES_A_KILL * kills * POSTS or POSTS, one_in=5, seed=8)]
    threads = {f"t{number}": texts[at : at + POSTS] for number, at in enumerate(range(0, len(texts), POSTS))}
    forum.put(site, threads, per_page=POSTS, threads_per_page=50)
    folder = here.folder / "policy" / "sites"
    folder.mkdir(parents=True)
    here.environment["WOODPECKER_POLICY_DIR"] = str(folder.parent)
    policy = site_file(site, folder)
    # A crawl that is killed reads pages again; the day's cap of its class would end it before it has read all.
    values = json.loads(policy.read_text("utf-8")) | {"pages_per_day": 1_000_000}
    policy.write_text(json.dumps(values), "utf-8")
    calm = here.folder / "calm.jsonl"
    done = here.run("crawl", str(policy), "-o", str(calm), "--state", str(here.folder / "calm"))
    if done.returncode:
        raise SystemExit(done.stderr)
    policy.write_text(json.dumps(values | {"delay_seconds": DELAY}), "utf-8")
    here.run("status")  # the database is made
    return expected(here, [*slices, calm]), [["ingest", str(one)] for one in slices]


def _kill(victims: list[str], parts: Parts, crawl: Repeated, servers: Servers, dice: random.Random) -> str:
    """Wait a moment, then kill something of what runs; return what."""
    time.sleep(dice.uniform(0.5, 6.0))
    able = [one for one in victims if one in PARTS or one == "crawl" or one in servers.there()]
    while True:
        victim = dice.choice(able)
        if victim in SERVERS:
            servers.kill(victim, away=dice.uniform(0, 3))
            return victim
        if victim in PARTS:
            return parts.kill(victim, dice)
        if crawl.kill():
            return victim
        able.remove("crawl")  # it is done, or is being started


def _report(mode: str, wanted: Expected, killed: Counter[str], found: dict[str, Any], seconds: float) -> None:
    table = Table(title=f"{wanted.captures} captures, {len(wanted.cases)} cases, {mode}, {seconds:.0f} s")
    for column in ("killed with -9", "times", "at rest", "count"):
        table.add_column(column, justify="right" if column in {"times", "count"} else "left")
    left, right = sorted(killed.items()), list(found.items())
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else ("", "")
        other = right[number] if number < len(right) else ("", "")
        table.add_row(one[0], str(one[1]), other[0], str(other[1]))
    table.add_section()
    table.add_row("together", str(sum(killed.values())), "all of them", "RIGHT" if not any(found.values()) else "WRONG")
    Console(width=90).print(table)


if __name__ == "__main__":
    typer.run(main)
