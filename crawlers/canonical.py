"""One address for one page."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

_TRACKING = ("utm_", "spm", "from_source", "share_source", "fbclid", "gclid")


def canonical(url: str, *, paging_param: str | None = None) -> str:
    """Return the canonical form of an address: sorted query, no fragment, no tracking, no page number.

    The page number is taken out because a unit that moves to another page stays the same unit; `?page=1` and the
    bare address are one page.
    """
    parts = urlsplit(url)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not name.lower().startswith(_TRACKING) and name != paging_param
    ]
    bare = urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path or "/", urlencode(kept), ""))
    return str(canonicalize_url(bare))
