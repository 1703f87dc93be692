"""From pydantic's errors to problems with file, line, field, what was found, what is allowed, and the nearest name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from config.layers import Layered
from config.problems import Problem, nearest


def problems_of(error: ValidationError, model: type[BaseModel], layered: Layered, file: str) -> list[Problem]:
    """Return what is wrong, each with the place where it stands."""
    details = error.errors(include_url=False)
    broken = {detail["loc"][:length] for detail in details for length in range(1, len(detail["loc"]))}
    # A list whose only entry is wrong also counts as too short; that says nothing new.
    told = [detail for detail in details if not (detail["type"] == "too_short" and detail["loc"] in broken)]
    return [_problem(detail, model, layered, file) for detail in told]


def _problem(detail: Any, model: type[BaseModel], layered: Layered, file: str) -> Problem:
    path = tuple(part for part in detail["loc"] if not _is_type_tag(part))
    origin = layered.origin(path)
    where, line = (origin.file, origin.line) if origin else (file, 1)
    field = ".".join(str(part) for part in path) or "(file)"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "missing":
        meaning = _meaning(_model_at(model, path[:-1]), str(path[-1]))
        return Problem(where, line, field, "nothing", f"{meaning} (required)")
    if detail["type"] == "extra_forbidden":
        known = _keys(_model_at(model, path[:-1]))
        name = str(path[-1])
        return Problem(where, line, field, f"the key {name!r}", f"the keys {', '.join(known)}", nearest(name, known))
    if "; allowed: " in message:
        found, allowed = message.split("; allowed: ", 1)
        if named := re.fullmatch(r"([a-z0-9_.]+): found (.*)", found, re.DOTALL):
            # A check of several keys together names the one that stands wrong.
            path = (*path, *(int(part) if part.isdigit() else part for part in named[1].split(".")))
            found = named[2]
            field, origin = ".".join(map(str, path)), layered.origin(path)
            where, line = (origin.file, origin.line) if origin else (file, 1)
        elif not path:
            field, _, found = found.partition(": ")
        else:
            given = detail["input"]
            found = found.removeprefix("found ") if isinstance(given, dict) else repr(given)[:120]
        return Problem(where, line, field, found, allowed, _suggestion(detail["input"], allowed.split(", ")))
    expected = detail.get("ctx", {}).get("expected")
    allowed = expected.replace("'", "").replace(" or ", ", ") if expected else _plain(message)
    names = allowed.split(", ") if expected else []
    return Problem(where, line, field, repr(detail["input"])[:120], allowed, _suggestion(detail["input"], names))


def _meaning(model: type[BaseModel] | None, name: str) -> str:
    fields = model.model_fields if model else {}
    info = fields.get(name) or next((one for one in fields.values() if one.alias == name), None)
    return info.description if info and info.description else "a value"


def _plain(message: str) -> str:
    """Say what is allowed, from pydantic's "Input should be …"."""
    for lead in ("Input should be ", "Value should have ", "String should have ", "String should "):
        if message.startswith(lead):
            return message.removeprefix(lead)
    return message


def _suggestion(found: Any, names: Iterable[str]) -> str | None:
    return nearest(found, names) if isinstance(found, str) else None


def _is_type_tag(part: Any) -> bool:
    """Whether pydantic put the name of a type into the path."""
    return isinstance(part, str) and ("[" in part or part in {"tuple", "function-before", "function-after"})


def _keys(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    keys = [info.alias or name for name, info in model.model_fields.items()]
    of_a_site = {"platform_class", "sections"} <= set(keys)
    return sorted({"class", "extends", *keys} - {"platform_class"} if of_a_site else keys)


def _model_at(model: type[BaseModel], path: tuple[Any, ...]) -> type[BaseModel] | None:
    current: Any = model
    for part in path:
        if isinstance(part, int):
            continue
        fields = current.model_fields if current else {}
        info = fields.get(part) or next((one for one in fields.values() if one.alias == part), None)
        current = _first_model(info.annotation) if info else None
    return current  # type: ignore[no-any-return]


def _first_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is not None or get_origin(annotation) is Union:
        for inner in get_args(annotation):
            if found := _first_model(inner):
                return found
    return None
