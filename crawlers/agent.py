"""Who we say we are: one fixed, honest name with a contact address, on every request."""

from __future__ import annotations

from importlib.metadata import version

PRODUCT = "SilverWoodpecker"
"""The product token that a robots.txt may name (RFC 9309 §2.2.1)."""
CRAWLER = f"silver-woodpecker/{version('silver-woodpecker')}"
"""Tool and version, as written into each capture."""


def user_agent(contact: str) -> str:
    """Return the User-Agent header; `contact` is the address where a site's operator reaches us."""
    return f"{PRODUCT}/{version('silver-woodpecker')} (+{contact})"
