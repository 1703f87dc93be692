"""How many sites does one process read at their pace, in how much memory, and how fast against bare Scrapy?

python -m benchmarks.crawl_load [--hosts 200] [--delay 2] [--seconds 30] [--pages 300]

(a) Hosts on loopback (127.x.y.z), each a forum of its own, one process, the given delay: requests made against the
ideal rate, and the most memory that the process took (resident). (b) One forum without delay, read by the crawler and
by a bare Scrapy spider with the same selectors, one after the other, several times in turn.

Rates depend on what else the machine does; the processor's time for a page hardly does. It is the difference between a
run over the forum and one over a single thread of it, so that the start of the process does not count.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from benchmarks.system import WOODPECKER
from tests.crawlers.forum import HTML_RECIPE

PORT = 18980
POSTS = 20
THREADS_PER_LIST = 20


@dataclass
class Counts:
    """What the server counts: the requests, and the hosts of its that were asked."""

    requests: Any
    hosts: Any


def main(
    hosts: Annotated[int, typer.Option(help="Hosts that are read side by side; 0 leaves that part out.")] = 200,
    delay: Annotated[float, typer.Option(help="Seconds between two requests of one host.")] = 2.0,
    seconds: Annotated[float, typer.Option(help="How long the hosts are read.")] = 30.0,
    pages: Annotated[int, typer.Option(help="Thread pages of the forum that is read without delay.")] = 300,
    rounds: Annotated[int, typer.Option(help="How often each reads it; 0 leaves that part out.")] = 3,
) -> None:
    """Print both figures."""
    with tempfile.TemporaryDirectory() as folder, _serving(pages) as (counts, server):
        if hosts:
            _polite(Path(folder), hosts, delay, seconds, counts, server)
        if rounds:
            _unthrottled(Path(folder), pages, rounds)


def _polite(folder: Path, hosts: int, delay: float, seconds: float, counts: Counts, server: psutil.Process) -> None:
    asked = counts.requests
    addresses = [f"127.{1 + n // 250}.{n % 250}.1" for n in range(hosts)]
    files = [_site_file(folder, f"host{n}", f"http://{address}:{PORT}/", delay) for n, address in enumerate(addresses)]
    began = time.monotonic()
    process = _crawl(folder, files, folder / "polite.jsonl")
    measured = psutil.Process(process.pid)
    while counts.hosts.value < hosts:  # until all have begun
        time.sleep(0.1)
        _still_running(process)
    started, most = (time.monotonic() - began, _busy(measured)), 0
    before, began, cpu, serving = asked.value, time.monotonic(), _busy(measured), _busy(server)
    while time.monotonic() - began < seconds:
        time.sleep(0.25)
        most = max(most, measured.memory_info().rss)
        _still_running(process)
    took, made = time.monotonic() - began, max(asked.value - before, 1)
    busy, serving = _busy(measured) - cpu, _busy(server) - serving
    process.kill()
    process.wait()
    ideal = hosts * took / delay
    print(
        f"{hosts} hosts, {delay:g} s apart, one process, {took:.0f} s: {made} requests, {made / ideal:.1%} of the ideal"
        f" rate; {most / 2**20:.0f} MiB; {busy / took:.0%} of one core, {busy / made * 1000:.1f} ms of processor time "
        f"a request; the server took {serving / took:.0%}; all had begun after {started[0]:.0f} s and "
        f"{started[1]:.1f} s of processor time (load of the machine {psutil.getloadavg()[0]:.1f})"
    )


@dataclass
class Costs:
    """What reading the forum cost in the best of several rounds."""

    rate: float = 0.0
    """Pages a second, by the clock."""
    start: float = math.inf
    """Seconds of processor time that a single thread takes: the start of the process above all."""
    whole: float = math.inf
    """Seconds of processor time that the forum takes."""
    pages: int = 0
    """Pages that the forum has more than the single thread."""

    @property
    def page(self) -> float:
        """Milliseconds of processor time for a page."""
        return (self.whole - self.start) / self.pages * 1000


def _unthrottled(folder: Path, pages: int, rounds: int) -> None:
    ours, bare = Costs(), Costs()
    for number in range(rounds):
        _measure(ours, *(_ours(folder, f"{path}{number}", path) for path in ("list", "few")))
        _measure(bare, *(_bare(folder, path) for path in ("list", "few")))
    print(
        f"without delay, {pages} threads of {POSTS} posts, best of {rounds}: ours {ours.rate:.0f} pages/s, bare Scrapy "
        f"{bare.rate:.0f} pages/s, {ours.rate / bare.rate:.0%}; processor time a page {ours.page:.2f} ms and "
        f"{bare.page:.2f} ms, {bare.page / ours.page:.0%}; to start {ours.start:.2f} s and {bare.start:.2f} s "
        f"(load of the machine {psutil.getloadavg()[0]:.1f})"
    )


def _measure(costs: Costs, whole: tuple[int, float, float], single: tuple[int, float, float]) -> None:
    """Keep the best of what was measured, each as (pages, seconds by the clock, seconds of processor time)."""
    costs.pages = whole[0] - single[0]
    costs.rate = max(costs.rate, whole[0] / whole[1])
    costs.whole, costs.start = min(costs.whole, whole[2]), min(costs.start, single[2])


def _ours(folder: Path, name: str, start: str) -> tuple[int, float, float]:
    site = _site_file(folder, name, f"http://127.0.0.1:{PORT}/", 0, start)
    said, cpu = _finished(_crawl(folder, [site], folder / f"{name}.jsonl"))
    return said["pages"], said["seconds"], cpu


def _bare(folder: Path, start: str) -> tuple[int, float, float]:
    command = [sys.executable, "-m", "benchmarks.bare_spider", f"http://127.0.0.1:{PORT}/{start}"]
    said, cpu = _finished(subprocess.Popen([*command, str(folder / "bare.jsonl")], stdout=subprocess.PIPE, text=True))
    return said["pages"], said["seconds"], cpu


def _finished(process: subprocess.Popen[str]) -> tuple[dict[str, Any], float]:
    """Return the last line that a process says, and its seconds of processor time."""
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{process.args!r} ended with {process.returncode}")
    return json.loads(said.splitlines()[-1]), used.ru_utime + used.ru_stime


def _busy(process: psutil.Process) -> float:
    """Return the seconds of processor time that a process has taken."""
    return float(sum(process.cpu_times()[:2]))


def _crawl(folder: Path, sites: list[Path], output: Path) -> subprocess.Popen[str]:
    command = [*WOODPECKER, "crawl", *map(str, sites), "-o", str(output), "--state", str(folder / "state"), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _still_running(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        raise SystemExit(f"the crawl ended early with {process.returncode}")


def _site_file(folder: Path, name: str, url: str, delay: float, start: str = "list") -> Path:
    path = folder / f"{name}.yaml"
    values = {
        "title": name, "class": "forum_qa", "basis": {"kind": "owner", "document": "served by the benchmark"},
        "base_url": url, "private_hosts_allowed": True, "delay_seconds": delay, "pages_per_day": 100_000,
        "sections": [{"slug": "all", "title": "all", "start": [f"/{start}"]}], "crawl": HTML_RECIPE,
    }  # fmt: skip
    path.write_text(json.dumps(values), "utf-8")
    return path


@contextmanager
def _serving(threads: int) -> Iterator[tuple[Counts, psutil.Process]]:
    """Serve the forum on every loopback address; gives what is counted, and the process that answers."""
    counts, ready = Counts(multiprocessing.Value("q", 0), multiprocessing.Value("q", 0)), multiprocessing.Event()
    server = multiprocessing.Process(target=_serve, args=(threads, counts, ready), daemon=True)
    server.start()
    if not ready.wait(20):
        raise SystemExit(f"port {PORT} cannot be served")
    yield counts, psutil.Process(server.pid)
    server.terminate()
    server.join()


def _serve(threads: int, counts: Counts, ready: Any) -> None:
    import asyncio

    from tests.crawlers import forum

    pages: dict[str, str] = {"/robots.txt": "User-agent: *\nDisallow:\n"}

    class Pages:
        def __init__(self) -> None:
            self.pages: dict[str, Any] = pages

    texts = [f"第 {n} 层：今天的晚自习让我印象很深，想听听大家的看法。" for n in range(POSTS)]
    board = {f"t{n}": texts for n in range(threads)}
    forum.put(Pages(), board, per_page=POSTS, threads_per_page=THREADS_PER_LIST)  # type: ignore[arg-type]
    pages["/few"] = forum.listed("t0", "/t/t0", POSTS - 1)
    answers = {path: _answer(str(page)) for path, page in pages.items()}
    missing = _answer("", "404 Not Found")
    hosts: set[str] = set()

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            hosts.add(transport.get_extra_info("sockname")[0])

        def data_received(self, data: bytes) -> None:
            counts.requests.value += 1
            counts.hosts.value = len(hosts)
            self.transport.write(answers.get(data.split(b" ", 2)[1].decode(), missing))

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, "0.0.0.0", PORT, backlog=1000)
        ready.set()
        await server.serve_forever()

    asyncio.run(serve())


def _answer(body: str, status: str = "200 OK") -> bytes:
    content = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


if __name__ == "__main__":
    typer.run(main)
