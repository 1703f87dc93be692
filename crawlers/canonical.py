"""One address for one page, and where a link leads."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

_TRACKING = ("utm_", "spm", "from_source", "share_source", "fbclid", "gclid")


@lru_cache(maxsize=4096)
def canonical(url: str, *, paging_param: str | None = None) -> str:
    """Return the canonical form of an address: sorted query, no fragment, no tracking, no page number.

    The page number is taken out because a unit that moves to another page stays the same unit; `?page=1` and the
    bare address are one page.
    """
    parts = urlsplit(url)
    # Bytes that are not UTF-8 (GBK sites) pass through unharmed.
    query = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    kept = [(name, value) for name, value in query if not name.lower().startswith(_TRACKING) and name != paging_param]
    netloc = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme.lower(), "\0"))
    bare = (parts.scheme.lower(), netloc, parts.path or "/", urlencode(kept, errors="surrogateescape"), "")
    return str(canonicalize_url(urlunsplit(bare)))


def absolute(base_url: str, link: str) -> str | None:
    """Return the address to which a link of a page leads, or None when no page can be asked for there.

    A page may hold any link: `javascript:void(0)` on a button for more, `mailto:`, or one that is no address.
    """
    try:
        url = urljoin(base_url, link)
        parts = urlsplit(url)
        askable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is none
        return None
    return url if askable else None
