"""The figure of a site's prevalence, as SVG: a dot and its interval for each category.

Written by hand, since a plotting library is many times as large as all that the pages need.
"""

from __future__ import annotations

import math
from html import escape

from casework.estimation import Estimate
from casework.prevalence import Prevalence
from config.taxonomy import load_taxonomy

LEFT, WIDTH, ROW, TOP, RIGHT = 230, 420, 26, 58, 120
"""Pixels: names, plot, height of a row, head, numbers."""


def svg(told: Prevalence) -> str:
    """Return a figure of the site's estimates; empty axes where there are none."""
    rows = _rows(told)
    top = _nice(max((one.high for _, one in rows), default=0.01))
    height = TOP + ROW * len(rows) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(told.site)}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="600">{escape(told.site)}：达到阈值的比例，95% 区间</text>',
        f'<text x="12" y="42" fill="#555">{escape(_below(told))}</text>',
        *_axis(top, height),
        *(_row(number, name, one, top) for number, (name, one) in enumerate(rows)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _rows(told: Prevalence) -> list[tuple[str, Estimate]]:
    titles = {slug: category.name for slug, category in load_taxonomy().categories.items()}
    ranked = sorted(told.categories.items(), key=lambda pair: -pair[1].rate)
    rows = [(titles.get(slug, slug), one) for slug, one in ranked]
    return [("任一类别", told.overall), *rows] if told.overall else rows


def _below(told: Prevalence) -> str:
    if told.overall is None:
        return "没有按已知概率抽取的样本"
    return f"{told.since} 至 {told.until}，按已知概率抽取 {told.overall.threads} 个主题、{told.overall.units} 条"


def _axis(top: float, height: int) -> list[str]:
    parts = []
    for step in range(5):
        x, share = LEFT + WIDTH * step / 4, top * step / 4
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - 32}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 14}" text-anchor="middle" fill="#555">{share * 100:.3g}%</text>')
    return parts


def _row(number: int, name: str, one: Estimate, top: float) -> str:
    y = TOP + ROW * number + ROW / 2
    low, middle, high = (LEFT + WIDTH * value / top for value in (one.low, one.rate, one.high))
    return (
        f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>'
        f'<line x1="{low:.1f}" y1="{y:.1f}" x2="{high:.1f}" y2="{y:.1f}" stroke="#245" stroke-width="2"/>'
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4.5" fill="#245"/>'
        f'<text x="{LEFT + WIDTH + 10}" y="{y + 4:.1f}" fill="#333">{one.rate:.2%} ({one.found})</text>'
    )


def _nice(value: float) -> float:
    """Return the next round number of 1, 2, 4 or 8 times a power of ten, at most 1."""
    if value <= 0:
        return 0.01
    power = 10.0 ** math.floor(math.log10(value))
    return min(next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value), 1.0)
