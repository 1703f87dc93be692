from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from classifiers.errors import DataError
from classifiers.training.typed import LABELS, SECOND, digest_of, load_typed


def test_at_least_six_thousand_texts_were_read_and_six_hundred_twice() -> None:
    first, second = load_typed(LABELS), load_typed(SECOND)
    assert len(first) >= 6000
    assert len(first.keys() & second.keys()) >= 600


def test_no_label_says_sexual_exploitation() -> None:
    assert all("sexual_exploitation" not in slugs for slugs in load_typed(LABELS).values())


def test_a_key_is_the_hash_of_the_text() -> None:
    assert digest_of("好") == hashlib.sha256("好".encode()).hexdigest()
    assert len(digest_of("\ud800")) == 64


@pytest.mark.parametrize("line", ["abc\tgambling", "0" * 64 + "\tgamblign", "0" * 64])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "labels.tsv"
    file.write_text("1" * 64 + "\t-\n" + line + "\n", "ascii")
    with pytest.raises(DataError, match="line 2"):
        load_typed(file)
