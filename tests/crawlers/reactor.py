"""Twisted's reactor in a thread of its own, with a few names that lead to this machine.

The names stand under example.com, which nobody owns: `*.example.com` is this machine, `nowhere.example.com` cannot be
resolved.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Give an event loop driven by Twisted's asyncio reactor, which starts once in a process."""
    from twisted.internet import asyncioreactor

    loop = asyncio.new_event_loop()
    asyncioreactor.install(loop)
    from twisted.internet import reactor

    reactor.installResolver(_names(reactor))
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(reactor.stop)
    thread.join(10)


def _names(reactor: Any) -> Any:
    from twisted.internet import defer, error
    from twisted.internet.base import ThreadedResolver

    class Names(ThreadedResolver):
        def getHostByName(self, name: str, timeout: Any = ()) -> Any:
            if name == "nowhere.example.com":
                return defer.fail(error.DNSLookupError(name))
            if name.endswith(".example.com"):
                return defer.succeed("127.0.0.1")
            return super().getHostByName(name, timeout)

    return Names(reactor)
