"""A site that a test serves itself, over real HTTP on loopback, and whose log says what the crawler did."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

ENOUGH_BYTES = 40_000_000
"""Where a body that never ends does end, for crawlers that would read on."""
ALLOW_ALL = "User-agent: *\nDisallow:\n"


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it; `at` and `answered` in seconds of the monotonic clock."""

    target: str
    headers: Mapping[str, str]
    at: float
    answered: float
    in_flight: int
    method: str

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path


@dataclass(frozen=True)
class Reply:
    """An answer; with `stream` its body never ends, with `silent` the connection is closed instead."""

    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    stream: bool = False
    silent: bool = False


Page = str | Reply | Callable[["Query"], "str | Reply"]
Query = dict[str, str]


class Site(ThreadingHTTPServer):
    """Pages by path; a page may be a function of its query. What is not there answers 404; robots.txt allows all.

    With a certificate it speaks TLS. `sent` counts the bytes of bodies.
    """

    daemon_threads = True

    def __init__(self, certificate: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), _Handler)
        self.scheme = "http"
        if certificate is not None:
            self.scheme = "https"
            self.socket = certificate.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.sent = 0
        self.pages: dict[str, Page] = {"/robots.txt": Reply(ALLOW_ALL, headers={"Content-Type": "text/plain"})}
        self.log: list[Asked] = []
        self.in_flight = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away: a trap makes them do so."""

    @property
    def url(self) -> str:
        """Root of the site."""
        return self.url_at(str(self.server_address[0]))

    def url_at(self, host: str) -> str:
        """Root of the site under another name of this machine."""
        return f"{self.scheme}://{host}:{self.server_port}/"

    def asked(self, *, robots: bool = False) -> list[str]:
        """Return the targets in the order in which they were asked for; robots.txt only when wanted."""
        return [one.target for one in self.log if robots or one.path != "/robots.txt"]

    def answer(self, target: str) -> Reply:
        """Return what stands at a target."""
        parts = urlsplit(target)
        page = self.pages.get(target, self.pages.get(unquote(target)))
        if page is None and callable(self.pages.get(parts.path)):
            page = self.pages[parts.path]
        if page is None:
            return Reply("<p>没有这个页面</p>", 404)
        if callable(page):
            page = page({name: values[-1] for name, values in parse_qs(parts.query).items()})
        return page if isinstance(page, Reply) else Reply(page)


class _Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        at = time.monotonic()
        with self.server.lock:
            self.server.in_flight += 1
            in_flight = self.server.in_flight
            reply = self.server.answer(self.path)
        time.sleep(reply.seconds)
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        with self.server.lock:  # before the answer leaves, so that whoever has it finds it in the log
            self.server.in_flight -= 1
            now = time.monotonic()
            self.server.log.append(Asked(self.path, dict(self.headers), at, now, in_flight, self.command))
        if reply.silent:
            self.close_connection = True
            return
        self.send_response(reply.status)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))} | dict(reply.headers)
        if reply.status == 304 or reply.stream:
            del headers["Content-Length"]
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            while self.server.sent < ENOUGH_BYTES and reply.stream:
                self._send(body)
            if reply.status != 304:
                self._send(body)
        except OSError:  # it has seen enough
            self.close_connection = True
        self.close_connection |= reply.stream

    def _send(self, body: bytes) -> None:
        for start in range(0, len(body), 65536):
            self.wfile.write(body[start : start + 65536])
            self.server.sent += len(body[start : start + 65536])

    def log_message(self, *_arguments: object) -> None:
        pass
