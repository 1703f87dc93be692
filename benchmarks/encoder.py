"""What a text costs in the encoder, and what it would cost in one of BERT-base's size through the same runtime.

python -m benchmarks.encoder [--input FILE] [--texts 4000] [--model DIR …] [--peer DIR]

Every text goes through each encoder, in a process of its own that holds nothing else, with one thread: texts a second
of CPU time, which others on the machine change little. `--peer DIR` makes an encoder of BERT-base's shape (12 layers of
768, 21,128 characters, weights drawn by chance) and exports it to int8 and to float there, once; that needs the extra
`[train]` and some minutes. Without `--input` the texts are our own (`classifiers/training/written`).
"""

from __future__ import annotations

import itertools
import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.classify import texts_from
from classifiers.encoder import GRAPH, TOKENIZER, load_encoder, newest_encoder, save_manifest
from classifiers.linear import MODELS
from classifiers.normalise import fold

BATCH = 512  # texts, as `woodpecker classify` hands them on
CATEGORIES = 14
VOCABULARY = 21_128  # of bert-base-chinese
FITTED = 8  # texts that fix the peer's scales of activations: its weights mean nothing
console = Console(width=120)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one encoder: texts read, CPU and clock seconds of the best round, MB of its file and of its process."""

    texts: int
    cpu: float
    clock: float
    file: float
    resident: float
    peak: float


def main(
    source: Annotated[Path | None, typer.Option("--input", help="JSON Lines with a `text`, instead of ours.")] = None,
    texts: Annotated[int, typer.Option(min=1, help="Texts that our encoders read.")] = 4000,
    model: Annotated[list[Path] | None, typer.Option(help="A served encoder; may be given again.")] = None,
    peer: Annotated[Path | None, typer.Option(help="Folder for encoders of BERT-base's size, made once.")] = None,
    peer_texts: Annotated[int, typer.Option(min=1, help="Texts that those read: the first of the same.")] = 96,
    rounds: Annotated[int, typer.Option(min=1, help="The best of so many rounds counts.")] = 3,
) -> None:
    """Print a table: each encoder's cost, and how many times the first one's it is."""
    read = list(itertools.islice(texts_from(source), texts))
    shipped = newest_encoder(MODELS)
    folders = model or ([shipped] if shipped else [])
    costs = {folder.name: _apart(folder, read, rounds) for folder in folders}
    for folder in _peers(peer, read[:FITTED]) if peer else ():
        costs[folder.name] = _apart(folder, read[:peer_texts], 1)
    lengths = np.array([len(text) for text in read])
    console.print(
        f"{len(read):,} texts, {lengths.mean():.1f} characters on average, median {np.median(lengths):.0f}, 95th "
        f"percentile {np.quantile(lengths, 0.95):.0f}; {psutil.cpu_count()} processors, load "
        f"{psutil.getloadavg()[0]:.1f}"
    )
    console.print(_table(costs))


def _table(costs: dict[str, Cost]) -> Table:
    each = {name: cost.cpu / cost.texts for name, cost in costs.items()}
    first = next(iter(each.values()))
    table = Table("encoder", "file", "texts/CPU s", "CPU ms a text", "times ours", "resident", "peak", "texts read")
    for name, cost in costs.items():
        table.add_row(
            name,
            f"{cost.file:,.1f} MB",
            f"{1 / each[name]:,.1f}",
            f"{each[name] * 1000:.2f}",
            f"{each[name] / first:,.1f}",
            f"{cost.resident:,.0f} MB",
            f"{cost.peak:,.0f} MB",
            f"{cost.texts:,}",
        )
    return table


def _apart(folder: Path, texts: list[str], rounds: int) -> Cost:
    """Measure in a process that is started for it alone."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_cost, (folder, texts, rounds))


def _cost(folder: Path, texts: list[str], rounds: int) -> Cost:
    before = psutil.Process().memory_info().rss
    encoder = load_encoder(folder)
    batches = [texts[begin : begin + BATCH] for begin in range(0, len(texts), BATCH)]
    encoder.margins(fold(texts[:8]))
    resident = psutil.Process().memory_info().rss - before
    best = (np.inf, np.inf)
    for _ in range(rounds):
        used, began = time.process_time(), time.monotonic()
        for batch in batches:
            encoder.margins(fold(batch))
        best = min(best, (time.process_time() - used, time.monotonic() - began))
    size = (folder / GRAPH).stat().st_size
    return Cost(len(texts), *best, file=size / 1e6, resident=resident / 1e6, peak=_peak() / 1e6)


def _peak() -> int:
    """Most bytes that this process held; what getrusage says is the parent's where that held more."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _peers(folder: Path, texts: list[str]) -> list[Path]:
    """Served folders of one encoder of BERT-base's shape: int8 and float."""
    made = {name: folder / f"bert-base-size-{name}" for name in ("int8", "float")}
    if not all((one / "manifest.json").is_file() for one in made.values()):
        import torch

        torch.manual_seed(1)
        model, tokens = _bert()
        for name, target in made.items():
            _export(model, tokens, target, texts, int8=name == "int8")
    return list(made.values())


def _bert() -> tuple[Any, Any]:
    """A model of BERT-base's shape with our heads, and pieces that are single characters."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    from classifiers.pieces import PieceIds, Pieces
    from classifiers.training.begin import OtherForCategories

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(chr(0x4E00 + k) for k in range(VOCABULARY - 5))]
    tokenizer = BertTokenizerFast(vocab={name: k for k, name in enumerate(names)})
    config = BertConfig(vocab_size=VOCABULARY, num_labels=CATEGORIES, attn_implementation="eager")
    model = OtherForCategories(BertForSequenceClassification(config), 0, tokenizer.backend_tokenizer)
    return model, Pieces(tokenizer.backend_tokenizer, PieceIds(first=2, last=3, pad=0, mask=4))


def _export(model: Any, tokens: Any, target: Path, texts: list[str], *, int8: bool) -> None:
    from classifiers.training.export import export

    export(model, tokens, target, texts, int8=int8)
    model.tokenizer.save(str(target / TOKENIZER))
    categories = [{"slug": f"category_{k}", "platt": [1.0, 0.0]} for k in range(CATEGORIES)]
    save_manifest(target, version=target.name, categories=categories, about={"pieces": tokens.ids.model_dump()})


if __name__ == "__main__":
    typer.run(main)
