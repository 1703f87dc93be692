"""How many sites does one process read at their pace, in how much memory, and how fast against bare Scrapy?

python -m benchmarks.crawl_load [--hosts 200] [--delay 2] [--seconds 30] [--pages 300]

(a) Hosts on loopback (127.x.y.z), each a forum of its own, one process, the given delay: requests made against the
ideal rate, and the most memory that the process took (resident). (b) One forum without delay, read by the crawler and
by a bare Scrapy spider with the same selectors, one after the other, several times in turn.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from benchmarks.system import WOODPECKER
from tests.crawlers.forum import HTML_RECIPE

PORT = 18980
POSTS = 20
THREADS_PER_LIST = 20


def main(
    hosts: int = 200,
    delay: Annotated[float, typer.Option(help="Seconds between two requests of one host.")] = 2.0,
    seconds: Annotated[float, typer.Option(help="How long the hosts are read.")] = 30.0,
    pages: Annotated[int, typer.Option(help="Thread pages of the forum that is read without delay.")] = 300,
    rounds: int = 3,
) -> None:
    """Print both figures."""
    with tempfile.TemporaryDirectory() as folder, _serving(pages) as asked:
        _polite(Path(folder), hosts, delay, seconds, asked)
        _unthrottled(Path(folder), pages, rounds)


def _polite(folder: Path, hosts: int, delay: float, seconds: float, asked: Any) -> None:
    addresses = [f"127.{1 + n // 250}.{n % 250}.1" for n in range(hosts)]
    files = [_site_file(folder, f"host{n}", f"http://{address}:{PORT}/", delay) for n, address in enumerate(addresses)]
    process = _crawl(folder, files, folder / "polite.jsonl")
    measured = psutil.Process(process.pid)
    while asked.value < hosts:  # all have begun
        time.sleep(0.1)
        _still_running(process)
    before, began, most, cpu = asked.value, time.monotonic(), 0, sum(measured.cpu_times()[:2])
    while time.monotonic() - began < seconds:
        time.sleep(0.25)
        most = max(most, measured.memory_info().rss)
        _still_running(process)
    took = time.monotonic() - began
    made, busy = asked.value - before, (sum(measured.cpu_times()[:2]) - cpu) / took
    process.kill()
    process.wait()
    ideal = hosts * took / delay
    print(
        f"{hosts} hosts, {delay:g} s apart, one process, {took:.0f} s: {made} requests, {made / ideal:.1%} of the ideal"
        f" rate; {most / 2**20:.0f} MiB; {busy:.0%} of one core (load of the machine {psutil.getloadavg()[0]:.1f})"
    )


def _unthrottled(folder: Path, pages: int, rounds: int) -> None:
    ours, bare = [], []
    for number in range(rounds):
        site = _site_file(folder, f"fast{number}", f"http://127.0.0.1:{PORT}/", 0)
        process = _crawl(folder, [site], folder / f"fast{number}.jsonl")
        out, _ = process.communicate(timeout=600)
        report = json.loads(out.splitlines()[-1])
        ours.append(report["pages"] / report["seconds"])
        command = [sys.executable, "-m", "benchmarks.bare_spider", f"http://127.0.0.1:{PORT}/list"]
        done = subprocess.run(
            [*command, str(folder / "bare.jsonl")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        bare.append(json.loads(done.stdout)["pages_per_second"])
    print(
        f"without delay, {pages} threads of {POSTS} posts, best of {rounds}: ours {max(ours):.0f} pages/s, bare Scrapy "
        f"{max(bare):.0f} pages/s, {max(ours) / max(bare):.0%}"
    )


def _crawl(folder: Path, sites: list[Path], output: Path) -> subprocess.Popen[str]:
    command = [*WOODPECKER, "crawl", *map(str, sites), "-o", str(output), "--state", str(folder / "state"), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _still_running(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        raise SystemExit(f"the crawl ended early with {process.returncode}")


def _site_file(folder: Path, name: str, url: str, delay: float) -> Path:
    path = folder / f"{name}.yaml"
    values = {
        "title": name, "class": "forum_qa", "basis": {"kind": "owner", "document": "served by the benchmark"},
        "base_url": url, "private_hosts_allowed": True, "delay_seconds": delay, "pages_per_day": 100_000,
        "sections": [{"slug": "all", "title": "all", "start": ["/list"]}], "crawl": HTML_RECIPE,
    }  # fmt: skip
    path.write_text(json.dumps(values), "utf-8")
    return path


@contextmanager
def _serving(threads: int) -> Iterator[Any]:
    """Serve the forum on every loopback address from a process of its own; gives a count of what was asked for."""
    asked, ready = multiprocessing.Value("q", 0), multiprocessing.Event()
    server = multiprocessing.Process(target=_serve, args=(threads, asked, ready), daemon=True)
    server.start()
    if not ready.wait(20):
        raise SystemExit(f"port {PORT} cannot be served")
    yield asked
    server.terminate()
    server.join()


def _serve(threads: int, asked: Any, ready: Any) -> None:
    import asyncio

    from tests.crawlers import forum

    pages: dict[str, str] = {"/robots.txt": "User-agent: *\nDisallow:\n"}

    class Pages:
        def __init__(self) -> None:
            self.pages: dict[str, Any] = pages

    texts = [f"第 {n} 层：今天的晚自习让我印象很深，想听听大家的看法。" for n in range(POSTS)]
    board = {f"t{n}": texts for n in range(threads)}
    forum.put(Pages(), board, per_page=POSTS, threads_per_page=THREADS_PER_LIST)  # type: ignore[arg-type]
    answers = {path: _answer(str(page)) for path, page in pages.items()}
    missing = _answer("", "404 Not Found")

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            asked.value += 1
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
