"""The stored response behind a capture: a WARC record, sealed, and beside it what may be known without opening it.

A record holds what was asked, what was answered and how it came about (ISO 28500: request, response, metadata). It has
personal data in it, so it lies on the disk encrypted only (Fernet: AES-128-CBC with HMAC-SHA-256), under the SHA-256 of
what it holds. Without a key nothing but the metadata is kept, and of a page that asks not to be archived neither.
Source: 法发〔2016〕22号 Arts 4 and 5; docs/evidence.md.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from scrapy.http import Headers, Response
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from config.site_policy import SitePolicy
from crawlers.addresses import masked
from crawlers.agent import CRAWLER

SCHEME = "sha256:"
SEALED = ".warc.gz.sealed"
RULE = "woodpecker_rule"
"""Under which the middleware leaves the robots decision with a request."""
_WITH_ADDRESSES = frozenset({"location", "content-location", "link", "refresh"})
_DROPPED = frozenset({"content-encoding", "transfer-encoding", "content-length", "set-cookie"})
"""Headers that no longer fit a body that Scrapy has unpacked, or that a record has no need of."""


class WrongKey(Exception):
    """A key is none, or not the one with which a record was sealed."""


class Missing(Exception):
    """There is no such record, or nothing but its metadata was kept."""


class Damaged(Exception):
    """A record is not what its name says."""


@dataclass(frozen=True)
class Keys:
    """Keys that seal and open records: the first seals, all open."""

    fernet: MultiFernet

    @classmethod
    def of(cls, value: str) -> Keys | None:
        """Return the keys of a setting, separated by commas; None when it is empty.

        Raises:
            WrongKey: one of them is no key.
        """
        parts = [part.strip() for part in value.split(",") if part.strip()]
        try:
            return cls(MultiFernet([Fernet(part) for part in parts])) if parts else None
        except ValueError as error:
            raise WrongKey(
                "WOODPECKER_EVIDENCE_KEY: found something else; allowed: 32 bytes as URL-safe base64, several "
                "separated by commas; make one with: woodpecker evidence key"
            ) from error


class EvidenceStore:
    """Keeps the responses of crawls in a folder, each under its digest; what is named was written before.

    Args:
        folder: where they lie.
        keys: what seals them; None keeps metadata and digest only.
        operator: whom the record names as having asked.
        mask: key of the marks in place of personal data in addresses (crawlers/addresses.py), which stand in the open
            metadata; the sealed record has them as they are.
    """

    def __init__(self, folder: Path, keys: Keys | None, operator: str, mask: bytes) -> None:
        self._folder, self._keys, self._operator, self._mask = folder, keys, operator, mask
        self._kept: WeakKeyDictionary[Response, str] = WeakKeyDictionary()
        self._policies: dict[str, tuple[SitePolicy, str]] = {}

    def keep(
        self, response: Response, policy: SitePolicy, *, content: bool = True, stored_at: datetime | None = None
    ) -> str:
        """Store a response, once, and return its reference; when it returns, it survives a kill.

        Args:
            response: the answer, as Scrapy hands it over.
            policy: under which it was asked for.
            content: False keeps metadata and digest only, as for a page that asks not to be archived.
            stored_at: when somebody else stored it, from whom it was imported; None: it was answered to us just now.

        Raises:
            OSError: the folder cannot be written.
        """
        if response in self._kept:
            return self._kept[response]
        now = stored_at or datetime.now(UTC)
        told = _metadata(response, policy, self._operator, now)
        told |= {"policy_sha256": self._digest(policy), "source": "import" if stored_at else "crawl"}
        record = _warc(response, told, now)
        digest = hashlib.sha256(record).hexdigest()
        sealed = content and self._keys is not None
        if sealed and self._keys:
            _write(_path(self._folder, digest, SEALED), self._keys.fernet.encrypt(record))
        told = _in_the_open(told, self._mask) | {
            "record_sha256": digest,
            "record_bytes": len(record),
            "kept": "sealed record" if sealed else "metadata",
        }
        _write(_path(self._folder, digest, ".json"), json.dumps(told, ensure_ascii=False, indent=1).encode())
        self._kept[response] = SCHEME + digest
        return SCHEME + digest

    def _digest(self, policy: SitePolicy) -> str:
        """Return the digest of a policy, which is the same for all pages of a run."""
        kept = self._policies.get(policy.name)
        if kept is None or kept[0] is not policy:
            kept = self._policies[policy.name] = policy, policy.digest
        return kept[1]


def beside(captures: Path) -> Path | None:
    """Return the folder for the responses behind a file of captures; None beside a pipe or a device."""
    plain = captures.is_file() or not captures.exists()
    return captures.with_name(f"{captures.name}.evidence") if plain else None


def take_along(source: Path, folder: Path, reference: str, keys: Keys | None, mask: bytes) -> None:
    """Copy a stored response into another folder, once; what is known of it is read from the record itself.

    Raises:
        Missing, WrongKey, Damaged: it cannot be opened, so that nobody knows what it is.
        OSError: the folder cannot be written.
    """
    digest = digest_of(reference)
    if _path(folder, digest, ".json").exists():
        return
    record = unseal(source, reference, keys)
    told = next((one for kind, one in _parts(record) if kind == "metadata"), b"")
    try:
        known = _in_the_open(json.loads(told), mask) | {
            "record_sha256": digest,
            "record_bytes": len(record),
            "kept": "sealed record",
        }
    except (ValueError, TypeError) as error:
        raise Damaged(f"{reference}: the record says nothing of itself") from error
    assert keys is not None
    _write(_path(folder, digest, SEALED), keys.fernet.encrypt(record))
    _write(_path(folder, digest, ".json"), json.dumps(known, ensure_ascii=False, indent=1).encode())


def _in_the_open(told: dict[str, Any], mask: bytes) -> dict[str, Any]:
    """Return what may be known of a response without opening it: its addresses, those in headers too, are masked."""
    asked_for = [masked(address, mask) for address in told["asked_for"]]
    headers = [(name, masked(value, mask) if name.lower() in _WITH_ADDRESSES else value)
               for name, value in told["headers"]]  # fmt: skip
    return told | {"url": masked(told["url"], mask), "asked_for": asked_for, "headers": headers}


def _parts(record: bytes) -> Iterator[tuple[str, bytes]]:
    for part in ArchiveIterator(io.BytesIO(record)):
        yield part.rec_type, part.content_stream().read()


def metadata(folder: Path, reference: str) -> dict[str, Any]:
    """Return what is known of a stored response without opening it.

    Raises:
        Missing: there is no such record.
        Damaged: the file is not what was written.
    """
    try:
        told = json.loads(_path(folder, digest_of(reference), ".json").read_bytes())
    except FileNotFoundError as error:
        raise Missing(f"{reference}: no such stored response; it may have been deleted by retention") from error
    except ValueError as error:
        raise Damaged(f"{reference}: what is known of it is not JSON") from error
    if not isinstance(told, dict):
        raise Damaged(f"{reference}: what is known of it is not an object")
    return told


def unseal(folder: Path, reference: str, keys: Keys | None) -> bytes:
    """Return the WARC record (packed) of a stored response.

    Raises:
        Missing: there is no such record, or nothing but its metadata was kept.
        WrongKey: there is no key, or not the right one.
        Damaged: what was stored is not what its name says.
    """
    try:
        sealed = _path(folder, digest_of(reference), SEALED).read_bytes()
    except FileNotFoundError as error:
        kept = metadata(folder, reference).get("kept", "metadata")
        raise Missing(f"{reference}: of this response only the {kept} was kept") from error
    if keys is None:
        raise WrongKey("WOODPECKER_EVIDENCE_KEY: found nothing; allowed: the key with which records were sealed")
    try:
        record = keys.fernet.decrypt(sealed)
    except InvalidToken as error:
        raise WrongKey(f"{reference}: the key does not open this record, or its file was changed") from error
    if hashlib.sha256(record).hexdigest() != digest_of(reference):
        raise Damaged(f"{reference}: the record's SHA-256 is another")
    return record


def digest_of(reference: str) -> str:
    """Return the digest that a reference names.

    Raises:
        Missing: it is no reference.
    """
    digest = reference.removeprefix(SCHEME)
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise Missing(f"found {reference[:80]!r}; allowed: {SCHEME} and 64 hex digits")
    return digest


def _path(folder: Path, digest: str, suffix: str) -> Path:
    return folder / digest[:2] / f"{digest}{suffix}"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for the owner alone.

    It is not forced onto the disk: that would hold up every site of the process at each page. After a power cut the
    last seconds' records may be missing, which is told when one is opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _metadata(response: Response, policy: SitePolicy, operator: str, now: datetime) -> dict[str, Any]:
    asked = response.request
    body = hashlib.sha256(response.body).hexdigest()
    return {
        "url": response.url,
        "asked_for": [*(asked.meta.get("redirect_urls", []) if asked else []), response.url],
        "status": response.status,
        "headers": _headers(response.headers),
        "body_sha256": body,
        "body_bytes": len(response.body),
        "fetched_at": {"utc": now.isoformat(), "local": now.astimezone().isoformat()},
        "site": policy.name,
        "basis": {"kind": policy.basis.kind, "document": policy.basis.document},
        "robots": asked.meta.get(RULE, "") if asked else "",
        "operator": operator,
        "tool": CRAWLER,
    }


def _warc(response: Response, told: dict[str, Any], now: datetime) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    moment = {"WARC-Date": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    head = [*_headers(response.headers), ("Content-Length", str(len(response.body)))]
    answer = writer.create_warc_record(
        response.url, "response", io.BytesIO(response.body), len(response.body), "", moment,
        http_headers=StatusAndHeaders(f"{response.status} {_reason(response)}", head, protocol="HTTP/1.1"),
    )  # fmt: skip
    concerns = moment | {"WARC-Concurrent-To": answer.rec_headers.get_header("WARC-Record-ID")}
    asked = _headers(response.request.headers) if response.request else []
    method = response.request.method if response.request else "GET"
    target = response.url.split("/", 3)[-1] if response.url.count("/") > 2 else ""
    request = writer.create_warc_record(
        response.url, "request", io.BytesIO(b""), 0, "", concerns,
        http_headers=StatusAndHeaders(f"{method} /{target} HTTP/1.1", asked, is_http_request=True),
    )  # fmt: skip
    said = json.dumps(told, ensure_ascii=False, indent=1).encode()
    # Under the page's own address a replay tool would show this in place of the page.
    about = writer.create_warc_record(
        f"urn:woodpecker:{response.url}", "metadata", io.BytesIO(said), len(said), "application/json", dict(concerns)
    )
    for record in (answer, request, about):
        writer.write_record(record)
    return buffer.getvalue()


def _headers(headers: Headers) -> list[tuple[str, str]]:
    named: Sequence[tuple[bytes, Sequence[bytes]]] = list(headers.items())
    return [
        (name.decode("latin-1"), value.decode("latin-1").replace("\r", " ").replace("\n", " "))
        for name, values in named
        if name.decode("latin-1").lower() not in _DROPPED
        for value in values
    ]


def _reason(response: Response) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(response.status).phrase
    except ValueError:
        return "-"
