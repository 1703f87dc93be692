"""The broker is asked whether it answers: shortly, seldom, and without telling its address."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from config import broker
from config.settings import Settings
from deploy.services import redis, system

PASSWORD = "correct-horse"


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered from another test."""
    monkeypatch.setattr(broker, "_memory", broker._Memory())


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where somebody listens and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def use(monkeypatch: pytest.MonkeyPatch, url: str, folder: Path = Path("var")) -> None:
    settings = Settings(broker_url=SecretStr(url), data_dir=folder)
    monkeypatch.setattr(broker, "get_settings", lambda: settings)


def test_a_broker_that_is_killed_is_found_out_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "REMEMBERED", 0)
    system.ensure_user()
    with tempfile.TemporaryDirectory(prefix="woodpecker-redis-") as above:
        Path(above).chmod(0o711)
        folder, port = Path(above) / "server", system.free_port()
        pid = redis.serve(folder, port, PASSWORD)
        use(monkeypatch, redis.address(port, PASSWORD))
        try:
            assert broker.ask() == broker.Answer("redis")
            system.kill(pid)
            gone = broker.ask()
            pid = redis.serve(folder, port, PASSWORD)
            assert broker.ask() == broker.Answer("redis")
        finally:
            system.kill(pid)
    assert gone.fault
    assert PASSWORD not in gone.fault


def test_a_wrong_password_is_a_fault(monkeypatch: pytest.MonkeyPatch, services: dict[str, str]) -> None:
    there = urlsplit(services["BROKER_URL"])
    use(monkeypatch, there._replace(netloc=f":wrong@{there.hostname}:{there.port}").geturl())
    assert "Authentication" in broker.ask().fault


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_one_that_says_nothing_is_not_waited_for(scheme: str, silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "TIMEOUT", 0.1)
    use(monkeypatch, f"{scheme}://name:secret@127.0.0.1:{silent}//")
    found = broker.ask()
    assert (found.kind, bool(found.fault)) == (scheme, True)
    assert "secret" not in found.fault


def test_the_second_address_of_a_list_is_tried_too(
    silent: int, monkeypatch: pytest.MonkeyPatch, services: dict[str, str]
) -> None:
    monkeypatch.setattr(broker, "TIMEOUT", 0.1)
    use(monkeypatch, f"redis://127.0.0.1:{silent}/0;{services['BROKER_URL']}")
    assert broker.ask() == broker.Answer("redis")


def test_an_answer_holds_for_some_seconds_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(broker, "_server", lambda url: asked.append(url) or broker.Answer("redis"))
    use(monkeypatch, "redis://127.0.0.1:1/0")
    assert [broker.ask() for _ in range(3)] == [broker.Answer("redis")] * 3
    assert len(asked) == 1
    later = time.monotonic() + broker.REMEMBERED + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    broker.ask()
    assert len(asked) == 2


def test_without_a_server_the_folder_is_the_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, "", tmp_path)
    assert broker.ask() == broker.Answer("folder")


def test_a_folder_that_cannot_be_written_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, "", tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    assert broker.ask().fault.endswith("cannot be written")
