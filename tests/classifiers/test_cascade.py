from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.assessment import Assessment
from classifiers.cascade import CHARACTERS, Cascade, load, load_cascade
from config.taxonomy import SLUGS

PIECES = [
    "加微信",
    "加.微.信",
    "领点券",
    "傻逼",
    "赌博网站",
    "注册送彩金",
    "作文课",
    "真有意思",
    "😀",
    "abc",
    " ",
    "賭場",
    "𝘍𝘛",
    "12345",
    "。",
]


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    return load_cascade()


def sample(count: int) -> list[str]:
    dice = random.Random(5)
    return ["".join(dice.choices(PIECES, k=dice.randint(0, 14))) for _ in range(count)]


def test_every_assessment_has_all_fifteen_scores_and_the_models_version(cascade: Cascade) -> None:
    for assessment in cascade.assess(["", "好", "注册送彩金，真人荷官在线发牌", "x" * 20_000]):
        assert tuple(assessment.scores) == SLUGS
        assert all(0 <= score <= 1 for score in assessment.scores.values())
        assert assessment.model == cascade.version


def test_a_text_gets_the_same_assessment_alone_and_in_any_batch(cascade: Cascade) -> None:
    texts = sample(700)
    together = cascade.assess(texts)
    order = random.Random(9).sample(range(700), 700)
    shuffled = cascade.assess([texts[i] for i in order])
    assert [shuffled[order.index(i)] for i in range(0, 700, 13)] == [together[i] for i in range(0, 700, 13)]
    assert [cascade.assess([text])[0] for text in texts[:60]] == together[:60]


AWKWARD = ["", "好", "x" * 20_000, "废侮豆哺沂起" * 3000, "😀" * 500, "\ud800\udc00\ud800", "\u200b" * 50]
AWKWARD += ["Привет мир", "שלום", "0" * 300]


def test_long_texts_are_read_in_smaller_batches(cascade: Cascade, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(cascade, "_assess", lambda texts: sizes.append(sum(map(len, texts))) or list(texts))
    texts = ["好" * 20_000] * 7 + ["好"] * 600 + ["好" * (2 * CHARACTERS)] + ["好"]
    assert cascade.assess(texts) == texts
    assert max(sizes) == 2 * CHARACTERS
    assert sorted(sizes)[-2] <= CHARACTERS


def test_awkward_texts_get_the_same_scores_alone_and_together(cascade: Cascade) -> None:
    together = cascade.assess(AWKWARD)
    assert [cascade.assess([text])[0] for text in AWKWARD] == together
    for text, assessment in zip(AWKWARD, together, strict=True):
        assert all(0 <= span.start < span.end <= len(text) for span in assessment.spans)


def test_scores_are_the_same_on_one_thread_and_on_two(cascade: Cascade) -> None:
    texts = sample(120)
    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(cascade.scores, (texts[:60], texts[60:])))
    assert np.allclose(np.concatenate(halves), cascade.scores(texts), atol=1e-3)


def test_what_nobody_listed_is_read_as_it_is_meant(cascade: Cascade) -> None:
    [plain, hidden] = cascade.assess(["你这个废物，全班都不想跟你坐一起", "你这个废侮，全班豆哺想跟你坐沂起"])
    assert hidden.scores["bullying"] >= plain.scores["bullying"] - 0.1
    assert {entry.kind for entry in hidden.undone} & {"sound", "look_alike"}


def test_scores_alone_are_those_of_the_assessments(cascade: Cascade) -> None:
    texts = sample(50)
    assessed = np.array([list(one.scores.values()) for one in cascade.assess(texts)])
    assert np.allclose(cascade.scores(texts), assessed, atol=1e-4)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*PIECES, "\ud800", "\u200b", "\u0301", "\n"]), max_size=20))
def test_spans_and_undone_point_into_the_text_as_given(parts: list[str]) -> None:
    text = "".join(parts)
    [assessment] = _CASCADE.assess([text])
    assert all(0 <= span.start < span.end <= len(text) for span in assessment.spans)
    assert all(text[entry.start : entry.end] == entry.seen for entry in assessment.undone)


_CASCADE = load_cascade()


@pytest.mark.parametrize(
    "text",
    ["注册送彩金，真人荷官在线", "註冊送彩金，真人荷官在線", "注.册.送.彩.金 真*人*荷*官", "注册送采金，真人荷官在线"],
)
def test_an_invitation_to_gamble_is_flagged_however_it_is_spelled(cascade: Cascade, text: str) -> None:
    assert cascade.assess([text])[0].scores["gambling"] >= 0.5


@pytest.mark.parametrize(
    "text",
    ["", "😀😀😀", "今天的作文课真有意思", "警方捣毁一个赌博网站，抓获十人", "the quick brown fox", "紫砂壶怎么养"],
)
def test_ordinary_texts_are_not_flagged(cascade: Cascade, text: str) -> None:
    thresholds = dict.fromkeys(SLUGS, 0.5)
    assert cascade.assess([text])[0].flagged(thresholds) == []


def test_an_evasion_that_raised_a_score_is_shown(cascade: Cascade) -> None:
    [assessment] = cascade.assess(["信.誉.博.彩 等你来"])
    assert "信誉博彩" in {entry.read_as for entry in assessment.undone}


def test_an_explanation_has_each_stage_of_each_reading(cascade: Cascade) -> None:
    explained = cascade.explain("信.誉.博.彩 等你来")
    assert explained.assessment == cascade.assess(["信.誉.博.彩 等你来"])[0]
    assert len(explained.stages) == 2
    assert any(name.startswith("gambling.") for name in explained.stages[1].rules)


def test_an_explanation_shows_what_words_of_warning_took_from_the_models(cascade: Cascade) -> None:
    explained = cascade.explain("警方提醒：参与赌博违法，警惕网络赌博诈骗，请报警")
    [stage, *_] = explained.stages
    rule = max((value for name, value in stage.rules.items() if name.startswith("gambling.")), default=0.0)
    assert stage.context["gambling"] < 1
    assert stage.combined["gambling"] == pytest.approx(
        1 - (1 - rule) * (1 - stage.context["gambling"] * stage.blend["gambling"])
    )


def test_flagged_lists_categories_over_their_threshold_highest_first() -> None:
    assessment = Assessment(scores={"gambling": 0.6, "bullying": 0.9, "self_harm": 0.2}, model="m")
    thresholds = {"gambling": 0.6, "bullying": 0.5, "self_harm": 0.5}
    assert assessment.flagged(thresholds) == ["bullying", "gambling"]
    with pytest.raises(KeyError):
        assessment.flagged({})


def test_the_shipped_assessor_loads_and_says_its_version() -> None:
    assert load().version == _CASCADE.version


def test_rules_of_ones_own_are_part_of_the_version_and_what_is_told_about_them_is_not(tmp_path: Path) -> None:
    assert load(own_rules=tmp_path).version == _CASCADE.version
    head = "category: gambling\nauthor: us\ndate: 2026-01-01\nrules:\n"
    rule = head + "- {{name: bowls, any: [{}], strength: weak, reason: {}}}"
    versions = []
    for word, reason in (("押碗", "a"), ("押碗", "b"), ("押盘", "a")):
        (tmp_path / "own.yaml").write_text(rule.format(word, reason), encoding="utf-8")
        versions.append(load(own_rules=tmp_path).version)
    first, told_otherwise, other = versions
    assert first.startswith(f"{_CASCADE.version}+rules-")
    assert first == told_otherwise
    assert first != other


def test_asked_where_a_category_lies_it_says_so_however_low_the_score(cascade: Cascade) -> None:
    texts = [text for text in (*sample(40), "今天的作文课真有意思") if text]
    wanted = [[SLUGS[1 + number % (len(SLUGS) - 1)]] for number in range(len(texts))]
    for text, slugs, spans in zip(texts, wanted, cascade.point(texts, wanted), strict=True):
        assert {span.slug for span in spans} == set(slugs)
        assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert cascade.point(["好"], [[]]) == [()]


def test_asked_where_a_high_score_lies_it_says_what_it_said_unasked(cascade: Cascade) -> None:
    text = "注册送彩金，真人荷官在线发牌"
    told = [span for span in cascade.assess([text])[0].spans if span.slug == "gambling"]
    [asked] = cascade.point([text], [["gambling"]])
    assert told
    assert list(asked) == told
