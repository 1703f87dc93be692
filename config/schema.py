"""JSON Schema of a site file, for editors: what may be written, before anything is inherited."""

from __future__ import annotations

from typing import Any

from config.policy import list_classes, list_presets
from config.site_policy import SitePolicy

_INHERITED = {"name", "pages_per_day", "delay_seconds", "thresholds"}
"""What a file may leave out since its name, its class or its preset says it."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a site file of this installation."""
    schema = SitePolicy.model_json_schema(by_alias=True)
    properties = schema["properties"]
    del properties["platform_class"]
    properties["class"] = {"enum": list_classes(), "description": "the kind of platform"}
    properties["extends"] = {"enum": list_presets(), "description": "the kind of software"}
    schema["required"] = ["class", *(name for name in schema["required"] if name in properties.keys() - _INHERITED)]
    # A preset may say any part of a recipe, and a site file then says only what differs.
    for name in ("Recipe", "ListRecipe", "ThreadRecipe", "Paging", "Thresholds"):
        schema["$defs"][name].pop("required", None)
    return schema | {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Site file"}
