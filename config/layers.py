"""Layers of YAML, laid over each other, with the file and line of each value kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import AliasToken

from config.problems import one

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
SETTLED_NANOSECONDS = 2_000_000_000
"""A file younger than this may change again without a new time stamp, so it is read anew."""

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Origin:
    """Where a value stands."""

    file: str
    line: int


@dataclass
class Layered:
    """The merged values and the origin of each."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path_, Origin] = field(default_factory=dict)

    def lay(self, layer: Layered) -> None:
        """Lay another layer over this one: mappings merge, everything else is replaced."""
        merged, replaced = set[Path_](), set[Path_]()
        _merge(self.values, layer.values, (), merged, replaced)
        for path in [path for path in self.origins if _within(path, replaced)]:
            del self.origins[path]
        laid = {path: origin for path, origin in layer.origins.items() if path in merged or _within(path, replaced)}
        self.origins.update(laid)

    def origin(self, path: Path_) -> Origin | None:
        """Return the origin of a value, or of the nearest thing that holds it."""
        for length in range(len(path), -1, -1):
            if found := self.origins.get(tuple(path[:length])):
                return found
        return None


def read_layer(path: Path) -> Layered:
    """Read one YAML file.

    Raises:
        PolicyError: it cannot be read, is too large, is not UTF-8 or not YAML, or is not a mapping.
    """
    content = _load(path)
    if content is None:
        return Layered(origins={(): Origin(str(path), 1)})
    if not isinstance(content, CommentedMap):
        raise one(path, "(file)", f"a {type(content).__name__}", "a mapping of names to values", line=1)
    layered = Layered()
    layered.values = _plain(content, (), layered.origins, str(path), 0)
    return layered


_kept: dict[Path, tuple[int, Layered]] = {}


def read_shared_layer(path: Path) -> Layered:
    """Read one YAML file that many others build upon; while it does not change it is parsed once in a process.

    Raises:
        PolicyError: as `read_layer`.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return read_layer(path)  # which tells what is wrong
    at, layered = _kept.get(path, (0, None))
    if layered is None or at != changed:
        layered = read_layer(path)
        if not is_settled(changed):
            return layered
        _kept[path] = changed, layered
    return Layered(deepcopy(layered.values), dict(layered.origins))


def is_settled(changed: int) -> bool:
    """Whether a file that was changed then (nanoseconds since 1970) would have another time stamp if it changed now."""
    return time.time_ns() - changed > SETTLED_NANOSECONDS


def _load(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise one(path, "(file)", f"{path.stat().st_size} bytes", f"at most {MAX_BYTES} bytes")
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise one(path, "(file)", error.strerror or type(error).__name__, "a readable file") from error
    except UnicodeDecodeError as error:
        raise one(path, "(file)", f"a byte that is not UTF-8 at offset {error.start}", "UTF-8") from error
    try:
        # Anchors can grow a small file without bound, and nobody needs them here.
        if "*" in text and any(isinstance(token, AliasToken) for token in YAML(typ="rt").scan(text)):
            raise one(path, "(syntax)", "an alias (*name)", "values written out")
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise one(
            path, "(syntax)", (error.problem or "broken YAML").splitlines()[0], "valid YAML", line=line
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise one(path, "(syntax)", str(error).splitlines()[0], "valid YAML") from error


def _plain(node: Any, path: Path_, origins: dict[Path_, Origin], file: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise one(file, ".".join(map(str, path)), "too deep a nesting", f"at most {MAX_DEPTH} levels")
    if isinstance(node, CommentedMap):
        origins.setdefault(path, Origin(file, node.lc.line + 1))
        result: dict[str, Any] = {}
        for key, value in node.items():
            inner = (*path, str(key))
            origins[inner] = Origin(file, node.lc.key(key)[0] + 1)
            result[str(key)] = _plain(value, inner, origins, file, depth + 1)
        return result
    if isinstance(node, CommentedSeq):
        items = []
        for index, value in enumerate(node):
            inner = (*path, index)
            origins[inner] = Origin(file, node.lc.item(index)[0] + 1)
            items.append(_plain(value, inner, origins, file, depth + 1))
        return items
    return _scalar(node)


def _scalar(node: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _merge(
    under: dict[str, Any], over: Mapping[str, Any], path: Path_, merged: set[Path_], replaced: set[Path_]
) -> None:
    """Lay values over others, and note the paths of the mappings that were merged and of what was replaced or new."""
    for key, value in over.items():
        inner = (*path, key)
        present = under.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            merged.add(inner)
            _merge(present, value, inner, merged, replaced)
        else:
            replaced.add(inner)
            under[key] = value


def _within(path: Path_, places: set[Path_]) -> bool:
    return any(path[:length] in places for length in range(1, len(path) + 1))


def leaves(values: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Yield (path, value) of everything that is neither a mapping nor a list of mappings."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    elif isinstance(values, list) and any(isinstance(value, dict) for value in values):
        for index, value in enumerate(values):
            yield from leaves(value, (*path, index))
    else:
        yield path, values
