"""Packed corpora in parts: they come out as they went in, and nothing that is missing or damaged is read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifiers.errors import DataError
from classifiers.training.pretrain_parts import MIB, NOTE, read_parts, write_parts

MADE_FROM = {"seed": 7, "corpora": ["posts.txt"]}
DIGESTS = {"posts.txt": "0" * 64}


def packed(folder: Path, contents: dict[str, bytes]) -> Path:
    (folder / "files").mkdir(parents=True)
    for name, content in contents.items():
        (folder / "files" / name).write_bytes(content)
    files = [folder / "files" / name for name in contents]
    write_parts(files, folder / "parts", 1, made_from=MADE_FROM, digests=DIGESTS)
    return folder / "parts"


@settings(max_examples=10, deadline=None)
@given(st.dictionaries(st.sampled_from(["a.npy", "b.txt.xz.npy", "文.npz"]), st.binary(max_size=500)))
@example({"large.npy": Random(1).randbytes(2_500_000), "empty.npy": b""})
def test_files_come_out_of_their_parts_as_they_went_in_and_no_part_is_too_large(contents: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts, into = packed(Path(folder), contents), Path(folder) / "into"
        assert all(path.stat().st_size <= MIB for path in parts.iterdir())
        assert read_parts(parts, into, MADE_FROM) == DIGESTS
        assert {name: (into / name).read_bytes() for name in contents} == contents


def test_what_was_unpacked_is_not_unpacked_again_unless_something_is_gone(tmp_path: Path) -> None:
    parts, into = packed(tmp_path, {"a": b"one", "b": b"two"}), tmp_path / "into"
    ticks: list[str] = []
    for _ in range(2):
        read_parts(parts, into, MADE_FROM, ticks.append)
    assert ticks == ["a", "b"]
    (into / "b").unlink()
    read_parts(parts, into, MADE_FROM, ticks.append)
    assert (into / "b").read_bytes() == b"two"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda part: part.unlink(), "no such part"),
        (lambda part: part.write_bytes(part.read_bytes()[:-1]), "damaged"),
        (lambda part: part.write_bytes(part.read_bytes() + b"x"), "damaged"),
        (lambda part: (part.parent / NOTE).unlink(), r"packed\.json.*no such file"),
        (lambda part: (part.parent / NOTE).write_text("{"), r"packed\.json.*Invalid JSON"),
    ],
)
def test_a_missing_or_damaged_part_is_named(tmp_path: Path, spoil: object, said: str) -> None:
    parts = packed(tmp_path, {"a": b"one" * 100})
    assert callable(spoil)
    spoil(parts / "a.0000.xz")
    with pytest.raises(DataError, match=said):
        read_parts(parts, tmp_path / "into", MADE_FROM)
    assert not (tmp_path / "into" / "a").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"begin": 0', '"begin": 5', "bytes 5 to 300"),
        ('"end": 300', '"end": 301', "300 bytes"),
        ('"end": 300', '"end": 20', "21 bytes or more, .*|21 bytes"),
        ('"end": 300', '"end": 99999999999', "bytes 0 to 99999999999"),
        ('"name": "a"', '"name": "../a"', "files.0.name"),
        ("packed 1", "packed 9", "format"),
    ],
)
def test_a_note_that_says_what_is_not_so_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    parts = packed(tmp_path, {"a": b"one" * 100})
    note = json.dumps(json.loads((parts / NOTE).read_text(encoding="utf-8")))
    assert old in note
    (parts / NOTE).write_text(note.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_parts(parts, tmp_path / "into", MADE_FROM)


def test_parts_of_another_recipe_are_refused_with_what_differs(tmp_path: Path) -> None:
    parts = packed(tmp_path, {"a": b"one"})
    with pytest.raises(DataError, match=r"seed = 7; allowed: 8, as the recipe says"):
        read_parts(parts, tmp_path / "into", {**MADE_FROM, "seed": 8})


def test_a_folder_that_holds_something_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "mine.txt").write_text("今天", encoding="utf-8")
    with pytest.raises(DataError, match="holds something"):
        packed(tmp_path, {"a": b"one"})
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["mine.txt"]
