"""`woodpecker verify` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casework import evidence
from tests.casework.factories import make_case, make_user

pytestmark = pytest.mark.django_db


def test_packages_of_a_folder_are_checked(woodpecker: Any, tmp_path: Path) -> None:
    from django.core.files.storage import default_storage

    record = evidence.seal(make_case(), make_user("lead"))
    with default_storage.open(record.path, "rb") as file:
        content = file.read()
    (tmp_path / f"{record.sha256}.json").write_bytes(content)

    whole = woodpecker("verify", str(tmp_path))
    assert whole.code == 0
    assert f"{record.number}  whole" in whole.out
    assert record.sm3 in whole.out

    (tmp_path / f"{record.sha256}.json").write_bytes(content.replace(b"comment", b"tnemmoc"))
    broken = woodpecker("verify", str(tmp_path), "--json")
    assert (broken.code, broken.json["broken"]) == (1, 1)
    assert "its SHA-256 is not the one in its name" in broken.err


def test_a_package_that_is_not_there_is_named(woodpecker: Any, tmp_path: Path) -> None:
    done = woodpecker("verify", str(tmp_path / "x.json"), "--json")
    assert done.code == 2
    assert "x.json: No such file" in done.err


def test_a_list_that_does_not_exist_is_named(woodpecker: Any, tmp_path: Path) -> None:
    done = woodpecker("export", "SW-20260101-001", "--output", str(tmp_path / "x.xlsx"), "--json")
    assert done.code == 2
    assert "no list is numbered 'SW-20260101-001'" in done.json["error"]
