"""The report on an operator's own texts as one HTML page that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_PLOT = 220  # side of a reliability plot, in pixels


def as_html(report: Mapping[str, Any]) -> str:
    """Render a report of `labelled.report`; every value is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["percent"] = lambda value: f"{value * 100:.1f} %"
    environment.filters["figure"] = lambda value: f"{value:.3f}"
    environment.filters["points"] = _points
    return environment.get_template("page.html").render(report=report, plot=_PLOT)


def _points(reliability: list[tuple[float, float, int]]) -> str:
    """Corners of a polyline, the origin at the lower left."""
    return " ".join(f"{score * _PLOT:.1f},{(1 - share) * _PLOT:.1f}" for score, share, _ in reliability)
