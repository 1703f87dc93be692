"""How soon somebody should look, and what deadline is suggested to a platform, by severity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter

from config.documents import Strict, read_shipped
from config.taxonomy import Severity


class Duration(Strict):
    """Hours by the clock, or working days by the Chinese calendar."""

    hours: float = 0
    working_days: int = 0


def _parse_duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if match := re.fullmatch(r"(\d+)(h|d)", value):
        return {"hours": int(match[1]) * (24 if match[2] == "d" else 1)}
    if match := re.fullmatch(r"(\d+) working days", value):
        return {"working_days": int(match[1])}
    raise ValueError(f"found {value!r}; allowed: 4h, 2d or 2 working days")


Parsed = Annotated[Duration, BeforeValidator(_parse_duration)]


class ServiceLevel(Strict):
    """The four times of one severity. All are suggestions (建议)."""

    first_look: Parsed
    second_confirmation: Parsed
    platform_deadline: Parsed
    recheck: Parsed


@lru_cache(maxsize=1)
def load_service_levels() -> Mapping[str, ServiceLevel]:
    """Return severity → service level, read once."""
    levels = TypeAdapter(dict[Severity, ServiceLevel]).validate_python(read_shipped("service_levels.yaml"))
    return {str(severity): level for severity, level in levels.items()}
