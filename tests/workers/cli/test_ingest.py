"""Files of every form go into the inbox; a watched folder is emptied, each file once, with a report beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from scrapy import Request
from scrapy.http import HtmlResponse

from benchmarks.captures import rows
from casework.models import InboxItem
from config.policy import load_site
from config.settings import get_settings
from crawlers.evidence import EvidenceStore, Keys, unseal
from workers import importing

pytestmark = pytest.mark.django_db

TABLE = "内容,链接,板块\n今天的晚自习,/t/1,games\n打 13800001234,/t/2,games\n没有地址,,games\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo").mkdir()
    return tmp_path


def test_a_table_is_ingested_by_the_command_and_its_wrong_row_is_named(woodpecker: Any, tmp_path: Path) -> None:
    file = tmp_path / "评论.csv"
    file.write_text(TABLE, "gb18030")
    done, again = (woodpecker("ingest", str(file), "--site", "demo", "--json") for _ in range(2))

    assert (done.code, done.json["accepted"], done.json["rejected"]) == (3, 2, 1)
    assert f"{file}: line 4, field url: found nothing; allowed: an absolute address" in done.err
    assert (again.json["accepted"], again.json["duplicate"]) == (0, 2)
    kept = "".join(str(payload) for payload in InboxItem.objects.values_list("payload", flat=True))
    assert "〔电话〕" in kept
    assert "13800001234" not in kept


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--columns", "text"), "--columns: found 'text'; allowed: NAME=HEADING"),
        (("--site", "nowhere"), "--site: "),
        (("--site", "demo", "--section", "attic"), "--section: found 'attic'; allowed: campus"),
        ((), "found a table without a site; allowed: --site"),
        (("--site", "demo", "--columns", "text=话"), "column text: found 内容, 链接, 板块; allowed: a heading 话"),
        (("--once",), "--once: found without --watch"),
    ],
)
def test_a_wrong_call_changes_nothing(woodpecker: Any, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text(TABLE, "utf-8")
    done = woodpecker("ingest", str(file), *arguments)

    assert done.code == 2
    assert said in done.err
    assert not InboxItem.objects.exists()


def test_the_responses_that_lie_beside_a_file_are_taken_along(
    woodpecker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Fernet.generate_key().decode()
    settings = get_settings().model_copy(update={"evidence_key": SecretStr(key), "data_dir": tmp_path / "data"})
    for place in ("config.settings.get_settings", "workers.importing.get_settings"):
        monkeypatch.setattr(place, lambda: settings)
    file = tmp_path / "captures.jsonl"
    url = "http://127.0.0.1:8765/t/1"
    response = HtmlResponse(url, body=b"<p>1</p>", request=Request(url))
    store = EvidenceStore(tmp_path / "captures.jsonl.evidence", Keys.of(key), "", b"mask")
    reference, lost = store.keep(response, load_site("demo")), f"sha256:{'0' * 64}"
    lines = [row | {"evidence": one} for row, one in zip(rows(2), (reference, lost), strict=True)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    done = woodpecker("ingest", str(file), "--json")

    assert (done.code, done.json["accepted"]) == (0, 2)
    assert unseal(settings.path("files", "responses"), reference, Keys.of(key))
    assert "1 stored responses were not brought along: Missing" in done.err


def test_a_name_that_says_nothing_needs_a_format(woodpecker: Any, tmp_path: Path) -> None:
    file = tmp_path / "list.docx"
    file.write_text(TABLE, "utf-8")
    refused = woodpecker("ingest", str(file), "--site", "demo")
    named = woodpecker("ingest", str(file), "--site", "demo", "--format", "csv", "--json")

    assert refused.code == 2
    assert "found '.docx'; allowed: .jsonl" in refused.err
    assert named.json["accepted"] == 2


def test_a_watched_folder_is_emptied_and_reports_lie_beside_the_files(woodpecker: Any, folder: Path) -> None:
    (folder / "demo" / "week.csv").write_text(TABLE, "utf-8")
    (folder / "captures.jsonl").write_text("\n".join(json.dumps(row) for row in rows(3)), "utf-8")
    (folder / "broken.warc").write_text("no archive", "utf-8")
    (folder / ".part.csv").write_text(TABLE, "utf-8")
    done = woodpecker("ingest", "--watch", str(folder), "--once")

    assert done.code == 3
    assert InboxItem.objects.count() == 5
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert left == [
        ".part.csv", "done/captures.jsonl", "done/captures.jsonl.report.json", "done/demo/week.csv",
        "done/demo/week.csv.report.json", "failed/broken.warc", "failed/broken.warc.report.json",
    ]  # fmt: skip
    report = json.loads((folder / "done/demo/week.csv.report.json").read_text("utf-8"))
    assert (report["accepted"], report["rejected"], report["problems"][0]["field"]) == (2, 1, "url")
    assert "no WARC record" in (folder / "failed/broken.warc.report.json").read_text("utf-8")


def test_a_file_of_a_name_that_was_taken_before_does_not_replace_it(folder: Path) -> None:
    for _ in range(2):
        (folder / "demo" / "week.csv").write_text(TABLE, "utf-8")
        importing.watch(folder, importing.Supply(), chunk=10, once=True, told=lambda name, report: None)

    assert {path.name for path in (folder / "done/demo").glob("*.csv")} == {"week.csv", "2-week.csv"}
    assert InboxItem.objects.count() == 2
