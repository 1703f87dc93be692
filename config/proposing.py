"""Write measured thresholds into policy files, leaving everything else in them as it stands."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from config.thresholds import ByZone, Measured


def with_measured(path: Path, measured: Measured) -> str:
    """Return a policy file's text with `measured` in place of what it had."""
    yaml = YAML(typ="rt")
    yaml.width, yaml.preserve_quotes = 200, True
    content = yaml.load(path.read_text("utf-8"))
    categories = CommentedMap({slug: _flow(zones) for slug, zones in measured.categories.items()})
    content["measured"] = CommentedMap(
        {
            "model": measured.model,
            "date": measured.date,
            "ordinary": _inline(measured.ordinary.model_dump()),
            "categories": categories,
        }
    )
    written = io.StringIO()
    yaml.dump(content, written)
    return written.getvalue()


def _flow(zones: ByZone) -> CommentedMap:
    return _inline({name: _inline(figures) for name, figures in zones.model_dump().items()})


def _inline(values: dict[str, Any]) -> CommentedMap:
    """A mapping written on one line, so that a category is a line."""
    found = CommentedMap(values)
    found.fa.set_flow_style()
    return found
