"""Trials as Markdown tables and as a plot of quality against size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.training.drawing import panels, save
from classifiers.training.resample import interval

COLUMNS = {"average_precision": "mean average precision", "macro_f1": "macro-F1"}


def tables(whole: dict[str, Any]) -> str:
    """The sizes, and the ablation as differences from its base with paired intervals."""
    return "\n".join([*_sizes(whole), "", *_ablation(whole)]) + "\n"


def _sizes(whole: dict[str, Any]) -> list[str]:
    rows = [
        "| trial | line of the plot | parameters | int8 file | CPU s for 1,000 texts | held-back loss |"
        " mean average precision (95 %) | macro-F1 (95 %) | mean average precision, evaded |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for legend, names in whole["about"]["recipe"]["sizes"].items():
        for name in names:
            trial = whole["trials"][name]
            loss = (trial["pretrained"]["loss"] or {}).get("held")
            cells = [
                f"`{name}`",
                legend,
                f"{trial['parameters'] / 1e6:.1f} M",
                f"{trial['bytes'] / 1e6:.1f} MB",
                f"{trial['cpu_seconds_for_a_thousand']:.2f}",
                "–" if loss is None else f"{loss:.2f}",
                *(_with_interval(trial["untouched"], figure) for figure in COLUMNS),
                f"{trial['evaded']['average_precision']:.3f}",
            ]
            rows.append(f"| {' | '.join(cells)} |")
    return rows


def _ablation(whole: dict[str, Any]) -> list[str]:
    ablation = whole["about"]["recipe"]["ablation"]
    base = whole["trials"][ablation["base"]]
    rows = [
        "| trial | mean average precision, and difference (95 %) | evaded, and difference (95 %) | macro-F1, and"
        " difference (95 %) |",
        "|---|---|---|---|",
        f"| `{ablation['base']}` | {base['untouched']['average_precision']:.3f} |"
        f" {base['evaded']['average_precision']:.3f} | {base['untouched']['macro_f1']:.3f} |",
    ]
    pairs = (("untouched", "average_precision"), ("evaded", "average_precision"), ("untouched", "macro_f1"))
    for name in ablation["trials"]:
        trial = whole["trials"][name]
        cells = [_difference(trial[texts], base[texts], figure) for texts, figure in pairs]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return rows


def _with_interval(found: dict[str, Any], figure: str) -> str:
    low, high = interval(found["drawn"][figure])
    return f"{found[figure]:.3f} ({low:.3f}–{high:.3f})"


def _difference(found: dict[str, Any], base: dict[str, Any], figure: str) -> str:
    """A figure, and how it differs from the base's on the same samples of rows."""
    low, high = interval(np.array(found["drawn"][figure]) - np.array(base["drawn"][figure]))
    return f"{found[figure]:.3f}, {found[figure] - base[figure]:+.3f} ({low:+.3f} to {high:+.3f})"


def draw_sizes(whole: dict[str, Any], path: Path) -> None:
    """Draw mean average precision with its interval against the file's size and against the time for a text."""
    figure, axes = panels(2, width=10.0)
    across: tuple[tuple[str, Callable[[dict[str, Any]], float]], ...] = (
        ("int8 file, MB", lambda trial: trial["bytes"] / 1e6),
        ("CPU seconds for 1,000 texts", lambda trial: trial["cpu_seconds_for_a_thousand"]),
    )
    for axis, (label, place) in zip(axes, across, strict=True):
        for legend, names in whole["about"]["recipe"]["sizes"].items():
            trials = sorted((whole["trials"][name] for name in names), key=place)
            x, y = [place(trial) for trial in trials], [trial["untouched"]["average_precision"] for trial in trials]
            spans = [interval(trial["untouched"]["drawn"]["average_precision"]) for trial in trials]
            off = [[value - low for value, (low, _) in zip(y, spans, strict=True)]]
            off.append([high - value for value, (_, high) in zip(y, spans, strict=True)])
            axis.errorbar(x, y, yerr=np.maximum(off, 0), fmt="o", markersize=4, capsize=2, linewidth=1, label=legend)
            for trial, at, value in zip(trials, x, y, strict=True):
                axis.annotate(trial["trial"], (at, value), (5, 4), textcoords="offset points", fontsize=8)
        axis.set_xlabel(label)
        axis.set_xlim(0, max(axis.get_xlim()[1], 0) * 1.25)
    axes[0].set_ylabel("mean average precision, held back")
    axes[0].legend(loc="lower right", fontsize=8)
    save(figure, path)
