"""How many texts a second does `woodpecker classify` assess, where does the time go, and what would BERT do?

python -m benchmarks.classify [--texts 40000] [--input FILE] [--peer]

Without `--input` the texts are our own (`classifiers/training/written`), repeated with a number in each, so that no two
are alike. `--peer` runs the `transformers` text-classification pipeline with a model of BERT-base's size and random
weights on the same texts in the same run; it needs the extra `[train]`. Stages and the comparison with the peer are in
seconds of CPU, which do not grow when others compute too.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from rich.console import Console
from rich.table import Table

from classifiers.training.written import read_written

WOODPECKER = [sys.executable, "-m", "workers"]
WRITTEN = Path(__file__).resolve().parents[1] / "classifiers" / "training" / "written"
PEER_TEXTS = 256
UNDOING = "fold", "hidden words", "likeliest reading", "swapped characters"
CHEAP = ("word rules", "n-grams", "linear model")
WHOLE = "all before the encoder"
STAGE_BATCH = 512
LOOK_EVERY = 0.2  # seconds between two looks at memory: each reads every mapping of every process
console = Console()


def main(
    texts: Annotated[int, typer.Option(help="Texts that are assessed.")] = 40_000,
    source: Annotated[Path | None, typer.Option("--input", help="JSON Lines with a `text`, instead of ours.")] = None,
    peer: Annotated[bool, typer.Option(help="Also run a BERT-base-size model through transformers.")] = False,
) -> None:
    """Print tables: end to end, per stage, per length, and against the peer."""
    rows = list(itertools.islice(texts_from(source), texts))
    lengths = np.array([len(row) for row in rows])
    console.print(
        f"{len(rows):,} texts, {lengths.mean():.1f} characters on average, "
        f"median {np.median(lengths):.0f}, 95th percentile {np.quantile(lengths, 0.95):.0f}"
    )
    ours = _end_to_end(rows)
    _stages(rows[:8192])
    _by_length()
    if peer:
        theirs = _peer(rows[:PEER_TEXTS])
        table = Table("", "texts per CPU second", "ratio")
        table.add_row("woodpecker classify, with its start", f"{ours:,.0f}", f"{ours / theirs:,.0f} ×")
        table.add_row("transformers pipeline, BERT-base size, loaded", f"{theirs:,.1f}", "1")
        console.print(table)


def texts_from(source: Path | None) -> Iterator[str]:
    """The texts of a JSON Lines file, or ours without end."""
    return _from(source) if source else _ours()


def _ours() -> Iterator[str]:
    written = [row["text"] for path in sorted(WRITTEN.glob("*.tsv")) for row in read_written(path)]
    for number in itertools.count():
        yield f"{written[number % len(written)]}{number // len(written) or ''}"


def _from(source: Path) -> Iterator[str]:
    with source.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def _end_to_end(rows: list[str]) -> float:
    """Print what the command does with the texts; returns texts per CPU second, with start and end."""
    with tempfile.TemporaryDirectory() as folder:
        file, one = Path(folder, "texts.jsonl"), Path(folder, "one.jsonl")
        file.write_text("".join(json.dumps({"id": k, "text": text}) + "\n" for k, text in enumerate(rows)), "utf-8")
        one.write_text('{"id": 1, "text": "今天的作文课真有意思"}\n', "utf-8")
        cold = min(_timed(lambda: _run(one, folder)) for _ in range(3))
        began, spent = time.monotonic(), _cpu_seconds()
        report, together = _run_watched(file, folder)
        wall, spent = time.monotonic() - began, _cpu_seconds() - spent
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    table = Table("end to end", "value")
    table.add_row("texts/s while assessing", f"{report['texts_per_second']:,.0f}")
    table.add_row("texts/s with start and end", f"{len(rows) / wall:,.0f}")
    table.add_row("texts per CPU second, with start and end", f"{len(rows) / spent:,.0f}")
    table.add_row("cold start, one text", f"{cold:.2f} s")
    table.add_row("largest process", f"{peak:,.0f} MB")
    table.add_row("all processes together, what they share counted once", f"{together:,.0f} MB")
    console.print(table)
    return len(rows) / spent


def _run(file: Path, folder: str) -> dict[str, Any]:
    command = [*WOODPECKER, "classify", "--input", str(file), "--output", str(Path(folder, "out")), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _run_watched(file: Path, folder: str) -> tuple[dict[str, Any], float]:
    """As `_run`; with it the most memory, in MB, that the process and its children held at one time."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_run, file, folder)
        most = 0.0
        while not running.done():
            most = max(most, _together())
            time.sleep(LOOK_EVERY)
        return running.result(), most


def _together() -> float:
    """Proportional set size, in MB, of every process below this one: a page that n share counts as an nth for each."""
    found = 0
    for process in psutil.Process().children(recursive=True):
        try:
            found += process.memory_full_info().pss
        except psutil.Error:  # it has ended
            continue
    return found / (1 << 20)


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _cpu_seconds() -> float:
    """What this process and those that it waited for have used so far."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _spent(work: Callable[[], object]) -> float:
    began = _cpu_seconds()
    work()
    return _cpu_seconds() - began


def _stages(rows: list[str]) -> None:
    """Cost of each stage in one process, in the order in which a text passes them."""
    from classifiers.cascade import load_cascade
    from classifiers.normalise import fold

    cascade = load_cascade()
    batches = [rows[k : k + STAGE_BATCH] for k in range(0, len(rows), STAGE_BATCH)]
    folded = [fold(batch) for batch in batches]
    plain = [one.texts() for one in folded]
    found = [cascade.model.grams(one) for one in folded]
    blend = cascade.blend
    reaching = (
        [blend.reached(cascade.model.probabilities(cascade.model.margins(one))) for one in found] if blend else []
    )
    before_encoder = load_cascade()
    before_encoder.blend = None
    parts: dict[str, Callable[[], object]] = {
        "fold": lambda: [fold(batch) for batch in batches],
        "hidden words": lambda: [cascade.readers[0].read(one) for one in folded],
        "likeliest reading": lambda: [cascade.readers[1].read(one) for one in folded],
        "swapped characters": lambda: [cascade.readers[2].read(one) for one in folded],
        "word rules": lambda: [cascade.engine.read(batch) for batch in plain],
        "n-grams": lambda: [cascade.model.grams(one) for one in folded],
        "linear model": lambda: [cascade.model.probabilities(cascade.model.margins(one)) for one in found],
        WHOLE: lambda: [before_encoder.scores(batch) for batch in batches],
        "encoder, of what reaches it": lambda: [
            blend.encoder.margins(one, reached) for one, reached in zip(folded, reaching, strict=True) if blend
        ],
        "all, scores only": lambda: [cascade.scores(batch) for batch in batches],
        "all, with spans": lambda: [cascade.assess(batch) for batch in batches],
    }
    if not blend:
        del parts["encoder, of what reaches it"]
    table = Table("stage, one process", "CPU µs a text", "texts per CPU second")
    took: dict[str, float] = {}
    for name, work in parts.items():
        work()
        took[name] = min(_spent(work) for _ in range(3))
        table.add_row(name, f"{took[name] / len(rows) * 1e6:.1f}", f"{len(rows) / took[name]:,.0f}")
    console.print(table)
    undoing = sum(took[name] for name in UNDOING)
    cheap = undoing + sum(took[name] for name in CHEAP)
    console.print(
        f"undoing evasion: {undoing / cheap:.0%} of the cheap stages, {undoing / took[WHOLE]:.0%} of all before the "
        f"encoder, {undoing / took['all, with spans']:.0%} of an assessment"
    )
    if reaching:
        console.print(f"{np.concatenate(reaching).mean():.0%} of the texts reach the encoder")


def _by_length() -> None:
    from classifiers.cascade import load_cascade

    cascade = load_cascade()
    joined = "".join(itertools.islice(_ours(), 3000))
    table = Table("characters", "texts per CPU second", "characters per CPU second")
    for length in (5, 10, 20, 40, 80, 160, 320, 1000, 20_000):
        count = max(4, min(2000, 200_000 // length))
        texts = [joined[(k * 37) % 20_000 : (k * 37) % 20_000 + length] for k in range(count)]
        seconds = min(_spent(lambda texts=texts: cascade.assess(texts)) for _ in range(2))  # type: ignore[misc]
        table.add_row(f"{length:,}", f"{count / seconds:,.0f}", f"{count * length / seconds:,.0f}")
    console.print(table)


def _peer(rows: list[str]) -> float:
    """Texts per CPU second of the pipeline with a BERT-base-size model, characters as tokens, batches of 32."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, pipeline

    characters = sorted({char for row in rows for char in row})
    vocabulary = {token: k for k, token in enumerate(["[PAD]", "[UNK]", *characters])}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]")
    model = BertForSequenceClassification(BertConfig(vocab_size=max(21_128, len(vocabulary)), num_labels=15)).eval()
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device=-1, top_k=None)
    torch.set_num_threads(1)  # a second one would spin while it waits, and that counts as CPU
    classify(rows[:32], batch_size=32, truncation=True, max_length=512)
    return len(rows) / _spent(lambda: classify(rows, batch_size=32, truncation=True, max_length=512))


if __name__ == "__main__":
    typer.run(main)
