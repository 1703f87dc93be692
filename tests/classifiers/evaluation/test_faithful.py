"""Whether spans name what drove a score, on the model that ships; the full measurement is in docs/model-card.md."""

from __future__ import annotations

from random import Random

from classifiers.cascade import load_cascade
from classifiers.evaluation.faithful import deletion
from classifiers.training.sets import SETS_FILE
from classifiers.training.written import read_written
from config.taxonomy import SLUGS


def test_without_its_spans_a_text_falls_much_more_than_without_as_much_of_it_elsewhere() -> None:
    rows = [row for path in sorted((SETS_FILE.parent / "written").glob("*.tsv")) for row in read_written(path)]
    texts = [row["text"] for row in Random(3).sample([row for row in rows if row["slugs"]], 150)]
    found = deletion(load_cascade(), texts, dict.fromkeys(SLUGS, 0.5))
    assert found["texts"] >= 50
    assert found["without_spans"] == 0
    assert found["ratio"] >= 2.0
    assert found["ratio_interval"][0] < found["ratio"] < found["ratio_interval"][1]


def test_where_nothing_is_flagged_nothing_is_measured() -> None:
    assert deletion(load_cascade(), ["今天的作文课真有意思"], dict.fromkeys(SLUGS, 0.5)) == {"texts": 0}
