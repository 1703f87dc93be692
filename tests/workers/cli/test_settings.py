"""`woodpecker settings`: what holds, where it comes from, and no secret."""

from __future__ import annotations

from typing import Any

import pytest

from config.settings import Settings


def test_every_setting_is_told_with_source_type_default_and_help(woodpecker: Any) -> None:
    done = woodpecker("settings", "--json")
    assert done.code == 0
    told = {one["name"]: one for one in done.json["settings"]}
    assert set(told) == {f"WOODPECKER_{name.upper()}" for name in Settings.model_fields}
    assert all({"value", "source", "type", "default", "help"} <= set(one) and one["help"] for one in told.values())
    assert told["WOODPECKER_DATA_DIR"]["source"] == "environment"
    assert told["WOODPECKER_HTTP_PORT"] | {"help": ""} == {
        "name": "WOODPECKER_HTTP_PORT", "value": "8000", "source": "default", "type": "int", "default": "8000",
        "help": "",
    }  # fmt: skip


def test_a_person_can_read_them_on_a_narrow_terminal(woodpecker: Any) -> None:
    done = woodpecker("settings")
    assert "WOODPECKER_HTTP_PORT = 8000" in done.out
    assert "Port that the pages listen on; 0 takes a free one." in done.out


def test_secrets_are_masked(woodpecker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOODPECKER_DATABASE_URL", "postgresql://keeper:hush@db.example/cases")
    monkeypatch.setenv("WOODPECKER_SECRET_KEY", "never-to-be-told")
    for done in (woodpecker("settings"), woodpecker("settings", "--json")):
        assert "postgresql://keeper:***@db.example/cases" in done.out
        assert "hush" not in done.out
        assert "never-to-be-told" not in done.out


def test_a_wrong_setting_is_named(woodpecker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOODPECKER_HTTP_PORT", "eighty")
    done = woodpecker("settings", "--json")
    assert done.code == 2
    assert "WOODPECKER_HTTP_PORT: Input should be a valid integer" in done.err
    assert "WOODPECKER_HTTP_PORT" in done.json["error"]
