from __future__ import annotations

from classifiers.training.copies import near_copies


def test_copies_that_differ_in_a_number_or_a_blank_are_one_group() -> None:
    text = "出售全新游戏点券，一百元换一千点，需要的私聊我，编号{}"
    groups = near_copies(
        [text.format(11), text.format(29), text.replace("，", " ， ").format(7), "今天的作文课真有意思呀"]
    )
    assert groups[0] == groups[1] == groups[2]
    assert groups[3] != groups[0]


def test_texts_without_letters_stay_apart() -> None:
    assert len(set(near_copies(["！！！", "？？？", ""]).tolist())) == 3


def test_no_texts_have_no_groups() -> None:
    assert near_copies([]).tolist() == []
