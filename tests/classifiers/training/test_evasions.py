from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.normalise import fold
from classifiers.normalise.listed import read_listed
from classifiers.training.evasions import EVASIONS, FORM, MARTIAN, TRAINED, evade

TEXT = "加微信领游戏点券，先到先得，明天就没有了"


@pytest.mark.parametrize("kind", EVASIONS)
def test_an_evasion_changes_a_text_and_the_same_way_again(kind: str) -> None:
    text = TEXT + "abc123是钱"
    changed = evade(text, kind, Random(3))
    assert changed != text
    assert evade(text, kind, Random(3)) == changed


@pytest.mark.parametrize(
    "kind", [kind for kind in FORM if kind not in {"spaced", "punctuated", "emoji_between", "variant"}]
)
def test_evasions_of_form_alone_are_wholly_undone(kind: str) -> None:
    assert fold([evade(TEXT, kind, Random(1))]).text(0) == fold([TEXT]).text(0)


@given(st.text(max_size=30), st.sampled_from(sorted(EVASIONS)), st.integers(0, 5))
def test_any_text_can_be_treated(text: str, kind: str, seed: int) -> None:
    assert isinstance(evade(text, kind, Random(seed)), str)


def test_martian_script_is_measured_by_characters_most_of_which_nothing_undoes_by_a_list() -> None:
    seen = [(other, meant) for meant, others in read_listed(MARTIAN).items() for other in others]
    undone = {(other, meant) for meant, others in read_listed("martian.tsv").items() for other in others}
    assert sum(pair not in undone and fold([pair[0]]).text(0) != pair[1] for pair in seen) > len(seen) / 2


def test_models_are_not_trained_on_what_only_measures() -> None:
    assert not {"martian", "variant"} & set(TRAINED)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        evade("a", "nowhere", Random(1))
