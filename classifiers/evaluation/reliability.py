"""Reliability of each category as one drawing: `python -m classifiers.evaluation.reliability > docs/model-card.svg`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from classifiers.evaluation.card import CARD, shipped

ACROSS, SIDE, GAP = 5, 150, 34  # plots in a row; pixels
LEAST = 10  # rows that a point stands for, or it is left out
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
    'role="img" font-family="sans-serif" font-size="11"><title>{title}</title>'
    '<rect width="100%" height="100%" fill="white"/>'
)


def draw(card: Mapping[str, Any]) -> str:
    """Return an SVG: for each category the share that is true against the score, a larger point for more rows."""
    plots = [_plot(slug, one["reliability"]) for slug, one in card["categories"].items()]
    rows = -(-len(plots) // ACROSS)
    width, height = ACROSS * (SIDE + GAP) + GAP, rows * (SIDE + GAP) + GAP
    parts = [_HEAD.format(width=width, height=height, title=escape(f"Reliability of {card['version']}"))]
    for number, plot in enumerate(plots):
        x = GAP + number % ACROSS * (SIDE + GAP)
        y = GAP + number // ACROSS * (SIDE + GAP)
        parts.append(f'<g transform="translate({x} {y})">{plot}</g>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _plot(slug: str, points: Sequence[Sequence[float]]) -> str:
    """One square: the origin at the lower left, the diagonal where every score comes true."""
    shown = [(score * SIDE, (1 - share) * SIDE, rows) for score, share, rows in points if rows >= LEAST]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in shown)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{min(7.0, 1.5 + rows**0.25 / 2):.1f}" fill="#0b5394" fill-opacity=".7"/>'
        for x, y, rows in shown
    )
    return (
        f'<rect width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>'
        f'<line x1="0" y1="{SIDE}" x2="{SIDE}" y2="0" stroke="#999" stroke-dasharray="4"/>'
        f'<polyline points="{line}" fill="none" stroke="#0b5394"/>{dots}'
        f'<text x="0" y="-6" fill="#1c1c1c">{escape(slug)}</text>'
    )


def main() -> int:
    """Print the drawing of the shipped model."""
    sys.stdout.write(draw(json.loads((shipped() / CARD).read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
