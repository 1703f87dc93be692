"""A TLS proxy before a server of the tests, with a certificate of an authority of its own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from tests.servers.certificates import issued


@contextmanager
def terminated(port: int, folder: Path) -> Iterator[tuple[int, Path]]:
    """Speak TLS on 127.0.0.1 for the server at `port`; gives the port and the file of the authority."""
    authority, chain = issued(folder, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    started: Future[tuple[int, Callable[[], None]]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(port, context, started)))
    thread.start()
    own_port, stop = started.result(10)
    try:
        yield own_port, authority
    finally:
        stop()
        thread.join(10)


async def _serve(port: int, context: ssl.SSLContext, started: Future[tuple[int, Callable[[], None]]]) -> None:
    """Serve until what is told in `started` is called; connections end with it."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        loop.call_soon_threadsafe(ended.set)

    server = await asyncio.start_server(lambda *ends: _join(port, *ends), "127.0.0.1", 0, ssl=context)
    started.set_result((server.sockets[0].getsockname()[1], stop))
    await ended.wait()
    server.close()


async def _join(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there, back = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_carry(reader, back), _carry(there, writer), return_exceptions=True)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    finally:
        target.close()
