from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from classifiers.errors import DataError
from classifiers.training.written import read_written
from config.taxonomy import SLUGS

FOLDER = Path(__file__).resolve().parents[3] / "classifiers" / "training" / "written"
ROWS: dict[str, list[dict[str, Any]]] = {}
for path in sorted(FOLDER.glob("*.tsv")):
    ROWS.setdefault(path.name.split(".", maxsplit=1)[0], []).extend(read_written(path))


def test_every_category_but_one_has_three_hundred_of_each_side() -> None:
    assert set(ROWS) == set(SLUGS) - {"sexual_exploitation"}
    for slug, rows in ROWS.items():
        assert sum(slug in row["slugs"] for row in rows) >= 300, slug
        assert sum(not row["slugs"] for row in rows) >= 300, slug


def test_nothing_is_written_for_sexual_exploitation() -> None:
    assert all("sexual_exploitation" not in row["slugs"] for rows in ROWS.values() for row in rows)


def test_texts_spread_over_topics_and_none_stands_twice() -> None:
    for slug, rows in ROWS.items():
        for side in (True, False):
            assert len({row["topic"] for row in rows if bool(row["slugs"]) == side}) >= 20, slug
    counted = Counter(row["text"] for rows in ROWS.values() for row in rows)
    assert [text for text, count in counted.items() if count > 1] == []


def test_no_text_carries_a_telephone_number_or_a_link() -> None:
    for rows in ROWS.values():
        for row in rows:
            assert not re.search(r"1[3-9]\d{9}|https?://|www\.", row["text"]), row["text"]


@pytest.mark.parametrize(
    "line", ["gambling\tad\ttopic", "gamblign\tad\ttopic\ttext", "-\tnewspaper\ttopic\ttext", "-\tad\ttopic\t "]
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "gambling.tsv"
    file.write_text("-\tad\ta topic\ta text\n" + line + "\n", "utf-8")
    with pytest.raises(DataError, match="line 2"):
        list(read_written(file))
