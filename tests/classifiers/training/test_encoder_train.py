"""Fine-tuning from end to end on made-up sets: it learns, goes on where it was ended, and what is served agrees."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from classifiers.alphabet import Alphabet
from classifiers.encoder import load_encoder
from classifiers.errors import ModelError, RecipeError
from classifiers.normalise import fold
from classifiers.training import encoder_run, encoder_train
from classifiers.training.begin import begin
from classifiers.training.device import ahead
from classifiers.training.encoder_draws import Draws
from classifiers.training.encoder_measure import fit_curves
from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForCategories
from classifiers.training.encoder_recipe import load_encoder_recipe
from classifiers.training.encoder_run import train_encoder
from classifiers.training.encoder_train import Tuner, logits_of, loss_of, watch
from classifiers.training.pretrain import Source, pretrain
from classifiers.training.recipe import RECIPES
from classifiers.training.rows import UNKNOWN, Rows
from classifiers.training.train import halves, train
from tests.classifiers.made_up import PLAIN, described, told_by_label

QUIET = Console(quiet=True)
TINY = Path(__file__).parents[1] / "tiny_encoder"
SETS = described("forum", told_by_label("bullying"), share=0.4) + described(
    "bets", told_by_label("gambling"), "ordinary: true", share=0.4
)
LINEAR = """
version: linear-tiny
seed: 5
bits: 12
sets_file: sets.yaml
columns: {bullying: {}, gambling: {}}
"""
PRETRAIN = """
version: pretrained-tiny
seed: 5
corpora: [{file: posts.txt, weight: 1, tier: open}]
alphabet: {size: 128, least: 1}
shape: {hidden: 16, layers: 1, heads: 2, inner: 16, character: 8, pair: 8, pair_buckets: 128, triple: 8,
  triple_buckets: 128, sound: 4, sound_pair: 4, sound_pair_buckets: 64}
vectors: {tokens: 5000, window: 2, contexts: 16}
training: {tokens: 1280, batch: 4, length: 16, warm_up: 2, rate: 0.01}
"""
ENCODER = """
version: encoder-tiny
seed: 5
sets_file: sets.yaml
categories: [bullying, gambling]
training: {samples: 36000, batch_ids: 4096, rate: 0.01, table_rate: 0.01, evaded: 0.1, check_every: 4000}
"""
WRONG = {"forum": ("真丑", "滚开"), "bets": ("下注", "赔率")}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    random = Random(2)
    posts: list[str] = []
    for name, words in WRONG.items():
        rows = []
        for _ in range(500):
            label = random.randint(0, 1)
            parts = random.choices(PLAIN, k=7) + ([random.choice(words)] if label else [])
            random.shuffle(parts)
            rows.append({"text": "".join(parts), "label": label})
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        posts += [row["text"] for row in rows]
    (folder / "posts.txt").write_text("\n".join(posts), encoding="utf-8")
    for name, content in {"sets": SETS, "linear": LINEAR, "pretrain": PRETRAIN, "encoder": ENCODER}.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    pretrain(folder / "pretrain.yaml", Source(folder), folder / "work", console=QUIET)
    train(folder / "linear.yaml", folder, folder / "work", models=folder / "models", console=QUIET)
    return folder


def run(
    data: Path, work: Path, recipe: str = "encoder.yaml", encoder: str = "", teachers: tuple[Path, ...] = ()
) -> Any:
    return train_encoder(
        data / recipe,
        data,
        encoder or str(data / "work" / "pretrained-tiny" / "model"),
        work,
        teachers=teachers,
        models=work / "models",
        linear=data / "models" / "linear-tiny",
        console=QUIET,
    )


def test_it_learns_is_exported_and_measured_beside_the_linear_model(data: Path, tmp_path: Path) -> None:
    made = run(data, tmp_path)
    assert made.card["encoder"]["untouched"]["mean"]["macro_f1"] > 0.9
    assert set(made.card["average"]) == {"untouched", "evaded"}
    assert made.card["agreement"]["decisions"] >= 0.995
    served = load_encoder(made.folder)
    assert served.slugs == ("bullying", "gambling")
    scores = served.probabilities(served.margins(fold(["今天真丑同学天气", "今天下注同学天气", "今天春游同学天气"])))
    assert (scores > 0.5).tolist() == [[True, False], [False, True], [False, False]]
    assert {entry["set"] for entry in served.manifest["data"]} == {"forum", "bets"}
    assert served.manifest["linear"] == "linear-tiny"
    assert served.manifest["tier"] == "limited"
    kept = json.loads((tmp_path / "encoder-tiny" / "model" / "manifest.json").read_text(encoding="utf-8"))
    assert (kept["version"], kept["tier"]) == ("encoder-tiny", "limited")
    assert all(len(entry["blend"]) == 2 for entry in served.manifest["categories"])
    saved = WoodpeckerForCategories.from_pretrained(tmp_path / "encoder-tiny" / "model")
    assert saved.config.classes == ["bullying", "gambling"]


def made_up_rows() -> Rows:
    random = Random(3)
    texts = ["".join(random.choices(PLAIN, k=6)) + ("真丑" if k % 2 else "") for k in range(400)]
    says = np.full((400, 2), UNKNOWN, dtype=np.int8)
    says[:, 0] = np.arange(400) % 2
    return Rows(
        texts=texts,
        slugs=("bullying", "gambling"),
        says=says,
        held=np.arange(400) >= 300,
        group=np.arange(400),
        origin=(np.arange(400) % 4 == 0).astype(np.int32),
        sets=("forum", "bets"),
    )


def _tuner(data: Path, samples: int, **more: float) -> tuple[Tuner, Any]:
    recipe, sets = load_encoder_recipe(data / "encoder.yaml")
    training = recipe.training.model_copy(update={"samples": samples, **more})
    recipe = recipe.model_copy(update={"training": training})
    begun = begin(recipe, str(data / "work" / "pretrained-tiny" / "model"))
    rows = made_up_rows()
    draws = Draws(rows, sets, {}, begun.tokens, recipe.training, recipe.seed)
    return Tuner(begun.model, begun.tokens, recipe, draws), watch(rows, halves(rows, 5), 5)


def test_a_run_ended_anywhere_goes_on_as_if_it_had_not_been(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, watched = _tuner(data, 3000)
    expected = whole.go(watched, tmp_path / "a", {"run": 1}, lambda _: None)
    cut, watched = _tuner(data, 3000, checkpoint_minutes=1e-9)
    ended = cut._one

    def dies(batch: Any) -> float:
        if cut.samples > 1200:
            raise KeyboardInterrupt
        return ended(batch)

    monkeypatch.setattr(cut, "_one", dies)
    with pytest.raises(KeyboardInterrupt):
        cut.go(watched, tmp_path / "b", {"run": 1}, lambda _: None)
    again, watched = _tuner(data, 3000)
    said: list[str] = []
    found = again.go(watched, tmp_path / "b", {"run": 1}, said.append)
    assert said[0].startswith("goes on from")
    for name, value in expected.items():
        assert torch.allclose(value, found[name], atol=1e-5), name
    with pytest.raises(ModelError, match="another run"):
        _tuner(data, 3000)[0].go(watched, tmp_path / "b", {"run": 2}, lambda _: None)


def test_rounds_drawn_ahead_by_a_thread_train_as_those_drawn_when_asked_for(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU."""
    found = []
    for threads in (0, 1):
        monkeypatch.setattr(encoder_train, "ahead", partial(ahead, threads=threads))
        tuner, watched = _tuner(data, 10_000)
        found.append(tuner.go(watched, tmp_path / str(threads), {"run": 1}, lambda _: None))
    for name, value in found[0].items():
        assert torch.equal(value, found[1][name]), name


def test_a_category_that_no_row_speaks_of_gets_no_gradient() -> None:
    logits = torch.zeros(3, 2, requires_grad=True)
    says = torch.tensor([[1, UNKNOWN], [0, UNKNOWN], [1, UNKNOWN]], dtype=torch.int8)
    loss_of(logits, says, 0.0).backward()
    assert (logits.grad[:, 1] == 0).all()
    assert (logits.grad[:, 0] != 0).all()


def test_the_float_model_reads_long_texts_by_their_strongest_window() -> None:
    alphabet = Alphabet.of(list("作文课"))
    shape = {"hidden": 8, "layers": 1, "heads": 2, "inner": 8, "pair_buckets": 16, "triple_buckets": 16}
    model = WoodpeckerForCategories(WoodpeckerConfig(vocab_size=7, classes=["bullying"], **shape)).eval()
    long = logits_of(model, alphabet, fold(["作文课文" * 100, "作"]))
    assert long.shape == (2, 1)
    assert np.isfinite(long).all()


def test_the_shipped_recipe_is_valid_and_wrong_ones_say_why(data: Path, tmp_path: Path) -> None:
    recipe, sets = load_encoder_recipe(RECIPES / "encoder.yaml")
    assert "sexual_exploitation" not in recipe.categories
    assert sets
    path = tmp_path / "recipe.yaml"
    for line, said in {
        "colour: red": "unknown key 'colour'",
        "weights: {nothing: 2}": "'nothing'",
        "most: {nothing: 2}": "'nothing'",
        "least_shares: {gambling: 0.2}": "'gambling'",
        "encoder_shares: {gambling: 0.2}": "'gambling'",
    }.items():
        path.write_text(
            f"version: v\nseed: 1\ncategories: [bullying]\ntraining: {{samples: 1}}\n{line}", encoding="utf-8"
        )
        with pytest.raises(RecipeError, match=said):
            load_encoder_recipe(path)


def test_a_category_is_calibrated_as_if_it_were_as_common_as_the_recipe_says() -> None:
    random = np.random.default_rng(1)
    says = (random.random((4000, 2)) < 0.1).astype(np.int8)
    margins = says + random.normal(0.0, 1.0, says.shape)
    usual, common = fit_curves(margins, says, [0.02, 0.5])
    assert 0.08 < usual(margins[:, 0]).mean() < 0.12
    even = np.where(says[:, 1] == 1, 1 / says[:, 1].mean(), 1 / (1 - says[:, 1].mean()))
    assert 0.45 < np.average(common(margins[:, 1]), weights=even) < 0.55


def test_what_is_no_pretrained_encoder_or_lacks_a_column_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no pretrained encoder"):
        train_encoder(
            data / "encoder.yaml",
            data,
            str(tmp_path),
            tmp_path / "work",
            linear=data / "models" / "linear-tiny",
            console=QUIET,
        )
    (data / "more.yaml").write_text(ENCODER.replace("gambling]", "gambling, self_harm]"), encoding="utf-8")
    with pytest.raises(ModelError, match="no column for self_harm"):
        run(data, tmp_path, "more.yaml")


def _of_tier(source: Path, target: Path, tier: str) -> Path:
    shutil.copytree(source, target)
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8")) | {"tier": tier}
    (target / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return target


class ReadOn(Exception):
    """Nothing was refused before the sets are read."""


@pytest.mark.parametrize("limited", ["encoder", "linear", "teacher", None])
def test_a_build_of_the_open_tier_takes_no_model_of_the_limited_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limited: str | None
) -> None:
    def reads_on(*_: object, **__: object) -> None:
        raise ReadOn

    monkeypatch.setattr(encoder_run, "load_rows", reads_on)
    sources = {
        "encoder": data / "work" / "pretrained-tiny" / "model",
        "linear": data / "models" / "linear-tiny",
        "teacher": TINY,
    }
    parts = {
        name: _of_tier(source, tmp_path / name, "limited" if name == limited else "open")
        for name, source in sources.items()
    }
    recipe = data / "distil-open.yaml"
    recipe.write_text(f"{ENCODER}distil: {{share: 0}}\n", encoding="utf-8")

    def build() -> None:
        train_encoder(
            recipe,
            data,
            str(parts["encoder"]),
            tmp_path / "work",
            teachers=[parts["teacher"]],
            linear=parts["linear"],
            tier="open",
            console=QUIET,
        )

    if limited is None:
        with pytest.raises(ReadOn):
            build()
    else:
        with pytest.raises(ModelError, match=f"{limited}: found a model of tier limited.*--tier open"):
            build()


def test_the_encoder_is_read_by_the_transformers_library(data: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    from classifiers.training.encoder_model import register

    register()
    model = WoodpeckerForCategories(WoodpeckerConfig(vocab_size=9, hidden=8, heads=2, classes=["bullying", "gambling"]))
    model.save_pretrained(tmp_path / "m")
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "m")
    assert isinstance(again, WoodpeckerForCategories)
    ids = torch.tensor([[2, 5, 6, 2]])
    with torch.no_grad():
        assert torch.equal(model.eval()(ids), again.eval()(ids))
