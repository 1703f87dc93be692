"""Plots as files; the same figures give the same file, byte for byte, where it is an SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def panels(number: int = 1, width: float = 7.0) -> tuple[Any, list[Any]]:
    """A figure with so many panels side by side, of one vertical axis."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "woodpecker", "svg.fonttype": "none"})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, number, figsize=(width, 4.0), sharey=True, squeeze=False)
    return figure, list(axes[0])


def save(figure: Any, path: Path) -> None:
    """Write a figure, as SVG or PNG by the file's name."""
    from matplotlib import pyplot

    figure.tight_layout()
    more: dict[str, Any] = {"metadata": {"Date": None}} if path.suffix == ".svg" else {"dpi": 120}
    figure.savefig(path, **more)
    pyplot.close(figure)
