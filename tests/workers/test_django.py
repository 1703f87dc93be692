"""A fresh database is brought up by one, however many start at once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.servers.installations import ROOT, WOODPECKER, Installation


@pytest.mark.parametrize("mode", ["embedded", "services"])
def test_commands_that_start_together_on_a_fresh_database_all_find_it_ready(
    mode: str, install: Callable[..., Installation]
) -> None:
    installation = install(mode)
    started = [
        subprocess.Popen(
            [*WOODPECKER, "user", "list", "--json"],
            env=installation.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ended = [(*one.communicate(timeout=120), one.returncode) for one in started]
    assert [(code, err) for _out, err, code in ended] == [(0, "")] * 3
