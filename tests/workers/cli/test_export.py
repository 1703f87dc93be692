"""`woodpecker verify` and `export`."""

from __future__ import annotations

import hashlib
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


def test_a_file_that_is_no_package_is_a_wrong_call(woodpecker: Any, tmp_path: Path) -> None:
    (tmp_path / "letter.json").write_text("{}", "utf-8")
    done = woodpecker("verify", str(tmp_path / "letter.json"))
    assert done.code == 2
    assert "letter.json: found something else; allowed: a package" in done.err


def test_a_response_is_checked_against_the_package_that_names_it(woodpecker: Any, tmp_path: Path) -> None:
    from django.core.files.storage import default_storage

    content = b"as it was opened"
    digest = hashlib.sha256(content).hexdigest()
    record = evidence.seal(make_case(evidence=f"sha256:{digest}"), make_user("lead"))
    with default_storage.open(record.path, "rb") as file:
        (tmp_path / f"{record.sha256}.json").write_bytes(file.read())
    response = tmp_path / f"{digest}.warc.gz"
    response.write_bytes(content)

    assert woodpecker("verify", str(tmp_path)).code == 0
    response.write_bytes(content + b".")
    broken = woodpecker("verify", str(tmp_path))
    assert broken.code == 1
    assert f"{digest}.warc.gz: none of the packages given names this response" in broken.err
