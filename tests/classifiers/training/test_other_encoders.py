"""Any Hugging Face encoder is fine-tuned, exported, served and distilled from, on a small one made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, BertConfig, BertModel, BertTokenizerFast

from classifiers.cascade import load_cascade
from classifiers.encoder import load_encoder
from classifiers.errors import ModelError, RecipeError
from classifiers.normalise import fold
from classifiers.pieces import Pieces
from classifiers.training.begin import begin
from classifiers.training.device import best_device
from classifiers.training.encoder_recipe import load_encoder_recipe
from classifiers.training.float_teacher import FloatTeacher, on_gpu
from tests.classifiers.training.test_encoder_train import ENCODER, PLAIN, WRONG, data, run

__all__ = ["data"]

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
RATE = ENCODER.replace("version: encoder-tiny", "version: other-tiny").replace(
    "rate: 0.01, table_rate: 0.01", "rate: 0.006, table_rate: 0.006"
)
DISTIL = (
    ENCODER.replace("version: encoder-tiny", "version: distilled-tiny")
    + "distil: {unlabelled: [posts.txt], most: 400, share: 0.5, weight: 0.7}\n"
)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a hub would give it: BERT's architecture, very small, with weights drawn by chance."""
    folder = tmp_path_factory.mktemp("bert")
    characters = sorted({char for word in (*PLAIN, *WRONG["forum"], *WRONG["bets"]) for char in word})
    (folder / "vocab.txt").write_text("\n".join((*SPECIAL, *characters)), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(1)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(SPECIAL) + len(characters), max_position_embeddings=64, **shape)
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def made(data: Path, bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    (data / "other.yaml").write_text(RATE, encoding="utf-8")
    work = tmp_path_factory.mktemp("other")
    return run(data, work, "other.yaml", encoder=str(bert)), work


def test_it_learns_and_is_served_without_torch(made: Any, data: Path) -> None:
    trained, _ = made
    assert trained.card["encoder"]["untouched"]["mean"]["macro_f1"] > 0.9
    assert trained.card["agreement"]["decisions"] >= 0.995
    served = load_encoder(trained.folder)
    assert isinstance(served.tokens, Pieces)
    texts = ["今天真丑同学天气", "今天下注同学天气", "今天春游同学天气", "", "今天春游" * 60]
    scores = served.probabilities(served.margins(fold(texts)))
    assert (scores[:3] > 0.5).tolist() == [[True, False], [False, True], [False, False]]
    alone = np.concatenate([served.margins(fold([text])) for text in texts])
    assert np.allclose(alone, served.margins(fold(texts)), atol=1e-3)
    about = served.manifest["pretrained"]
    assert about["model_type"] == "bert"
    assert len(about["sha256"]) == 64


def test_classify_takes_its_folder(made: Any, data: Path) -> None:
    trained, _ = made
    (trained.folder.parent / "linear-tiny").symlink_to(data / "models" / "linear-tiny")
    found = load_cascade(trained.folder).assess(["今天下注同学天气"])[0]
    assert found.model == "other-tiny+linear-tiny"
    assert found.scores["gambling"] > 0.5


def test_what_was_trained_is_kept_in_the_format_it_came_in(made: Any) -> None:
    _, work = made
    again = AutoModelForSequenceClassification.from_pretrained(work / "other-tiny" / "model")
    assert list(again.config.id2label.values()) == ["bullying", "gambling"]


def test_a_student_learns_from_a_teacher(made: Any, data: Path, tmp_path: Path) -> None:
    (data / "distil.yaml").write_text(DISTIL, encoding="utf-8")
    labelled = data / "labelled"
    if not labelled.exists():
        labelled.symlink_to(data)
    trained, _ = made
    student = run(data, tmp_path, "distil.yaml", teachers=(trained.folder,))
    assert student.card["encoder"]["untouched"]["mean"]["macro_f1"] > 0.9
    assert "distil" in student.card["about"]["recipe"]


def test_a_recipe_that_distils_needs_a_teacher_and_only_that_takes_one(made: Any, data: Path, tmp_path: Path) -> None:
    (data / "distil.yaml").write_text(DISTIL, encoding="utf-8")
    with pytest.raises(RecipeError, match="no teacher"):
        run(data, tmp_path, "distil.yaml")
    with pytest.raises(RecipeError, match="how a student learns"):
        run(data, tmp_path, teachers=(made[0].folder,))
    (data / "lost.yaml").write_text(DISTIL.replace("posts.txt", "nowhere.txt"), encoding="utf-8")
    with pytest.raises(Exception, match=r"nowhere\.txt.*no such file"):
        run(data, tmp_path, "lost.yaml", teachers=(made[0].folder,))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "pickled ones are not read"),
        (lambda folder: (folder / "config.json").write_text("{", encoding="utf-8"), "no pretrained encoder"),
        (
            lambda folder: (folder / "config.json").write_text('{"model_type": "unheard-of"}', encoding="utf-8"),
            "does not read",
        ),
    ],
)
def test_what_cannot_be_read_is_named(bert: Path, data: Path, tmp_path: Path, spoil: Any, said: str) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    for file in bert.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    spoil(folder)
    recipe, _ = load_encoder_recipe(data / "encoder.yaml")
    with pytest.raises(ModelError, match=said):
        begin(recipe, str(folder))


def test_a_teacher_on_a_gpu_says_what_its_served_file_says(made: Any) -> None:
    trained, work = made
    served = load_encoder(trained.folder)
    folded = fold(["今天真丑同学天气", "今天下注同学天气", "今天春游同学天气", "今天春游" * 60])
    teacher = FloatTeacher(served, work / "other-tiny" / "model")
    assert teacher.slugs == served.slugs
    assert ((teacher.margins(folded) > 0) == (served.margins(folded) > 0)).all()
    if best_device().type == "cpu":
        assert on_gpu(served, work) is served


def test_special_ids_that_the_tokenizer_lacks_are_refused(made: Any, tmp_path: Path) -> None:
    path = made[0].folder / "tokenizer.json"
    ids = json.loads((made[0].folder / "manifest.json").read_text(encoding="utf-8"))["pieces"]
    assert Pieces.read(path, ids).mask == ids["mask"]
    with pytest.raises(ModelError, match="beyond a vocabulary"):
        Pieces.read(path, {**ids, "pad": 99999})
    with pytest.raises(ModelError, match="longest"):
        Pieces.read(path, {**ids, "longest": 5000})
    with pytest.raises(ModelError, match="no tokenizer"):
        Pieces.read(tmp_path / "nowhere.json", ids)
