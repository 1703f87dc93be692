"""A certificate that we make ourselves, for servers of the tests that speak TLS."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tests.servers.certificates import issued

HOST = "secure.example.com"


@lru_cache
def made(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for `HOST`, which only those trust who are told to: the authority, and what a server needs."""
    return issued(folder, HOST)


def context(folder: Path) -> ssl.SSLContext:
    """Return what a server needs to present the certificate."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(made(folder)[1])
    return found


@contextlib.contextmanager
def trusted(folder: Path) -> Iterator[None]:
    """Let this process trust our certificate for a while (OpenSSL reads SSL_CERT_FILE)."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(made(folder)[0])
    try:
        yield
    finally:
        os.environ.pop("SSL_CERT_FILE")
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before
