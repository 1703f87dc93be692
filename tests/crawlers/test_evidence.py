"""The response behind a capture: a WARC that others read, sealed on the disk, opened with the key alone."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from scrapy.http import HtmlResponse
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from crawlers.capture import Capture
from crawlers.evidence import Damaged, EvidenceStore, Keys, Missing, WrongKey, beside, metadata, take_along, unseal
from tests.crawlers.conftest import Crawls
from tests.crawlers.site import Reply, Site

KEY = Fernet.generate_key().decode()
MASK = b"only-for-tests"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "responses"


def kept(crawls: Crawls, folder: Path, key: str = KEY) -> list[Capture]:
    return crawls.run(evidence=EvidenceStore(folder, Keys.of(key), "https://unit.example/crawler", MASK))


def records(content: bytes) -> dict[str, Any]:
    found = {}
    for record in ArchiveIterator(io.BytesIO(content)):
        found[record.rec_type] = (record.rec_headers, record.http_headers, record.content_stream().read())
    return found


def test_each_capture_names_the_response_that_it_was_read_from(
    crawls: Crawls, folder: Path, forum: Callable[..., None]
) -> None:
    forum({"1": [f"第 {n} 条" for n in range(4)]})
    captures = kept(crawls, folder)

    assert all(one.evidence for one in captures)
    assert len({one.evidence for one in captures}) == 3  # the list, and two pages of the thread
    for one in captures:
        assert one.evidence
        _, _, body = records(unseal(folder, one.evidence, Keys.of(KEY)))["response"]
        assert one.text in body.decode()


def test_a_record_holds_what_was_asked_and_answered_and_how_it_came_about(
    crawls: Crawls, site: Site, folder: Path
) -> None:
    page = "<div class=post data-id=1><p class=text>正文</p></div>"
    said = {"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "a=b", "X-Own": "ja"}
    site.pages["/list"] = Reply(page, headers=said)
    recipe = {"thread": {"items": ".post", "key": "::attr(data-id)", "text": ".text"}}
    captures = crawls.run(
        crawls.policy(recipe), evidence=EvidenceStore(folder, Keys.of(KEY), "https://unit.example/crawler", MASK)
    )
    (capture,) = captures
    assert capture.evidence
    content = unseal(folder, capture.evidence, Keys.of(KEY))
    found = records(content)
    _, answered, body = found["response"]
    _, asked, _ = found["request"]
    about = json.loads(found["metadata"][2])

    assert body.decode() == page
    assert (answered.get_statuscode(), answered.get_header("X-Own")) == ("200", "ja")
    assert answered.get_header("Content-Length") == str(len(page.encode()))
    assert not any(answered.get_header(name) for name in ("Content-Encoding", "Transfer-Encoding", "Set-Cookie"))
    assert asked.protocol == "GET"
    assert "SilverWoodpecker" in asked.get_header("User-Agent")
    assert about["robots"]
    assert about["operator"] == "https://unit.example/crawler"
    assert about["basis"]["kind"] == "owner"
    assert about["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert hashlib.sha256(content).hexdigest() == capture.evidence.removeprefix("sha256:")
    told = metadata(folder, capture.evidence)
    assert told.items() >= about.items()
    assert told["kept"] == "sealed record"


def test_each_record_names_the_policy_under_which_it_was_asked_for(crawls: Crawls, folder: Path) -> None:
    store = EvidenceStore(folder, None, "", MASK)
    before = crawls.policy()
    after = before.model_copy(update={"pages_per_day": 7})

    for policy in (before, before, after, before):
        reference = store.keep(HtmlResponse("https://forum.example/t/1", body=b"<p>1</p>"), policy)
        assert metadata(folder, reference)["policy_sha256"] == policy.digest
    assert before.digest != after.digest


def test_the_record_passes_the_check_of_warcio(
    crawls: Crawls, folder: Path, tmp_path: Path, forum: Callable[..., None]
) -> None:
    forum({"1": ["一"]})
    reference = kept(crawls, folder)[0].evidence
    assert reference
    file = tmp_path / "one.warc.gz"
    file.write_bytes(unseal(folder, reference, Keys.of(KEY)))
    checker = Checker(type("Arguments", (), {"inputs": [str(file)], "verbose": False})())
    checker.process_all()

    assert checker.exit_value == 0


def test_nothing_but_the_page_stands_under_the_pages_address(
    crawls: Crawls, folder: Path, forum: Callable[..., None]
) -> None:
    """A replay tool shows what stands under an address, whatever kind of record it is (pywb 2.10)."""
    forum({"1": ["一"]})
    reference = kept(crawls, folder)[0].evidence
    assert reference
    found = records(unseal(folder, reference, Keys.of(KEY)))
    addresses = {kind: headers.get_header("WARC-Target-URI") for kind, (headers, _, _) in found.items()}
    page = f"{crawls.site.url}list"
    assert addresses == {"response": page, "request": page, "metadata": f"urn:woodpecker:{page}"}


def test_nothing_readable_lies_on_the_disk(crawls: Crawls, folder: Path, forum: Callable[..., None]) -> None:
    forum({"1": ["打 13800001234 找我"]})
    kept(crawls, folder)

    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sealed" for path in files)
    for path in files:
        assert b"13800001234" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_without_a_key_metadata_and_digest_are_kept_and_nothing_else(
    crawls: Crawls, folder: Path, forum: Callable[..., None]
) -> None:
    forum({"1": ["一"]})
    reference = kept(crawls, folder, key="")[0].evidence
    assert reference
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json"}
    assert metadata(folder, reference)["kept"] == "metadata"
    with pytest.raises(Missing, match="only the metadata was kept"):
        unseal(folder, reference, Keys.of(KEY))


def test_of_a_page_that_asks_not_to_be_archived_metadata_and_digest_are_kept(
    crawls: Crawls, site: Site, folder: Path
) -> None:
    site.pages["/list"] = Reply("<p>不存</p>", headers={"X-Robots-Tag": "noarchive"})
    assert kept(crawls, folder) == []

    (file,) = [path for path in folder.rglob("*") if path.is_file()]
    assert json.loads(file.read_text("utf-8"))["status"] == 200


def test_another_key_a_changed_file_and_a_wrong_reference_are_told_apart(
    crawls: Crawls, folder: Path, forum: Callable[..., None]
) -> None:
    forum({"1": ["一"]})
    reference = kept(crawls, folder)[0].evidence
    assert reference
    other = Fernet.generate_key().decode()
    (sealed,) = folder.rglob(f"{reference.removeprefix('sha256:')}.warc.gz.sealed")

    with pytest.raises(WrongKey, match="does not open"):
        unseal(folder, reference, Keys.of(other))
    assert unseal(folder, reference, Keys.of(f"{other},{KEY}"))
    with pytest.raises(WrongKey, match="found nothing"):
        unseal(folder, reference, None)
    with pytest.raises(WrongKey, match="allowed: 32 bytes"):
        Keys.of("short")
    with pytest.raises(Missing, match="allowed: sha256:"):
        unseal(folder, "../../etc/passwd", Keys.of(KEY))
    sealed.write_bytes(Fernet(KEY).encrypt(b"something else"))
    with pytest.raises(Damaged):
        unseal(folder, reference, Keys.of(KEY))


def test_a_folder_that_cannot_be_written_is_told_and_the_captures_go_on(
    crawls: Crawls, tmp_path: Path, forum: Callable[..., None]
) -> None:
    forum({"1": ["一"]})
    (tmp_path / "responses").write_text("no folder")
    captures = kept(crawls, tmp_path / "responses")

    assert captures
    assert all(one.evidence is None for one in captures)
    assert any("evidence cannot be kept" in reason for reason in crawls.report.failed)


def test_a_record_is_taken_along_once_and_says_itself_what_it_is(
    crawls: Crawls, folder: Path, tmp_path: Path, forum: Callable[..., None]
) -> None:
    forum({"1": ["一"]})
    reference = kept(crawls, folder)[0].evidence
    assert reference
    (told,) = folder.rglob(f"{reference.removeprefix('sha256:')}.json")
    told.write_text('{"url": "https://forged.example/"}')
    there = tmp_path / "there"
    other = Fernet.generate_key().decode()

    take_along(folder, there, reference, Keys.of(f"{other},{KEY}"), MASK)

    assert metadata(there, reference)["url"] == f"{crawls.site.url}list"
    assert unseal(there, reference, Keys.of(other)) == unseal(folder, reference, Keys.of(KEY))
    with pytest.raises(WrongKey):
        take_along(folder, tmp_path / "elsewhere", reference, Keys.of(other), MASK)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("written", ["", "[1]", "no JSON"])
def test_what_lies_beside_a_record_is_told_when_it_is_damaged_and_the_record_opens_all_the_same(
    crawls: Crawls, folder: Path, tmp_path: Path, forum: Callable[..., None], written: str
) -> None:
    forum({"1": ["一"]})
    reference = kept(crawls, folder)[0].evidence
    assert reference
    (told,) = folder.rglob(f"{reference.removeprefix('sha256:')}.json")
    told.write_text(written)

    with pytest.raises(Damaged):
        metadata(folder, reference)
    assert unseal(folder, reference, Keys.of(KEY))
    take_along(folder, tmp_path / "there", reference, Keys.of(KEY), MASK)
    assert metadata(tmp_path / "there", reference)["url"] == f"{crawls.site.url}list"
    for file in folder.rglob("*.sealed"):
        file.unlink()
    with pytest.raises(Damaged):
        take_along(folder, tmp_path / "elsewhere", reference, Keys.of(KEY), MASK)


def test_responses_lie_beside_a_file_and_not_beside_a_device(tmp_path: Path) -> None:
    assert beside(tmp_path / "captures.jsonl") == tmp_path / "captures.jsonl.evidence"
    assert beside(Path("/dev/null")) is None
