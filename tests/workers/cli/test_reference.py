"""The documentation names every command and every setting as they are now."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import PREFIX, Settings
from workers.cli import reference

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_reference_is_current() -> None:
    assert (DOCS / "commands.md").read_text("utf-8") == reference.text(), (
        "run: .venv/bin/python -m workers.cli.reference > docs/commands.md"
    )


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_the_operators_guide_mentions_every_setting(name: str) -> None:
    assert f"`{PREFIX}{name.upper()}`" in (DOCS / "operation.md").read_text("utf-8")
