"""Does a crawl of a real site bring everything, each once, and afterwards what changed and nothing else?

python -m benchmarks.real_sites SITE.yaml [--tag REGEX] [--change COMMAND] [--later SECONDS]

SITE.yaml is the file that `woodpecker site new` made for a server that you run yourself. Each run is a process of its
own with the memory of the one before: the first, a second at once afterwards, and, when COMMAND has changed what the
server holds, a third. Nobody waits until what no list announces is due: the memory's times are moved back. A tag, such
as [12-3], names each seeded text, so that what is missing and what came twice can be counted. Prints what stands in
docs/crawling.md.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from scrapy import Request, signals
from scrapy.crawler import Crawler

from config.policy import load_site
from crawlers import crawl as crawling
from crawlers.capture import Capture

KEY = b"benchmark"
SHOWN = 60
"""Most requests of a run of which the addresses are told."""
_asked: list[Request] = []


class Tracer:
    """Notes every request that is sent, and the thread for which."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Listen to one crawl."""
        tracer = cls()
        crawler.signals.connect(tracer.note, signal=signals.request_reached_downloader)
        return tracer

    def note(self, request: Request) -> None:
        """Note a request."""
        _asked.append(request)


def main(
    file: Annotated[str, typer.Argument(metavar="SITE.yaml", help="The site's file.")],
    tag: Annotated[str, typer.Option(metavar="REGEX", help="What names a seeded text.")] = r"\[(\d+-\d+)\]",
    change: Annotated[str, typer.Option(metavar="COMMAND", help="Changes what the server holds.")] = "",
    later: Annotated[float, typer.Option(metavar="SECONDS", help="How much later the third run is.")] = 660,
    recheck: Annotated[bool, typer.Option("--recheck", help="The third run looks at everything.")] = False,
    once: Annotated[Path | None, typer.Option(metavar="DIR", hidden=True)] = None,
) -> None:
    """Print what each run brought and what it asked for; exit 1 when a second look brings anything."""
    if once is not None:
        print(json.dumps(_crawl(file, once, tag, recheck=recheck)))
        return
    with tempfile.TemporaryDirectory() as folder:
        first, second = _apart(file, folder, tag), _apart(file, folder, tag)
        _tell("first run", first)
        _tell("second run", second)
        if change:
            subprocess.run(change, shell=True, check=True)
            _age(Path(folder) / f"{load_site(file).name}.sqlite3", later)
            _tell("after the change", _apart(file, folder, tag, *(["--recheck"] if recheck else [])))
    sys.exit(1 if second["captures"] else 0)


def _apart(*arguments: str) -> dict[str, Any]:
    file, folder, tag, *options = arguments
    command = [sys.executable, "-m", "benchmarks.real_sites", file, "--tag", tag, "--once", folder, *options]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return told


def _crawl(file: str, folder: Path, tag: str, *, recheck: bool) -> dict[str, Any]:
    """Crawl in this process and return the counts."""
    usual = crawling.settings
    vars(crawling)["settings"] = lambda *arguments: usual(*arguments) | {"EXTENSIONS": {Tracer: 0}}
    captures: list[Capture] = []
    report = crawling.crawl(
        load_site(file), state_dir=folder, key=KEY, on_capture=captures.append, recheck=recheck, contact="benchmark"
    )
    tags = Counter(found[1] for one in captures if (found := re.search(tag, one.text)))
    threads = Counter(request.cb_kwargs["thread"].key for request in _asked if "thread" in request.cb_kwargs)
    changed = {one.thread for one in captures}
    return {
        "captures": len(captures),
        "edited": report.edited,
        "tags": len(tags),
        "twice": sum(n - 1 for n in tags.values()),
        "kinds": dict(Counter(one.kind for one in captures)),
        "requests": report.requests,
        "lists": sum("visit" in request.cb_kwargs and "thread" not in request.cb_kwargs for request in _asked),
        "thread_requests": sum(threads.values()),
        "most_for_a_thread": max(threads.values(), default=0),
        "threads_changed": len(changed),
        "addresses": [request.url for request in _asked] if len(_asked) <= SHOWN else [],
        "units": report.units,
        "seconds": round(report.seconds, 1),
        "failed": dict(report.failed),
        "refused": dict(report.refused),
        "truncated": report.truncated_threads,
    }


def _age(memory: Path, seconds: float) -> None:
    """Move back what a crawler remembers of when it looked at what."""
    with sqlite3.connect(memory) as db:
        for table, columns in (("thread", ("checked_at", "changed_at")), ("page", ("looked_at",)),
                               ("whole", ("looked_at", "changed_at"))):  # fmt: skip
            moved = ", ".join(f"{column}={column}-:seconds" for column in columns)
            db.execute(f"UPDATE {table} SET {moved}", {"seconds": seconds})


def _tell(name: str, told: dict[str, Any]) -> None:
    each = told["requests"] / told["captures"] if told["captures"] else 0.0
    print(f"{name}: {told['captures']} captures ({told['edited']} edited), {told['tags']} tags, {told['twice']} twice, "
          f"{told['requests']} requests ({each:.2f} for each capture)")  # fmt: skip
    print(f"  {json.dumps(told, ensure_ascii=False)}")


if __name__ == "__main__":
    typer.run(main)
