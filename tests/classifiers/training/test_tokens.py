from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from classifiers.alphabet import SEP, UNK, Alphabet
from classifiers.errors import DataError, ModelError
from classifiers.normalise import fold
from classifiers.training.tokens import (
    choose_alphabet,
    corpus_lines,
    count_characters,
    pack,
    pack_corpus,
    packed_file,
    save_tokenizer,
)

LINES = ["今天的作文课真有意思", "春游去哪里", "作文课 ABC"]
ALPHABET = Alphabet.of(list("今天的作文课真有意思春游去哪里 abc"))


def corpus(folder: Path, lines: list[str], name: str = "posts.txt.xz") -> Path:
    path = folder / name
    path.write_bytes(lzma.compress("\n".join(lines).encode()))
    return path


def test_the_alphabet_holds_the_most_frequent_folded_characters() -> None:
    counts = count_characters(iter([["ＡＡa", "课課课", "春"]]))
    chosen = choose_alphabet(counts, size=6, least=2)
    assert set(chosen.characters) == {"a", "课"}
    assert len(choose_alphabet(counts, size=5, least=1).characters) == 1


@given(st.text(alphabet=st.sampled_from("今天的作文课真ABCＡ課😀\n \u200b"), max_size=40))
def test_the_tokenizer_file_means_the_same_to_the_tokenizers_library(text: str) -> None:
    folded = fold([text])
    ours = ALPHABET.lookup[folded.points].tolist()
    assert LIBRARY.encode(folded.text(0)).ids == [SEP, *ours, SEP]


def _library() -> Tokenizer:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        save_tokenizer(ALPHABET, path)
        return Tokenizer.from_file(str(path))


LIBRARY = _library()


def test_a_tokenizer_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    save_tokenizer(ALPHABET, tmp_path / "tokenizer.json")
    assert Alphabet.read(tmp_path / "tokenizer.json").characters == ALPHABET.characters


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"model": {"vocab": {"[PAD]": 0}}}', '{"model": {"vocab": ["[PAD]"]}}', '{"model": null}'],
)
def test_another_tokenizer_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json.*allowed"):
        Alphabet.read(tmp_path / "tokenizer.json")


def test_a_vocabulary_with_a_gap_is_refused(tmp_path: Path) -> None:
    save_tokenizer(ALPHABET, tmp_path / "tokenizer.json")
    content = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    del content["model"]["vocab"]["作"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError):
        Alphabet.read(tmp_path / "tokenizer.json")


def test_packed_lines_are_their_characters_each_closed_by_sep() -> None:
    ids = pack(iter([["作文", "龙"], ["课"]]), ALPHABET)
    assert ids.tolist() == [*ALPHABET.lookup[[ord("作"), ord("文")]].tolist(), SEP, UNK, SEP, *_ids("课"), SEP]


def _ids(text: str) -> list[int]:
    return [int(ALPHABET.lookup[ord(char)]) for char in text]


def test_a_corpus_is_packed_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path, folder = corpus(tmp_path, LINES), tmp_path / "packed"
    before = pack_corpus([path], ALPHABET, folder)
    target = packed_file(folder, path)
    target.write_bytes(target.read_bytes())
    made = target.stat().st_mtime_ns
    assert pack_corpus([path], ALPHABET, folder) == before
    assert target.stat().st_mtime_ns == made
    corpus(tmp_path, [*LINES, "春游"])
    after = pack_corpus([path], ALPHABET, folder)
    assert after != before
    assert np.load(target)[-3:].tolist() == [*_ids("春游"), SEP]


def test_blank_lines_are_no_texts(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    path.write_text("\n  \n作文课\n\n", encoding="utf-8")
    assert list(corpus_lines(path)) == [["作文课"]]


def test_a_missing_or_damaged_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.txt.*no such file"):
        list(corpus_lines(tmp_path / "none.txt"))
    path = corpus(tmp_path, LINES * 50)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"posts\.txt\.xz.*unreadable"):
        list(corpus_lines(path))
    other = tmp_path / "latin.txt"
    other.write_bytes("é".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        list(corpus_lines(other))
