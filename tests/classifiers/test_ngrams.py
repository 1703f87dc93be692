from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.ngrams import grams
from classifiers.normalise import fold

TEXT = st.text(alphabet=st.sampled_from("甲乙丙丁abc0123456789 !"), max_size=30)


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_a_text_has_the_same_ngrams_alone_and_in_a_batch(texts: list[str]) -> None:
    together = grams(fold(texts), 16)
    for number, text in enumerate(texts):
        alone = grams(fold([text]), 16)
        part = slice(int(together.offsets[number]), int(together.offsets[number + 1]))
        assert together.buckets[part].tolist() == alone.buckets.tolist()
        assert together.starts[part].tolist() == alone.starts.tolist()


def test_long_numbers_look_alike_and_short_ones_do_not() -> None:
    long = [grams(fold([text]), 20).buckets.tolist() for text in ("打138112", "打997654")]
    short = [grams(fold([text]), 20).buckets.tolist() for text in ("打138", "打997")]
    assert long[0] == long[1]
    assert short[0] != short[1]


def test_an_empty_text_has_none_and_a_single_character_has_some() -> None:
    found = grams(fold(["", "好"]), 16)
    assert np.diff(found.offsets).tolist()[0] <= 1
    assert np.diff(found.offsets).tolist()[1] >= 1
