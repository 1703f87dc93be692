"""Characters as tokens: the tokenizer file, and a corpus packed into ids once, to be read by memory map.

Texts are folded first (`classifiers.normalise`), so the alphabet holds no capitals, no traditional characters and no
styled letters. A line of a corpus becomes its characters and one `SEP`; a text to be classified gets one at either
end, which is what tells a word at the edge from one inside.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.alphabet import SPECIALS, UNK, Alphabet
from classifiers.errors import DataError
from classifiers.normalise.fold import Folded, fold
from classifiers.normalise.tables import CODE_POINTS

Ids = NDArray[np.uint16]
LINES = 8192  # folded together


def corpus_lines(path: Path) -> Iterator[list[str]]:
    """Batches of the lines of a plain or .xz text file in UTF-8.

    Raises:
        DataError: the file is missing, is no such file, or is damaged.
    """
    if not path.is_file():
        raise DataError(path, "-", "no such file", "a text file in UTF-8, plain or .xz, one text a line")
    opener = lzma.open if path.suffix == ".xz" else open
    batch: list[str] = []
    try:
        with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                if text := line.strip():
                    batch.append(text)
                if len(batch) == LINES:
                    yield batch
                    batch = []
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise DataError(path, "-", f"unreadable: {error}", "a whole text file in UTF-8, plain or .xz") from error
    if batch:
        yield batch


def count_characters(batches: Iterator[Sequence[str]]) -> NDArray[np.int64]:
    """How often each code point occurs in texts after folding."""
    found = np.zeros(CODE_POINTS, dtype=np.int64)
    for texts in batches:
        found += np.bincount(fold(texts).points, minlength=CODE_POINTS)
    return found


def choose_alphabet(counts: NDArray[np.int64], size: int, least: int) -> Alphabet:
    """The most frequent characters, at most `size` with the special tokens, each seen at least `least` times."""
    order = np.argsort(-counts, kind="stable")[: size - len(SPECIALS)]
    return Alphabet.of([chr(int(point)) for point in order if counts[point] >= least])


def save_tokenizer(alphabet: Alphabet, path: Path) -> None:
    """Write a tokenizer file that the `tokenizers` library loads; it expects folded text."""
    vocabulary = dict(zip((*SPECIALS, *alphabet.characters), range(len(alphabet)), strict=True))
    special = [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, token in enumerate(SPECIALS)
    ]
    edge = {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
    single = [edge, {"Sequence": {"id": "A", "type_id": 0}}, edge]
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": r"[\s\S]"},
            "behavior": "Isolated",
            "invert": False,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, {"Sequence": {"id": "B", "type_id": 0}}, edge],
            "special_tokens": {"[SEP]": {"id": "[SEP]", "ids": [SPECIALS.index("[SEP]")], "tokens": ["[SEP]"]}},
        },
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": SPECIALS[UNK]},
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def pack(batches: Iterator[Sequence[str]], alphabet: Alphabet) -> Ids:
    """Ids of texts, one after another, each closed by `SEP`."""
    parts = [_closed(fold(texts), alphabet) for texts in batches]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint16)


def _closed(folded: Folded, alphabet: Alphabet) -> Ids:
    ids = alphabet.lookup[folded.points]
    return np.insert(ids, folded.bounds[1:], SPECIALS.index("[SEP]")).astype(np.uint16)


def pack_corpus(
    files: Sequence[Path], alphabet: Alphabet, folder: Path, tick: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """Pack each file into `folder/NAME.npy`, once; returns the SHA-256 of each file read.

    A packed file is used again when the file and the alphabet it was made from are the same, byte for byte.

    Raises:
        DataError: a file is missing or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digests: dict[str, str] = {}
    for path in files:
        digest = file_digest(path)
        digests[path.name] = digest
        target, note = packed_file(folder, path), folder / f"{path.name}.sha256"
        made_from = f"{digest} {alphabet.digest}"
        if not (target.is_file() and note.is_file() and note.read_text(encoding="ascii") == made_from):
            note.unlink(missing_ok=True)
            np.save(target, pack(corpus_lines(path), alphabet), allow_pickle=False)
            note.write_text(made_from, encoding="ascii")
        tick(path.name)
    return digests


def packed_file(folder: Path, source: Path) -> Path:
    """Where the ids of a corpus file are kept."""
    return folder / f"{source.name}.npy"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(path, "-", "no such file", "a text file in UTF-8, plain or .xz, one text a line")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
