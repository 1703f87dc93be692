"""Who we say we are: one fixed, honest name with a contact address, on every request."""

from __future__ import annotations

from importlib.metadata import version

PRODUCT = "SilverWoodpecker"
"""The product token that a robots.txt may name (RFC 9309 §2.2.1)."""
CRAWLER = f"silver-woodpecker/{version('silver-woodpecker')}"
"""Tool and version, as written into each capture."""


def user_agent(contact: str = "", product: str = PRODUCT) -> str:
    """Return the User-Agent header.

    Args:
        contact: address where a site's operator reaches us; empty only on our own machines.
        product: another name, where an owner has agreed to one.
    """
    return f"{product}/{version('silver-woodpecker')}" + (f" (+{contact})" if contact else "")
