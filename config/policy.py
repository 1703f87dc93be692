"""Policies out of their files: a site inherits from its preset and its class; each value keeps its file and line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from config.checking import problems_of
from config.documents import HERE
from config.layers import Layered, is_settled, leaves, read_layer, read_shared_layer
from config.problems import PolicyError, Problem, nearest, one
from config.recognition import Recognition, recognition_of
from config.section import Section
from config.settings import get_settings
from config.site_policy import Basis, PlatformClass, SitePolicy
from config.thresholds import GeneralPolicy

GENERAL = "general.yaml"
Policy = TypeVar("Policy", bound=GeneralPolicy)
_KEYS = {"extends"} | {info.alias or name for name, info in SitePolicy.model_fields.items()}


@dataclass(frozen=True)
class Explained:
    """One effective value and where it comes from."""

    field: str
    value: Any
    file: str
    line: int | None


def general_thresholds() -> dict[str, float]:
    """Return the thresholds that hold where no site is named: this installation's `general.yaml`, or the shipped one.

    Raises:
        PolicyError: the installation's file is wrong.
    """
    return load_general().zone_thresholds("general")


def load_general(*, shipped: bool = False) -> GeneralPolicy:
    """Return the policy that holds where no site is named; `shipped`: passing over this installation's file.

    Raises:
        PolicyError: the file is wrong.
    """
    path = HERE / GENERAL if shipped else _general_path()
    return _load_general(path, path.stat().st_mtime_ns)


def _general_path() -> Path:
    own = get_settings().policy_dir
    return own / GENERAL if own is not None and (own / GENERAL).is_file() else HERE / GENERAL


def load_class(slug: str) -> PlatformClass:
    """Return one platform class.

    Raises:
        PolicyError: there is none of this name, or its file is wrong.
    """
    path = _find("classes", slug)
    if path is None:
        known = _names("classes")
        raise one("(class)", "class", repr(slug), ", ".join(known), nearest=nearest(slug, known))
    return _load_class(path, path.stat().st_mtime_ns)


def general_and_classes() -> list[tuple[Path, GeneralPolicy]]:
    """Return the general policy and every class, each with the file that holds for this installation.

    Raises:
        PolicyError: a file is wrong.
    """
    found = [(_general_path(), load_general())]
    for name in list_classes():
        path = _find("classes", name)
        assert path is not None
        found.append((path, load_class(name)))
    return found


def list_classes() -> list[str]:
    """Return the names of the platform classes."""
    return _names("classes")


def list_sites() -> list[str]:
    """Return the names of the configured sites, those of this installation and the shipped ones."""
    return _names("sites")


def load_site(site: str | Path) -> SitePolicy:
    """Return the effective policy of a site, given its name or the path of its file.

    A crawl asks before each request, so files that did not change are not read again.

    Raises:
        PolicyError: there is no such site, or its files are wrong; says everything that is wrong.
    """
    path = _site_path(site)
    if (kept := _kept.get(path)) and kept.stamps == _stamps(kept.files):
        return kept.policy
    layered, files = _layers(path)
    policy = _validated(layered, str(path))
    stamps = _stamps(files)
    if is_settled(max(stamps)):
        _kept[path] = _Kept(policy, files, stamps)
    return policy


@dataclass(frozen=True)
class _Kept:
    """A policy that was read, its files, and when each was changed."""

    policy: SitePolicy
    files: list[Path]
    stamps: list[int]


_kept: dict[Path, _Kept] = {}


def _stamps(files: list[Path]) -> list[int]:
    """Return when each file was changed, and each folder in which another of its name may have appeared; 0: gone."""
    folders = [folder for kind in ("classes", "presets") for folder in _folders(kind)]
    return [path.stat().st_mtime_ns if path.exists() else 0 for path in [*files, *folders]]


def site_file(site: str) -> Path:
    """Return the file of a site, right or wrong.

    Raises:
        PolicyError: there is none of this name.
    """
    return _site_path(site)


def site_exists(site: str | Path) -> bool:
    """Whether there is a file for a site, right or wrong."""
    try:
        return _site_path(site).is_file()
    except PolicyError:
        return False


def explain(site: str | Path) -> list[Explained]:
    """Return every effective value of a site and the file and line that it comes from.

    Raises:
        PolicyError: as `load_site`.
    """
    path = _site_path(site)
    layered, _ = _layers(path)
    policy = _validated(layered, str(path))
    given = dict(leaves(layered.values))
    rows = [_explained(layered, path, value) for path, value in given.items()]
    tops = {path[0] for path in given}
    for name, info in SitePolicy.model_fields.items():
        if (info.alias or name) not in tops and name not in tops:
            rows.append(Explained(name, getattr(policy, name), "(default)", None))
    return rows


def _explained(layered: Layered, path: tuple[str | int, ...], value: Any) -> Explained:
    origin = layered.origin(path)
    return Explained(".".join(map(str, path)), value, origin.file if origin else "", origin.line if origin else None)


def _layers(path: Path) -> tuple[Layered, list[Path]]:
    """Return the merged layers of a site file, and the files that they came from."""
    own = read_layer(path)
    own.values.setdefault("name", path.stem)
    merged = Layered()
    class_slug = own.values.pop("class", None)
    origin = own.origin(("class",))
    known = list_classes()
    line = origin.line if origin else None
    if class_slug is None:
        meant = next((key for key in own.values.keys() - _KEYS if nearest(key, ["class"])), None)
        found, hint = ("nothing", None) if meant is None else (f"the key {meant!r}", "class")
        raise one(path, "class", found, f"one of {', '.join(known)}", line=_line(own, meant) or line, nearest=hint)
    if class_slug not in known:
        hint = nearest(str(class_slug), known)
        raise one(path, "class", repr(class_slug), ", ".join(known), line=line, nearest=hint)
    class_path = _find("classes", class_slug)
    assert class_path is not None
    class_layer = read_shared_layer(class_path)
    for key in ("thresholds", "pages_per_day", "delay_seconds"):
        merged.lay(_only(class_layer, key))
    presets = list(_presets(own, path))
    for preset, _ in presets:
        merged.lay(preset)
    merged.lay(own)
    merged.values["platform_class"] = load_class(class_slug)
    return merged, [path, class_path, *(file for _, file in presets)]


def _line(layer: Layered, key: str | None) -> int | None:
    origin = layer.origin((key,)) if key else None
    return origin.line if origin else None


def _presets(own: Layered, path: Path) -> Iterator[tuple[Layered, Path]]:
    """Yield the presets that a site extends and their files, deepest first."""
    chain: list[tuple[Layered, Path]] = []
    name, where, seen = own.values.pop("extends", None), own.origin(("extends",)), set[str]()
    file = str(path)
    while name is not None:
        known = _names("presets")
        if name not in known or name in seen:
            line = where.line if where else None
            raise one(file, "extends", repr(name), ", ".join(known), line=line, nearest=nearest(str(name), known))
        seen.add(name)
        preset_path = _find("presets", name)
        assert preset_path is not None
        preset = read_shared_layer(preset_path)
        chain.append((preset, preset_path))
        preset.values.pop("recognise", None)  # speaks of the software, not of a site
        file, where, name = str(preset_path), preset.origin(("extends",)), preset.values.pop("extends", None)
    yield from reversed(chain)


def _only(layer: Layered, key: str) -> Layered:
    return Layered(
        {key: layer.values[key]} if key in layer.values else {},
        {path: origin for path, origin in layer.origins.items() if path[:1] == (key,)},
    )


def _validated(layered: Layered, file: str) -> SitePolicy:
    try:
        return SitePolicy.model_validate(layered.values)
    except ValidationError as error:
        raise PolicyError(problems_of(error, SitePolicy, layered, file)) from error


@lru_cache(maxsize=64)
def _load_class(path: Path, _changed: int) -> PlatformClass:
    return read_general(PlatformClass, path)


@lru_cache(maxsize=4)
def _load_general(path: Path, _changed: int) -> GeneralPolicy:
    return read_general(GeneralPolicy, path)


def read_general(kind: type[Policy], path: Path) -> Policy:
    """Return what a file says that is a general policy or a platform class.

    Raises:
        PolicyError: it is wrong; says everything that is wrong.
    """
    layer = read_layer(path)
    try:
        return kind.model_validate(layer.values)
    except ValidationError as error:
        raise PolicyError(problems_of(error, kind, layer, str(path))) from error


def _site_path(site: str | Path) -> Path:
    if isinstance(site, Path) or site.endswith((".yaml", ".yml")) or "/" in site:
        return Path(site)
    found = _find("sites", site)
    if found is None:
        known = list_sites()
        raise one("(site)", "site", repr(site), ", ".join(known) or "none yet", nearest=nearest(site, known))
    return found


def _folders(kind: str) -> Iterator[Path]:
    own = get_settings().policy_dir
    if own is not None:
        yield own / kind
    yield HERE / kind


def _find(kind: str, name: str) -> Path | None:
    return next((path for folder in _folders(kind) if (path := folder / f"{name}.yaml").is_file()), None)


def _names(kind: str) -> list[str]:
    return sorted({path.stem for folder in _folders(kind) if folder.is_dir() for path in folder.glob("*.yaml")})


def list_presets() -> list[str]:
    """Return the names of the presets that a site may extend."""
    return _names("presets")


def recognitions() -> dict[str, Recognition]:
    """Return preset → by what its software is recognised, of the presets that say so.

    Raises:
        PolicyError: a preset is wrong.
    """
    found = {}
    for name in list_presets():
        path = _find("presets", name)
        assert path is not None
        if recognition := recognition_of(path):
            found[name] = recognition
    return found


def preset_values(name: str) -> dict[str, Any]:
    """Return what a preset's own file says, e.g. whether it brings sections.

    Raises:
        PolicyError: it cannot be read.
    """
    path = _find("presets", name)
    assert path is not None
    return read_layer(path).values


def site_from_text(text: str, name: str) -> SitePolicy:
    """Return the effective policy of a site file that is not written yet.

    Raises:
        PolicyError: the text is no right site file.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, "utf-8")
        return _validated(_layers(path)[0], str(path))


__all__ = [
    "Basis", "Explained", "GeneralPolicy", "PlatformClass", "PolicyError", "Problem", "Section", "SitePolicy",
    "explain", "general_and_classes", "general_thresholds", "list_classes", "list_presets", "list_sites",
    "load_class", "load_general", "load_site", "preset_values", "read_general", "recognitions", "site_exists",
    "site_file", "site_from_text",
]  # fmt: skip
