"""Why a page could not be fetched, in words for the report."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from OpenSSL import SSL
from scrapy import exceptions
from service_identity import VerificationError

from crawlers.render import TooLarge
from crawlers.resolver import PrivateAddress

_BROKEN = "the compression is broken"
_UNPACKERS = frozenset({"brotli", "brotlicffi", "_brotli", "zstandard", "_zstd", "compression", "backports"})
_KINDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (PrivateAddress, "the name leads to a private address"),
    ((SSL.Error, VerificationError), "TLS: the certificate or the connection cannot be trusted"),
    (exceptions.CannotResolveHostError, "the name cannot be resolved"),
    (exceptions.DownloadConnectionRefusedError, "the connection was refused"),
    (exceptions.DownloadTimeoutError, "no answer in time"),
    (exceptions.ResponseDataLossError, "the body was cut off"),
    (exceptions.DownloadCancelledError, "the page is too large"),
    (exceptions.DownloadFailedError, "the connection broke"),
    (TimeoutError, "no answer in time"),
    (exceptions.NotSupported, "not a text page"),
    (ValueError, "an address that is none"),
    ((zlib.error, EOFError, OSError), _BROKEN),
)


def told(error: BaseException) -> str:
    """Return the kind of a failure; an unknown one by its class."""
    if isinstance(error, TooLarge):
        return str(error)
    if isinstance(error, exceptions.IgnoreRequest):  # Scrapy's own; the gate's refusals are counted elsewhere
        return "the page is too large, unpacked" if error.__cause__ else "too many redirects"
    chain = list(_chain(error))
    for kinds, words in _KINDS:
        if any(isinstance(one, kinds) for one in chain):
            return words
    # The libraries for br and zstd have errors of their own, and may be other ones on another machine.
    return _BROKEN if type(error).__module__.split(".")[0] in _UNPACKERS else type(error).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, its causes, and the reasons that Twisted keeps in a list."""
    while error is not None:
        yield error
        for reason in getattr(error, "reasons", ()):
            yield from _chain(reason.value)
        error = error.__cause__
