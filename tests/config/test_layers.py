"""Layers are laid over each other, and each value keeps its place."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.layers import Layered, Origin, leaves, read_layer, read_shared_layer

names = st.sampled_from(["a", "b", "c"])
trees = st.dictionaries(
    names,
    st.recursive(st.integers(), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6),
    max_size=3,
)


def layer(values: dict[str, Any], file: str) -> Layered:
    found = Layered(values)

    def note(node: Any, path: tuple[str | int, ...]) -> None:
        found.origins[path] = Origin(file, 1)
        if isinstance(node, dict):
            for key, value in node.items():
                note(value, (*path, key))

    note(values, ())
    return found


@given(st.lists(trees, min_size=1, max_size=4))
def test_the_uppermost_layer_that_says_a_thing_counts_and_is_named(layers: list[dict[str, Any]]) -> None:
    import copy

    merged = Layered()
    for number, values in enumerate(layers):
        merged.lay(layer(copy.deepcopy(values), str(number)))

    for path, value in leaves(merged.values):
        if not path:
            continue
        origin = merged.origin(path)
        assert origin is not None
        said = layers[int(origin.file)]
        for part in path:
            said = said[part]  # type: ignore[index]
        assert said == value or (isinstance(said, dict) and not value)
        for over in layers[int(origin.file) + 1 :]:
            assert not _says(over, path)


def _says(values: Any, path: tuple[Any, ...]) -> bool:
    for part in path:
        if not isinstance(values, dict):
            return True  # something else stands where the path leads through
        if part not in values:
            return False
        values = values[part]
    return not isinstance(values, dict)


def test_lists_are_replaced_as_a_whole() -> None:
    merged = Layered()
    merged.lay(layer({"a": [1, 2, 3]}, "under"))
    merged.lay(layer({"a": [4]}, "over"))
    assert merged.values == {"a": [4]}


def test_a_file_keeps_the_line_of_each_value(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\nb:\n  c: 2\n  d:\n    - {e: 3}\n    - 4\n")
    read = read_layer(path)

    lines = {".".join(map(str, where)): origin.line for where, origin in read.origins.items()}
    assert lines == {"": 1, "a": 1, "b": 2, "b.c": 3, "b.d": 4, "b.d.0": 5, "b.d.0.e": 5, "b.d.1": 6}
    assert read.origin(("b", "nowhere")) == Origin(str(path), 2)


def test_an_empty_file_is_an_empty_layer(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("# nothing yet\n")
    assert read_layer(tmp_path / "x.yaml").values == {}


def test_a_shared_file_is_read_once_as_long_as_it_does_not_change(tmp_path: Path) -> None:
    path = written(tmp_path / "class.yaml", "title: first\n", changed=1_000)
    first = read_shared_layer(path)
    written(path, "title: other\n", changed=1_000)

    assert read_shared_layer(path) == first

    written(path, "title: other\n", changed=2_000)
    assert read_shared_layer(path).values == {"title": "other"}


def test_what_one_site_makes_of_a_shared_file_no_other_sees(tmp_path: Path) -> None:
    path = written(tmp_path / "class.yaml", "thresholds: {general: 0.5}\n", changed=1_000)
    read_shared_layer(path)
    first = read_shared_layer(path)
    first.values["thresholds"]["general"] = 0.1
    first.origins.clear()

    second = read_shared_layer(path)

    assert second.values == {"thresholds": {"general": 0.5}}
    assert second.origin(("thresholds", "general")) == Origin(str(path), 1)


def test_a_shared_file_that_was_just_written_is_read_anew_since_its_time_stamp_may_not_change(tmp_path: Path) -> None:
    now = time.time()
    path = written(tmp_path / "class.yaml", "title: first\n", changed=now)
    read_shared_layer(path)
    written(path, "title: other\n", changed=now)

    assert read_shared_layer(path).values == {"title": "other"}


def written(path: Path, text: str, changed: float) -> Path:
    path.write_text(text, "utf-8")
    os.utime(path, (changed, changed))
    return path
