"""The blend of the linear model with an encoder, on the small encoder kept beside this file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifiers.blend import Blend
from classifiers.cascade import EXPLAIN_FROM, load_cascade
from classifiers.encoder import MANIFEST, load_encoder
from classifiers.errors import ModelError
from classifiers.linear import load_model, newest

TINY = Path(__file__).parent / "tiny_encoder"
TEXTS = ["加微信领游戏点券", "今天的作文课真有意思", "你这个废物", "", "真人荷官在线，注册送彩金"] * 20


def encoder_folder(folder: Path, reach: float, *, linear: str | None = None) -> Path:
    """The small encoder, with a blend that lets texts through from one linear probability on."""
    shutil.copytree(TINY, folder)
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    for entry in manifest["categories"]:
        entry |= {"blend": [1.0, 0.0], "reach": reach}
    manifest["linear"] = newest().name if linear is None else linear
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    return folder


def test_only_what_the_linear_model_is_not_sure_of_reaches_the_encoder(tmp_path: Path) -> None:
    linear = load_model(newest())
    chosen = Blend(load_encoder(encoder_folder(tmp_path / "some", 0.2)), linear)
    cascade = load_cascade(tmp_path / "some")
    alone = load_cascade(newest())
    texts = cascade.scores(TEXTS)
    without = alone.scores(TEXTS)
    probabilities = linear.probabilities(linear.margins(linear.grams(_folded(TEXTS))))
    sure = ~chosen.reached(probabilities)
    assert sure.any()
    assert not sure.all()
    assert np.allclose(texts[sure], without[sure], atol=1e-9)
    assert not np.allclose(texts[~sure], without[~sure], atol=1e-3)


def _folded(texts: list[str]):  # type: ignore[no-untyped-def]
    from classifiers.normalise import fold

    return fold(texts)


def test_an_explanation_tells_the_linear_model_the_encoder_and_their_blend_apart(tmp_path: Path) -> None:
    folder = encoder_folder(tmp_path / "all", 0.0)
    text = "加微信领游戏点券"
    [stage, *_] = load_cascade(folder).explain(text).stages
    encoder, linear = load_encoder(folder), load_model(newest())
    margins = linear.margins(linear.grams(_folded([text])))
    assert stage.linear == pytest.approx(dict(zip(linear.slugs, linear.probabilities(margins)[0], strict=True)))
    own = encoder.probabilities(encoder.margins(_folded([text])))[0]
    assert stage.encoder == pytest.approx(dict(zip(encoder.slugs, own, strict=True)))
    for slug in encoder.slugs:
        low, high = sorted((stage.linear[slug], stage.encoder[slug]))
        assert low < stage.blend[slug] < high


def test_an_encoder_that_was_not_asked_says_nothing_in_an_explanation(tmp_path: Path) -> None:
    for cascade in (load_cascade(encoder_folder(tmp_path / "never", 2.0)), load_cascade(newest())):
        [stage, *_] = cascade.explain("今天的作文课真有意思").stages
        assert stage.encoder == {}
        assert stage.blend == stage.linear


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_how_much_of_the_mean_is_the_encoders_stands_in_its_manifest(tmp_path: Path, share: float) -> None:
    folder = encoder_folder(tmp_path / "all", 0.0)
    _put(folder, share)
    encoder, linear = load_encoder(folder), load_model(newest())
    folded = _folded(TEXTS[:3])
    margins = linear.margins(linear.grams(folded))
    found = Blend(encoder, linear).read(folded, margins, linear.probabilities(margins)).probabilities
    for k, slug in enumerate(encoder.slugs):
        column = linear.slugs.index(slug)
        own, other = encoder.calibration[k], linear.calibration[column]
        mine = own.slope * encoder.margins(folded)[:, k] + own.offset
        theirs = other.slope * margins[:, column] + other.offset
        assert np.allclose(found[:, column], 1 / (1 + np.exp(-(share * mine + (1 - share) * theirs))))


def test_a_share_that_is_none_is_refused(tmp_path: Path) -> None:
    folder = encoder_folder(tmp_path / "all", 0.0)
    _put(folder, "most")
    with pytest.raises(ModelError, match="bullying: encoder_share = 'most'.*from 0 to 1"):
        Blend(load_encoder(folder), load_model(newest()))


def _put(folder: Path, share: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    for entry in manifest["categories"]:
        entry["encoder_share"] = share
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")


def test_a_text_gets_the_same_scores_alone_and_in_any_batch(tmp_path: Path) -> None:
    cascade = load_cascade(encoder_folder(tmp_path / "all", 0.0))
    together = cascade.scores(TEXTS)
    assert np.allclose([cascade.scores([text])[0] for text in TEXTS[:5]], together[:5], atol=1e-3)


def test_asked_to_read_everything_the_encoder_reads_everything(tmp_path: Path) -> None:
    never = load_cascade(encoder_folder(tmp_path / "never", 2.0))
    without = load_cascade(newest()).scores(TEXTS)
    assert np.allclose(never.scores(TEXTS), without)
    never.every = True
    assert not np.allclose(never.scores(TEXTS), without, atol=1e-3)


def test_what_only_the_encoder_raised_is_explained_by_what_is_missed_when_it_is_left_out(tmp_path: Path) -> None:
    cascade = load_cascade(encoder_folder(tmp_path / "all", 0.0))
    text = "台下的别拍 影响演员"
    assessment = cascade.assess([text])[0]
    spans = [span for span in assessment.spans if span.reason == "encoder"]
    assert {span.slug for span in spans} == {"bullying"}
    without = text[: spans[0].start] + text[spans[0].end :]
    assert cascade.assess([without])[0].scores["bullying"] < assessment.scores["bullying"]
    assert assessment in cascade.assess([*TEXTS, text])


def test_no_category_that_is_high_is_without_a_span(tmp_path: Path) -> None:
    cascade = load_cascade(encoder_folder(tmp_path / "all", 0.0))
    for text, assessment in zip(TEXTS[:5], cascade.assess(TEXTS[:5]), strict=True):
        high = {slug for slug, score in assessment.scores.items() if score >= EXPLAIN_FROM}
        assert not text or high == {span.slug for span in assessment.spans}


def test_an_assessment_names_both_models(tmp_path: Path) -> None:
    folder = encoder_folder(tmp_path / "both", 0.0)
    version = load_cascade(folder).assess(["好"])[0].model
    assert newest().name in version
    assert load_encoder(folder).version in version


def test_an_encoder_without_its_linear_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        load_cascade(encoder_folder(tmp_path / "alone", 0.0, linear="nowhere"))


def test_an_encoder_that_was_never_blended_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TINY, tmp_path / "raw"))
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    for entry in manifest["categories"]:
        entry.pop("blend", None)
        entry.pop("reach", None)
    (folder / MANIFEST).write_text(json.dumps(manifest | {"linear": newest().name}), "utf-8")
    with pytest.raises(ModelError, match="blend"):
        load_cascade(folder)
