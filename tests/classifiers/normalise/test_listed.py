"""Lists of characters, and the table of syllables made from pypinyin."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.normalise import listed
from classifiers.normalise.listed import read_listed
from classifiers.normalise.readings import syllable_of
from classifiers.normalise.syllables import from_pypinyin, syllables


@pytest.mark.parametrize(
    ("name", "least"),
    [("splits.tsv", 500), ("looks.tsv", 500), ("emoji.tsv", 500), ("same.tsv", 500), ("martian.tsv", 100)],
)
def test_every_list_reads_and_no_entry_stands_for_itself(name: str, least: int) -> None:
    found = read_listed(name)
    assert len(found) > least
    assert not [key for key, values in found.items() if key in values or len(set(values)) < len(values)]


@pytest.mark.parametrize("line", ["微 薇", "微\t", "\t薇", "微\t薇\n微\t徽"])
def test_a_line_that_is_none_is_named(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.tsv").write_text(f"# a note\n信\t言\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(listed, "DATA", tmp_path)
    with pytest.raises(ValueError, match=r"own\.tsv:[34]: "):
        read_listed.__wrapped__("own.tsv")


def test_the_syllables_that_ship_are_those_of_pypinyin() -> None:
    assert syllables() == from_pypinyin()
    assert list(syllables()) == sorted(syllables())


def test_a_character_has_the_syllable_that_people_type() -> None:
    assert [syllable_of(char) for char in "赌女绿a赌"] == ["du", "nv", "lv", "", "du"]
