"""Traps for crawlers, in one table: each is laid on a real server and judged from that server's own log."""

from tests.crawlers.traps import addresses, keeping, pace, reading, robots, transport, walls
from tests.crawlers.traps.ground import TRAPS, Found, Ground, Sprung, Trap, Walk, Walker, serving

__all__ = [
    "TRAPS", "Found", "Ground", "Sprung", "Trap", "Walk", "Walker", "addresses", "keeping", "pace", "reading", "robots",
    "serving", "transport", "walls",
]  # fmt: skip
