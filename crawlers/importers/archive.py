"""Pages that somebody else stored: WARC files (ISO 28500), packed or not, and WACZ, which holds some.

A page is read with the selectors of the site that it belongs to, as a crawl would read it; nothing is asked for.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from dateutil import parser as dateutil_parser
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from config.policy import Section, SitePolicy
from crawlers import fields, formats, pages, paging
from crawlers.canonical import canonical
from crawlers.evidence import EvidenceStore
from crawlers.importers.jsonl import NotReadable, Problem, Row
from crawlers.sampling import UNKNOWN
from crawlers.units import UnitReader

MAX_PAGE_BYTES = 5 * 1024 * 1024
MAX_ARCHIVES = 10_000
"""Most WARC files in one WACZ."""


def read_warc(
    stream: BinaryIO,
    sites: Sequence[SitePolicy],
    *,
    key: bytes,
    section: str | None = None,
    evidence: EvidenceStore | None = None,
) -> Iterator[tuple[int, Row]]:
    """Yield (record number, capture or what is wrong with it), page by page.

    Args:
        stream: the file.
        sites: those whose pages are looked for; a page of none of them is a problem of its record.
        key: secret for the keyed hashes of contact codes.
        section: where all pages belong; None: the section whose start page leads to them, else the first.
        evidence: keeps the page behind each capture; None keeps none.

    Raises:
        NotReadable: the file is no WARC.
    """
    yield from _Archive(sites, key, section, evidence).read(stream)


def read_wacz(
    stream: BinaryIO,
    sites: Sequence[SitePolicy],
    *,
    key: bytes,
    section: str | None = None,
    evidence: EvidenceStore | None = None,
) -> Iterator[tuple[int, Row]]:
    """As `read_warc`, for every WARC file in a WACZ; records are counted through all of them.

    Raises:
        NotReadable: the file is no WACZ.
    """
    archive = _Archive(sites, key, section, evidence)
    try:
        packed = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError) as error:
        raise NotReadable(f"found no ZIP file ({error}); allowed: a WACZ") from error
    with packed:
        names = [
            name for name in packed.namelist() if name.startswith("archive/") and name.endswith((".warc", ".warc.gz"))
        ]
        if not names or len(names) > MAX_ARCHIVES:
            raise NotReadable(f"found {len(names)} WARC files under archive/; allowed: 1 to {MAX_ARCHIVES}")
        for name in sorted(names):
            try:
                with packed.open(name) as member:
                    yield from archive.read(member)  # type: ignore[arg-type]
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
                yield archive.number, [archive.problem("(record)", f"{name}: {error}", "a whole WARC file")]


class _Archive:
    def __init__(
        self, sites: Sequence[SitePolicy], key: bytes, section: str | None, evidence: EvidenceStore | None
    ) -> None:
        self._hosts = {host: policy for policy in reversed(sites) if policy.crawl for host in policy.allowed_hosts()}
        self._readers = {policy.name: UnitReader(policy, key) for policy in sites}
        self._section, self._evidence = section, evidence
        self._following: dict[str, tuple[str, int]] = {}
        self.number = 0

    def problem(self, field: str, found: str, allowed: str) -> Problem:
        """Return what is wrong with the present record."""
        return Problem(self.number, field, found, allowed, "record")

    def read(self, stream: BinaryIO) -> Iterator[tuple[int, Row]]:
        records = iter(ArchiveIterator(stream))
        began = self.number
        while True:
            self.number += 1
            try:
                record = next(records, None)
                if self.number == began + 1 and not _is_warc(record):
                    raise NotReadable("found no WARC record; allowed: a WARC file")
                if record is None:
                    return
                rows = list(self._rows(record)) if record.rec_type == "response" else []
            except ArchiveLoadFailed as error:
                if self.number == began + 1:
                    raise NotReadable(
                        f"found no WARC record ({str(error).splitlines()[0]}); allowed: a WARC file"
                    ) from error
                yield self.number, [self.problem("(record)", str(error).splitlines()[0], "a whole WARC record")]
                return
            except (OSError, EOFError, ValueError) as error:
                yield self.number, [self.problem("(record)", type(error).__name__, "a whole WARC record")]
                return
            yield from ((self.number, row) for row in rows)

    def _rows(self, record: Any) -> Iterator[Row]:
        url = str(record.rec_headers.get_header("WARC-Target-URI") or "").strip("<>")
        if url.endswith("/robots.txt") or not (record.http_headers and record.http_headers.get_statuscode() == "200"):
            return
        policy = self._hosts.get(urlsplit(url).netloc)
        if policy is None or policy.crawl is None:
            yield [
                self.problem(
                    "WARC-Target-URI", repr(url[:200]), f"an address of {', '.join(sorted(self._hosts)) or 'a site'}"
                )
            ]
            return
        body = record.content_stream().read(MAX_PAGE_BYTES + 1)
        if len(body) > MAX_PAGE_BYTES:
            yield [self.problem("(record)", f"a page of more than {MAX_PAGE_BYTES} bytes", "a smaller page")]
            return
        yield from self._page(_response(url, record.http_headers.headers, body), policy, _moment(record))

    def _page(self, response: Response, policy: SitePolicy, moment: datetime) -> Iterator[Row]:
        assert policy.crawl is not None
        if pages.withheld(response, policy.basis):
            yield [self.problem("(page)", "a page that asks not to be kept", "a page without noindex and noarchive")]
            return
        recipe, reader = policy.crawl.thread, self._readers[policy.name]
        try:
            page = formats.opened(response, recipe)
        except pages.Unreadable as error:
            yield [self.problem("(page)", str(error), f"a page of format {recipe.format}")]
            return
        param = recipe.paging.param if recipe.paging else None
        number = paging.number_of(recipe.paging, response.url)
        usual = (canonical(response.url, paging_param=param), 0)
        own, offset = self._following.get(canonical(response.url), usual)
        known = offset if offset or number == 1 else None
        section = self._section_of(policy, response.url)
        units, _ = reader.read(page, recipe, section, response.url, offset=known)
        if units and (following := paging.following(recipe.paging, page, response, number)):
            self._following[canonical(following)] = (own, offset + len(units))
        for unit in units:
            capture = reader.capture(unit, section, own, response.url, own, UNKNOWN, moment)
            if capture and self._evidence:
                try:
                    kept = self._evidence.keep(response, policy, stored_at=moment)
                except OSError as error:
                    yield [self.problem("(evidence)", str(error.strerror), "a data folder that can be written")]
                    continue
                capture = capture.model_copy(update={"evidence": kept})
            yield capture or [self.problem("(page)", "a unit that no capture can hold", "a text and an address")]
        if not units and not self._is_list(response, policy):
            yield [
                self.problem("(page)", f"nothing that the recipe of {policy.name} fits", "a thread's or a list's page")
            ]

    def _is_list(self, response: Response, policy: SitePolicy) -> bool:
        recipe = policy.crawl.list if policy.crawl else None
        if recipe is None:
            return False
        try:
            return bool(fields.nodes(recipe.items, formats.opened(response, recipe)))
        except pages.Unreadable:
            return False

    def _section_of(self, policy: SitePolicy, url: str) -> Section:
        if self._section:
            return policy.section(self._section)
        path = urlsplit(url).path
        fits = [(len(where), at) for at, one in enumerate(policy.sections) for start in one.start
                if path.startswith(where := urlsplit(start).path.rstrip("/") + "/")]  # fmt: skip
        return policy.sections[max(fits, key=lambda fit: (fit[0], -fit[1]))[1] if fits else 0]


def _response(url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Response:
    kept = {name: value for name, value in headers if name.lower() not in {"content-encoding", "transfer-encoding"}}
    kind: Callable[..., Response] = responsetypes.from_args(
        headers={n.encode(): v.encode("latin-1", "replace") for n, v in kept.items()}, url=url, body=body
    )
    return pages.rightly_decoded(kind(url, headers=kept, body=body))


def _is_warc(record: Any) -> bool:
    return record is not None and record.format == "warc"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _moment(record: Any) -> datetime:
    """Return when the page was stored."""
    try:
        moment = dateutil_parser.isoparse(record.rec_headers.get_header("WARC-Date"))
    except (TypeError, ValueError):
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
