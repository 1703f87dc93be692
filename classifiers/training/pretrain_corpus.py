"""What a pretraining run reads: corpora and unlabelled training texts, packed once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.alphabet import Alphabet
from classifiers.encoder import TOKENIZER
from classifiers.errors import DataError
from classifiers.training.pretrain_parts import UNPACKED
from classifiers.training.pretrain_recipe import PretrainRecipe
from classifiers.training.rows import held_back, read_jsonl, text_of
from classifiers.training.sets import LabelledSet
from classifiers.training.tokens import (
    Ids,
    choose_alphabet,
    corpus_lines,
    count_characters,
    file_digest,
    pack,
    pack_corpus,
    packed_file,
    save_tokenizer,
)

LABELLED, MADE_FROM = "labelled", "alphabet.made_from"


@dataclass(frozen=True, slots=True)
class Mixture:
    """Packed streams and the share of each in what is drawn: see `pretrain_blocks`."""

    streams: tuple[Ids, ...]
    shares: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run's reading: its alphabet, its mixture, what of it is held back, and the SHA-256 of each file."""

    alphabet: Alphabet
    mixture: Mixture
    held: Mixture
    digests: dict[str, str]


def prepare(
    recipe: PretrainRecipe,
    sets: Sequence[LabelledSet],
    data: Path,
    folder: Path,
    tick: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Read everything once and pack it into `folder`; what is packed already and unchanged is not read again.

    Raises:
        DataError: a file is missing, damaged or too short.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNPACKED).unlink(missing_ok=True)  # what lies here may become another than was brought
    files = [data / corpus.file for corpus in recipe.corpora]
    sources = [*files, *(data / LABELLED / labelled.file for labelled in sets)]
    digests = {path.name: file_digest(path) for path in sources}
    alphabet = _alphabet(recipe, sets, data, folder, digests)
    tick("alphabet")
    pack_corpus(files, alphabet, folder, tick)
    return from_packed(recipe, sets, folder, digests)


def from_packed(recipe: PretrainRecipe, sets: Sequence[LabelledSet], folder: Path, digests: dict[str, str]) -> Prepared:
    """What was packed into a folder before, of corpora with these SHA-256.

    Raises:
        DataError: a corpus is too short.
    """
    # Mapped to be written to in memory, though nothing is: a tensor is made of no other kind.
    streams = [np.load(path, mmap_mode="c", allow_pickle=False) for path in _streams(recipe, folder)]
    weights = [corpus.weight for corpus in recipe.corpora]
    if sets:
        streams.append(np.load(folder / f"{LABELLED}.npy", allow_pickle=False))
        weights.append(recipe.labelled_weight)
    return _split(recipe, Alphabet.read(folder / TOKENIZER), streams, weights, digests, folder)


def packed_files(recipe: PretrainRecipe, sets: Sequence[LabelledSet], folder: Path) -> list[Path]:
    """Every file that `prepare` leaves, notes of what each was made from among them."""
    streams = _streams(recipe, folder)
    notes = [folder / f"{Path(corpus.file).name}.sha256" for corpus in recipe.corpora]
    labelled = [folder / f"{LABELLED}.npy"] if sets else []
    return [folder / TOKENIZER, folder / MADE_FROM, *streams, *notes, *labelled]


def packed_from(recipe: PretrainRecipe, sets: Sequence[LabelledSet]) -> dict[str, Any]:
    """All that packing and counting depend on beside the corpora, by the recipe's own names."""
    return {
        "corpora": [corpus.file for corpus in recipe.corpora],
        "labelled": [labelled.model_dump(mode="json") for labelled in sets],
        "alphabet": recipe.alphabet.model_dump(mode="json"),
        "seed": recipe.seed,
        "shape": recipe.shape.tables(),
        "vectors": recipe.vectors and recipe.vectors.model_dump(mode="json"),
    }


def _streams(recipe: PretrainRecipe, folder: Path) -> list[Path]:
    return [packed_file(folder, Path(corpus.file)) for corpus in recipe.corpora]


def _alphabet(
    recipe: PretrainRecipe, sets: Sequence[LabelledSet], data: Path, folder: Path, digests: dict[str, str]
) -> Alphabet:
    """The alphabet of all that is read; with it the labelled sets' texts are packed, which are slow to part."""
    described = [labelled.model_dump(mode="json") for labelled in sets]
    made_from = json.dumps([digests, described, recipe.alphabet.model_dump(), recipe.seed], sort_keys=True)
    path, note = folder / TOKENIZER, folder / MADE_FROM
    if note.is_file() and note.read_text(encoding="utf-8") == made_from:
        return Alphabet.read(path)
    note.unlink(missing_ok=True)
    texts = _labelled_texts(sets, data / LABELLED, recipe.seed)
    counts = count_characters(batch for corpus in recipe.corpora for batch in corpus_lines(data / corpus.file))
    counts += count_characters(iter([texts]))
    alphabet = choose_alphabet(counts, recipe.alphabet.size, recipe.alphabet.least)
    save_tokenizer(alphabet, path)
    order = np.random.default_rng(recipe.seed).permutation(len(texts))
    np.save(folder / f"{LABELLED}.npy", pack(iter([[texts[i] for i in order]]), alphabet), allow_pickle=False)
    note.write_text(made_from, encoding="utf-8")
    return alphabet


def _split(
    recipe: PretrainRecipe,
    alphabet: Alphabet,
    streams: list[Ids],
    weights: list[float],
    digests: dict[str, str],
    folder: Path,
) -> Prepared:
    """Hold back the last two hundredths of each stream: what the loss is watched on."""
    length = recipe.training.length
    kept, held = [], []
    for ids in streams:
        cut = int(len(ids) * 0.98)
        if len(ids) - cut < length or cut < length:
            allowed = f"at least {50 * length} characters, or a shorter training.length"
            raise DataError(folder, "corpora", f"a corpus of {len(ids)} characters", allowed)
        kept.append(ids[:cut])
        held.append(ids[cut:])
    shares = np.array(weights) / sum(weights)
    return Prepared(alphabet, Mixture(tuple(kept), shares), Mixture(tuple(held), shares), digests)


def _labelled_texts(sets: Sequence[LabelledSet], folder: Path, seed: int) -> list[str]:
    """The texts of labelled sets that their own rule does not hold back, without any label."""
    found: list[str] = []
    for labelled in sets:
        rows = list(read_jsonl(folder / labelled.file))
        texts = [text_of(row, labelled) for row in rows]
        held = held_back(rows, texts, labelled.hold_back, seed)
        found += [text for text, apart in zip(texts, held, strict=True) if not apart]
    return found
