"""Settings come from the environment; what is wrong is named, what is secret stays so."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import FOLDER_BROKER, MissingSecretKey, Settings
from tests.servers.certificates import issued


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("WOODPECKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WOODPECKER_DATA_DIR", str(tmp_path / "data"))


def test_nothing_needs_to_be_set() -> None:
    settings = Settings()
    assert (settings.mode, settings.http_host, settings.http_port) == ("embedded", "127.0.0.1", 8000)
    assert settings.effective_broker_url() == FOLDER_BROKER


def test_a_database_server_makes_it_services_mode_and_asks_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOODPECKER_DATABASE_URL", "postgresql://user:password@db.example/woodpecker")
    assert Settings().mode == "services"
    with pytest.raises(MissingSecretKey, match="WOODPECKER_SECRET_KEY is required"):
        Settings().effective_secret_key()
    monkeypatch.setenv("WOODPECKER_SECRET_KEY", "given")
    assert Settings().effective_secret_key() == "given"


def test_the_key_is_made_once_kept_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Settings().effective_secret_key(), range(8)))

    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HTTP_PORT", "70000", "less than or equal to 65535"),
        ("HTTP_PORT", "web", "valid integer"),
        ("DATABASE_URL", "mysql://db", "must start with postgresql://"),
        ("ELASTICSEARCH_URL", "db:9200", "must start with http"),
        ("ELASTICSEARCH_URL", "http://one:9200,two:9200", "each address of a list"),
        ("ELASTICSEARCH_URL", ",", "each address of a list"),
        ("ELASTICSEARCH_CA", "/nowhere/ca.pem", r"certificates in PEM form \(No such file"),
        ("ELASTICSEARCH_CA", __file__, r"certificates in PEM form \(no certificate"),
        ("AUDIT_RATE", "2", "less than or equal to 1"),
        ("LOG_LEVEL", "LOUD", "DEBUG"),
        ("CRAWLER_CONTACT", "a b", "pattern"),
        ("SEARCH_INDEX", "Cases!", "pattern"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(f"WOODPECKER_{name}", value)
    with pytest.raises(ValidationError, match=message) as caught:
        Settings()
    assert caught.value.errors()[0]["loc"] == (name.lower(),)


def test_secrets_do_not_show_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "BROKER_URL", "ELASTICSEARCH_URL", "SECRET_KEY"):
        scheme = "postgresql://" if name == "DATABASE_URL" else "http://"
        monkeypatch.setenv(f"WOODPECKER_{name}", f"{scheme}user:hush@host.example/x")
    assert "hush" not in repr(Settings()) + str(Settings())


def test_every_setting_explains_itself() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_secret_keys_of_before_are_told_apart_by_commas() -> None:
    assert Settings(former_secret_keys="second, first,").former_keys() == ["second", "first"]
    assert Settings().former_keys() == []


def test_an_authority_without_tls_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority, _ = issued(tmp_path, "127.0.0.1")
    monkeypatch.setenv("WOODPECKER_ELASTICSEARCH_CA", str(authority))
    monkeypatch.setenv("WOODPECKER_ELASTICSEARCH_URL", "https://one:9200,http://two:9200")
    with pytest.raises(ValidationError, match="needs https:// in each address"):
        Settings()
    monkeypatch.setenv("WOODPECKER_ELASTICSEARCH_URL", "https://one:9200,https://two:9200")
    assert Settings().elasticsearch_ca == authority
