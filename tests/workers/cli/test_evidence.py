"""`woodpecker evidence`: a stored response is opened with a reason and an account, both of which are on record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from scrapy import Request
from scrapy.http import HtmlResponse

from casework.models import AuditEntry
from config.policy import load_site
from config.settings import get_settings
from crawlers.evidence import EvidenceStore, Keys
from tests.casework.factories import make_user

pytestmark = pytest.mark.django_db
PAGE = "<p>打 13800001234 找我</p>"


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> str:
    """A stored response, and the settings with which it can be opened."""
    key = Fernet.generate_key().decode()
    settings = get_settings().model_copy(update={"evidence_key": SecretStr(key)})
    monkeypatch.setattr("config.settings.get_settings", lambda: settings)
    url = "http://127.0.0.1:8765/t/1"
    response = HtmlResponse(url, body=PAGE.encode(), encoding="utf-8", request=Request(url))
    return EvidenceStore(settings.path("files", "responses"), Keys.of(key), "", b"mask").keep(
        response, load_site("demo")
    )


def test_a_response_is_opened_and_who_and_why_is_on_record(woodpecker: Any, reference: str, tmp_path: Path) -> None:
    user, file = make_user("duty"), tmp_path / "one.warc.gz"
    done = woodpecker(
        "evidence", "open", reference, "--reason", "法院调取", "--as", user.username, "-o", str(file), "--json"
    )

    assert done.code == 0
    assert file.stat().st_mode & 0o077 == 0
    assert done.json["bytes"] == file.stat().st_size
    entry = AuditEntry.objects.get(action="evidence.open")
    assert entry.details == {"reason": "法院调取"}
    assert entry.subject == f"response:{reference.removeprefix('sha256:')}"


def test_nothing_is_opened_without_a_reason_an_account_and_a_record(woodpecker: Any, reference: str) -> None:
    user = make_user("duty").username
    calls = [
        ((reference, "--reason", " ", "--as", user), "--reason: found 0 characters"),
        ((reference, "--reason", "x", "--as", "nobody"), "no active account is named 'nobody'"),
        (("sha256:" + "0" * 64, "--reason", "x", "--as", user), "no such stored response"),
    ]
    for arguments, said in calls:
        done = woodpecker("evidence", "open", *arguments)
        assert done.code == 2
        assert said in done.err
    assert not AuditEntry.objects.filter(action="evidence.open").exists()


def test_what_is_known_is_shown_without_opening(woodpecker: Any, reference: str) -> None:
    done = woodpecker("evidence", "show", reference, "--json")
    assert done.code == 0
    assert (done.json["status"], done.json["kept"]) == (200, "sealed record")
    assert "13800001234" not in done.out


def test_a_made_key_is_one(woodpecker: Any) -> None:
    assert Keys.of(woodpecker("evidence", "key", "--json").json["key"])
