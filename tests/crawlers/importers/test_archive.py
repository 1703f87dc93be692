"""Stored pages: the same captures as a crawl brings; what fits no site, is too large or torn is named."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers.capture import Capture
from crawlers.evidence import EvidenceStore, Keys, metadata, unseal
from crawlers.importers import archive
from crawlers.importers.jsonl import NotReadable
from tests.crawlers.conftest import KEY, Crawls
from tests.crawlers.site import Site

Stored = list[tuple[str, bytes, dict[str, str]]]


def warc(stored: Stored, *, packed: bool = True) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=packed)
    for url, body, headers in stored:
        head = StatusAndHeaders(
            "200 OK", list(({"Content-Type": "text/html; charset=utf-8"} | headers).items()), protocol="HTTP/1.1"
        )
        moment = {"WARC-Date": "2026-11-20T08:00:00Z"}
        record = writer.create_warc_record(
            url, "response", payload=io.BytesIO(body), http_headers=head, warc_headers_dict=moment
        )
        writer.write_record(record)
    return buffer.getvalue()


def wacz(*files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("datapackage.json", "{}")
        for number, content in enumerate(files):
            packed.writestr(f"archive/{number}.warc.gz", content)
    return buffer.getvalue()


def read(content: bytes, *sites: Any, form: Callable[..., Any] = archive.read_warc) -> list[Any]:
    return [row for _, row in form(io.BytesIO(content), sites, key=KEY)]


def told(rows: list[Any]) -> list[tuple[int, str, str]]:
    return [(one.line, one.field, one.counted) for row in rows if isinstance(row, list) for one in row]


@pytest.fixture
def stored(site: Site, forum: Callable[..., None]) -> Stored:
    """Every page of a forum of two threads, one of them long, as a crawler would have stored them."""
    forum({"1": [f"第 {n} 条" for n in range(7)], "2": ["加我 13800001234"]})
    paths = [path for path in site.pages if path != "/robots.txt"]
    return [(site.url.rstrip("/") + path, str(site.pages[path]).encode(), {}) for path in sorted(paths)]


def test_stored_pages_bring_the_captures_of_a_crawl(crawls: Crawls, stored: Stored) -> None:
    crawled = {one.id: one for one in crawls.run() if one.kind != "title"}
    rows = read(warc(stored), crawls.policy())

    assert all(isinstance(row, Capture) for row in rows)
    assert {row.id for row in rows} == crawled.keys()
    for row in rows:
        same = crawled[row.id]
        assert (row.text, row.kind, row.position, row.section) == (same.text, same.kind, same.position, same.section)
        assert row.captured_at.isoformat() == "2026-11-20T08:00:00+00:00"


def test_the_page_behind_each_capture_is_kept_sealed_with_the_time_at_which_it_was_stored(
    crawls: Crawls, stored: Stored, tmp_path: Path
) -> None:
    keys = Keys.of(Fernet.generate_key().decode())
    store = EvidenceStore(tmp_path, keys, "", b"mask")
    rows = [row for _, row in archive.read_warc(io.BytesIO(warc(stored)), [crawls.policy()], key=KEY, evidence=store)]

    assert rows
    for row in rows:
        assert isinstance(row, Capture)
        assert row.evidence
        told = metadata(tmp_path, row.evidence)
        assert (told["url"], told["source"], told["fetched_at"]["utc"]) == (
            row.url, "import", "2026-11-20T08:00:00+00:00",
        )  # fmt: skip
        assert unseal(tmp_path, row.evidence, keys)


@pytest.mark.parametrize("packed", [True, False])
def test_it_does_not_matter_how_pages_are_packed(crawls: Crawls, stored: Stored, packed: bool) -> None:
    plain = {row.id for row in read(warc(stored), crawls.policy())}
    squeezed = [(url, gzip.compress(body), {"Content-Encoding": "gzip"}) for url, body, _ in stored]

    assert {row.id for row in read(warc(squeezed, packed=packed), crawls.policy())} == plain
    halves = wacz(warc(stored[:2]), warc(stored[2:]))
    assert {row.id for row in read(halves, crawls.policy(), form=archive.read_wacz)} == plain


def test_what_cannot_be_taken_is_named_by_its_record(crawls: Crawls, stored: Stored) -> None:
    root = crawls.site.url.rstrip("/")
    page = next(body for url, body, _ in stored if url.endswith("/t/2"))
    rows = read(
        warc([
            ("https://elsewhere.example/t", page, {}),
            (f"{root}/huge", b"x" * (archive.MAX_PAGE_BYTES + 1), {}),
            (f"{root}/t/2", page, {"X-Robots-Tag": "noarchive"}),
            (f"{root}/about", b"<p>about us</p>", {}),
            (f"{root}/t/2", page, {}),
        ]),
        crawls.policy(),
    )  # fmt: skip

    assert told(rows) == [
        (1, "WARC-Target-URI", "record"), (2, "(record)", "record"), (3, "(page)", "record"), (4, "(page)", "record"),
    ]  # fmt: skip
    assert [row.text for row in rows if isinstance(row, Capture)] == ["加我 〔电话〕"]


def test_a_torn_archive_gives_what_is_whole(crawls: Crawls, stored: Stored) -> None:
    whole = warc(stored)
    rows = read(whole[: len(whole) * 3 // 4], crawls.policy())
    assert any(isinstance(row, Capture) for row in rows)


@pytest.mark.parametrize("form", [archive.read_warc, archive.read_wacz])
def test_a_file_that_is_none_is_refused(crawls: Crawls, form: Callable[..., Any]) -> None:
    for content in (b"hello, this is no archive at all", wacz()):
        if form is archive.read_warc or content[:2] == b"PK":
            with pytest.raises(NotReadable):
                read(content, crawls.policy(), form=form)
