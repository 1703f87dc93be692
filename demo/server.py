"""`Platform`: the HTTP server of the fictional platform, on loopback, with an access log in its data folder."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from logging.handlers import RotatingFileHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from demo import pages
from demo.clock import Clock
from demo.library import load
from demo.world import TICK, World

HOST = "127.0.0.1"
LOG_BYTES = 5_000_000
AGENT = "SilverWoodpecker"
"""Product token by which robots.txt lets our crawler in, as an operator names whom he authorises."""
ROBOTS = f"User-agent: {AGENT}\nDisallow: /private/\n\nUser-agent: *\nDisallow: /\n"
HTML = "text/html; charset=utf-8"

Answer = tuple[HTTPStatus, str, str]
_ROUTE = re.compile(r"/(?P<kind>[stp])/(?P<key>[a-z]{1,20}|\d{1,9})")


class Platform(ThreadingHTTPServer):
    """Serves the world as it stands at the moment of each request.

    Raises:
        OSError: the port is taken.
        OtherSeed: the data folder holds a platform of another seed.
    """

    daemon_threads = True

    def __init__(self, port: int, folder: Path, seed: int | None = None, tick: float = TICK) -> None:
        self._log = logging.Logger("demo.access")  # outside the tree of loggers: each platform has its own
        super().__init__((HOST, port), Handler)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._log.addHandler(RotatingFileHandler(folder / "access.log", maxBytes=LOG_BYTES, backupCount=2))
            self.clock = Clock(folder, seed)
        except BaseException:
            self.server_close()
            raise
        self.world = World(load(), self.clock.seed, tick)
        self._lock = threading.Lock()
        self._in_flight = 0

    def server_close(self) -> None:
        """Stop listening, keep the clock and close the access log."""
        super().server_close()
        if hasattr(self, "clock"):  # not when it never came up
            self.clock.keep()
        for handler in self._log.handlers:
            handler.close()

    def answer(self, target: str) -> Answer:
        """Return status, content type and body for a path with its query."""
        parts = urlsplit(target)
        fixed = _FIXED.get(parts.path)
        if fixed is not None:
            return HTTPStatus.OK, *fixed()
        if parts.path.startswith("/private/"):
            return HTTPStatus.OK, HTML, pages.private()
        with self._lock:
            self.world.advance(self.clock.ran())
            try:
                return HTTPStatus.OK, HTML, self._draw(parts.path, _page_number(parts.query))
            except pages.Gone:
                return HTTPStatus.GONE, HTML, pages.removed()
            except pages.NoSuchPage:
                return HTTPStatus.NOT_FOUND, HTML, pages.missing()

    def _draw(self, path: str, number: int) -> str:
        if path == "/":
            return pages.front(self.world, self.clock.moment)
        route = _ROUTE.fullmatch(path)
        if route is None:
            raise pages.NoSuchPage
        kind, key = route["kind"], route["key"]
        if kind == "s":
            return pages.section(self.world, self.clock.moment, key, number)
        if not key.isdigit():
            raise pages.NoSuchPage
        if kind == "t":
            return pages.thread(self.world, self.clock.moment, int(key), number)
        return pages.post(self.world, self.clock.moment, int(key))

    def enter(self) -> int:
        """Count a request in; return how many are now in flight, this one included."""
        with self._lock:
            self._in_flight += 1
            return self._in_flight

    def leave(self, request: Handler, status: HTTPStatus, started: float, in_flight: int) -> None:
        """Count a request out and log it."""
        with self._lock:
            self._in_flight -= 1
        line = {
            "at": round(started, 3),
            "took": round(time.time() - started, 4),
            "in_flight": in_flight,
            "method": request.command,
            "target": request.path[:300],
            "status": status.value,
            "agent": request.headers.get("User-Agent", "")[:200],
            "cookie": "Cookie" in request.headers,
        }
        self._log.info(json.dumps(line, ensure_ascii=False))


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD, with ETag; nothing can be written to this platform from outside."""

    server: Platform
    protocol_version = "HTTP/1.1"
    server_version = "demo"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        """Answer with a page."""
        self._serve(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with a page's headers."""
        self._serve(with_body=False)

    def log_message(self, *_args: object) -> None:
        """Say nothing on stderr: the access log has it."""

    def _serve(self, *, with_body: bool) -> None:
        started = time.time()
        in_flight = self.server.enter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            status, kind, text = self.server.answer(self.path)
            body = text.encode("utf-8")
            tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
            if status is HTTPStatus.OK and self.headers.get("If-None-Match") == tag:
                status, body = HTTPStatus.NOT_MODIFIED, b""
            self._send(status, kind, tag, body, with_body=with_body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the reader went away
        finally:
            self.server.leave(self, status, started, in_flight)

    def _send(self, status: HTTPStatus, kind: str, tag: str, body: bytes, *, with_body: bool) -> None:
        self.send_response(status)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body and body:
            self.wfile.write(body)


def _page_number(query: str) -> int:
    found = parse_qs(query).get("page", ["1"])[0]
    # no page has the number 0, so anything odd gets a 404
    return int(found) if re.fullmatch(r"[1-9]\d{0,5}", found, re.ASCII) else 0


_FIXED: dict[str, Callable[[], tuple[str, str]]] = {
    "/robots.txt": lambda: ("text/plain; charset=utf-8", ROBOTS),
    "/site.css": lambda: ("text/css; charset=utf-8", pages.STYLE),
    "/about": lambda: (HTML, pages.about()),
}
