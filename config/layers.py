"""Layers of YAML, laid over each other, with the file and line of each value kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        _merge(self.values, layer.values, self.origins, layer.origins, ())

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
        if any(isinstance(token, AliasToken) for token in YAML(typ="rt").scan(text)):
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
    under: dict[str, Any],
    over: Mapping[str, Any],
    origins: dict[Path_, Origin],
    over_origins: Mapping[Path_, Origin],
    path: Path_,
) -> None:
    for key, value in over.items():
        inner = (*path, key)
        present = under.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            origins[inner] = over_origins[inner]
            _merge(present, value, origins, over_origins, inner)
            continue
        for stale in [where for where in origins if where[: len(inner)] == inner]:
            del origins[stale]
        under[key] = value
        origins.update({where: origin for where, origin in over_origins.items() if where[: len(inner)] == inner})


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
