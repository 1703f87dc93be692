"""A newcomer asks for help, mistypes, and is told what would be right."""

from __future__ import annotations

from typing import Any

import pytest

from workers import cli
from workers.cli import reference

COMMANDS = [path for path, _command in reference.commands()]


def test_every_promised_command_is_there() -> None:
    promised = {
        "up", "web", "work", "beat", "config check", "config explain", "config schema", "crawl", "ingest", "classify",
        "status", "sweep", "reindex", "export", "verify", "train", "evaluate", "user add", "settings",
    }  # fmt: skip
    assert promised <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does_and_what_each_option_means(woodpecker: Any, command: str) -> None:
    done = woodpecker(*command.split(), "--help")
    assert done.code == 0
    assert "Usage: woodpecker" in done.out
    assert "``" not in done.out  # square brackets that were taken for markup


@pytest.mark.parametrize(("path", "command"), list(reference.commands()))
def test_every_option_and_argument_has_a_help_text(path: str, command: Any) -> None:
    assert command.help
    assert [one.name for one in command.params if not getattr(one, "help", None)] == []


def test_without_a_command_the_commands_are_listed(woodpecker: Any) -> None:
    done = woodpecker()
    assert done.code == 2
    assert "ingest" in done.out + done.err


@pytest.mark.parametrize(
    "call", [("frobnicate",), ("ingest",), ("status", "--colour"), ("user", "add", "somebody"), ("export", "N-1")]
)
def test_a_wrong_call_ends_with_2(woodpecker: Any, call: tuple[str, ...]) -> None:
    done = woodpecker(*call)
    assert done.code == 2
    assert "Usage:" in done.err


def test_an_unforeseen_error_is_one_line_that_quotes_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def explode() -> Any:
        raise RuntimeError("a text of somebody")

    monkeypatch.setattr(cli, "build", explode)
    monkeypatch.setattr("sys.argv", ["woodpecker", "status", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert said.err.startswith("unforeseen RuntimeError in explode")
    assert said.out.startswith('{"error": "unforeseen RuntimeError')
    assert "a text of somebody" not in said.err + said.out
