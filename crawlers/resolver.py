"""Names are resolved to public addresses only, at the very moment of connecting."""

from __future__ import annotations

from typing import Any

from scrapy.resolver import CachingThreadedResolver

from crawlers.gate import is_public


class PrivateAddress(OSError):
    """A host name leads to a loopback, private or link-local address."""


class PublicResolver(CachingThreadedResolver):
    """Scrapy's resolver, refusing private addresses: a name that changed since the gate looked is caught here.

    Names in the setting `WOODPECKER_PRIVATE_HOSTS` are those whose policy allows private addresses.
    """

    private: frozenset[str] = frozenset()

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> PublicResolver:
        """Make it for one process."""
        resolver: PublicResolver = super().from_crawler(crawler, reactor)
        resolver.private = frozenset(crawler.settings.getlist("WOODPECKER_PRIVATE_HOSTS"))
        return resolver

    def getHostByName(self, name: str, timeout: Any = ()) -> Any:  # noqa: N802 - Twisted's name
        """Return a Deferred of the address."""
        found = super().getHostByName(name, timeout)
        return found if name in self.private else found.addCallback(_checked, name)


def _checked(address: str, name: str) -> str:
    if not is_public(address):
        raise PrivateAddress(f"host {name} has the private address {address}")
    return address
