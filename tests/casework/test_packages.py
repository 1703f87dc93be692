"""Evidence packages can be checked by whoever holds them, without our database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from casework import canonical, evidence, packages
from tests.casework.factories import make_case, make_restricted_case, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(files_folder: Path) -> list[Path]:
    """Three packages, as files, in the order of their numbers; the second of a restricted case."""
    user = make_user("lead")
    cases = [make_case("他说你真笨"), make_restricted_case(), make_case("快来刷单")]
    return [files_folder / evidence.seal(case, user).path for case in cases]


def test_packages_as_they_were_sealed_are_whole(sealed: list[Path]) -> None:
    verdicts = packages.verify(sealed)
    assert [one.faults for one in verdicts] == [(), (), ()]
    assert [one.sha256 for one in verdicts] == [path.stem for path in sealed]
    assert all(len(one.sm3) == 64 and one.number.startswith("EV-") for one in verdicts)


def test_a_changed_text_is_found_even_under_a_new_name_and_breaks_what_follows(sealed: list[Path]) -> None:
    package = json.loads(sealed[0].read_bytes())
    package["text"] = "别的话"
    changed = sealed[0].with_name("changed.json")
    changed.write_bytes(canonical.dumps(package))
    first, second, third = packages.verify([changed, *sealed[1:]])
    assert first.faults == ("the text does not match the digest that was taken when it was captured",)
    assert second.faults == ("it does not follow the package before it",)
    assert third.whole


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "found something else"), (b"[]", "found something else"), (b'{"format": "other"}', "found something else")],
)
def test_what_is_no_package_is_said(tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    assert packages.verify([file])[0].faults[0].startswith(fault)


def test_a_byte_more_is_found(sealed: list[Path]) -> None:
    sealed[0].write_bytes(sealed[0].read_bytes() + b"\n")
    assert packages.verify(sealed[:1])[0].faults == (
        "the file was written anew: it is not in canonical form",
        "its SHA-256 is not the one in its name",
    )


def test_a_restricted_package_holds_no_text(sealed: list[Path]) -> None:
    assert json.loads(sealed[1].read_bytes())["text"] is None
