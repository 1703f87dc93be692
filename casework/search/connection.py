"""A client of Elasticsearch, made from what the settings say."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from elastic_transport.client_utils import DEFAULT
from elasticsearch import Elasticsearch


def connect(urls: str, authority: Path | None, timeout: float) -> tuple[Elasticsearch, str]:
    """Return a client, and its addresses in words; nothing is asked yet.

    Args:
        urls: `http(s)://user:password@host:port`, of several nodes separated by commas.
        authority: file of the authority that signed their certificates; None: a public one.
        timeout: seconds that an answer may take.
    """
    addresses, credentials = _without_credentials(urls)
    client = Elasticsearch(
        addresses,
        basic_auth=credentials,
        ca_certs=str(authority) if authority else DEFAULT,
        request_timeout=timeout,
        # A node that does not answer is passed over for a while, and the next is asked.
        max_retries=len(addresses),
        retry_on_timeout=False,
    )
    return client, ", ".join(addresses)


def _without_credentials(urls: str) -> tuple[list[str], tuple[str, str] | None]:
    """Take a list of addresses apart: the addresses themselves, and the first user and password that one names."""
    addresses, credentials = [], None
    for url in urls.split(","):
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        addresses.append(urlunsplit((parts.scheme, f"{host}{port}", parts.path, "", "")))
        if credentials is None and parts.username:
            credentials = (unquote(parts.username), unquote(parts.password or ""))
    return addresses, credentials
