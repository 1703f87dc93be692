"""Variants made ahead are windows of the same texts, the same from one process as from several."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.alphabet import Alphabet
from classifiers.normalise.fold import fold
from classifiers.training.encoder_variants import make_variants

TEXTS = ["今天作文课真有意思", "春游", "", "天气很好" * 50, "同学一起去春游"] * 3
KNOWN = Alphabet.of(sorted({char for text in TEXTS for char in text}))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(alphabet="今天作文课春游", max_size=300), min_size=1, max_size=12),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_of_each_text_there_is_a_window_as_it_was_written_and_in_every_variant(
    texts: list[str], number: int, seed: int
) -> None:
    made = make_variants(texts, KNOWN, number, seed)
    chosen, random = np.arange(len(texts)), np.random.default_rng(seed)
    alone = KNOWN.windows(fold(texts))
    plain = made.one_window(chosen, np.zeros(len(texts), dtype=bool), random)
    for place in chosen:
        ids = alone.ids[alone.starts[alone.owner == place].min() : alone.ends[alone.owner == place].max()]
        part = plain.ids[plain.starts[place] : plain.ends[place]]
        assert part.tobytes() in ids.tobytes()
        assert len(part) == min(len(ids), 126)
    for _ in range(5):
        evaded = made.one_window(chosen, np.ones(len(texts), dtype=bool), random)
        assert (evaded.ends - evaded.starts <= 126).all()
        assert (evaded.starts >= len(alone.ids)).all()


def test_several_processes_make_what_one_makes() -> None:
    one, several = (make_variants(TEXTS, KNOWN, 2, 7, processes) for processes in (1, 2))
    assert (one.windows.ids == several.windows.ids).all()
    assert (one.first == several.first).all()
    other = make_variants(TEXTS, KNOWN, 2, 8)
    assert len(one.windows.ids) != len(other.windows.ids) or (one.windows.ids != other.windows.ids).any()
