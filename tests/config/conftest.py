"""Policy files written by a test, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config import policy
from config.problems import PolicyError, Problem
from config.settings import get_settings

SITE = """\
title: 梧桐里
class: forum_qa
basis: {kind: owner, document: 站方 2026-03-01 书面同意}
base_url: https://forum.example/
sections:
  - {slug: talk, title: 闲聊, start: [/talk]}
  - {slug: kids, title: 少年版, start: [/kids], kid_zone: true}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The policy folder of an installation, empty."""
    own = get_settings().model_copy(update={"policy_dir": tmp_path})
    monkeypatch.setattr(policy, "get_settings", lambda: own)
    for kind in ("sites", "presets", "classes"):
        (tmp_path / kind).mkdir()
    return tmp_path


@pytest.fixture
def wrong(folder: Path) -> Callable[[str], list[Problem]]:
    """Return what is wrong with a site file of this content."""

    def problems(content: str) -> list[Problem]:
        path = folder / "sites" / "wutongli.yaml"
        path.write_text(content, "utf-8")
        with pytest.raises(PolicyError) as caught:
            policy.load_site("wutongli")
        assert all(one.file == str(path) for one in caught.value.problems)
        return caught.value.problems

    return problems
