"""The JSON Schema speaks of site files as people write them."""

from __future__ import annotations

from typing import Any

from config.policy import list_classes, list_presets
from config.schema import json_schema
from config.site_policy import SitePolicy


def keys(name: str) -> dict[str, Any]:
    return dict(json_schema()["$defs"][name]["properties"])


def test_class_and_extends_are_names_that_exist_here() -> None:
    properties = json_schema()["properties"]
    assert properties["class"]["enum"] == list_classes()
    assert properties["extends"]["enum"] == list_presets()
    assert "platform_class" not in properties


def test_only_what_nothing_else_says_is_required() -> None:
    assert set(json_schema()["required"]) == {"class", "title", "basis", "sections"}


def test_a_field_may_be_a_selector_a_mapping_or_a_list() -> None:
    items = keys("ThreadRecipe")["items"]
    assert [one.get("type") or one.get("$ref", "").rsplit("/", 1)[-1] for one in items["anyOf"]] == [
        "string", "Finder", "array",
    ]  # fmt: skip


def test_a_file_that_leaves_a_recipes_rest_to_its_preset_is_right() -> None:
    assert "required" not in json_schema()["$defs"]["ThreadRecipe"]


def test_unknown_keys_are_wrong_and_every_key_of_a_policy_is_there() -> None:
    schema = json_schema()
    written = {info.alias or name for name, info in SitePolicy.model_fields.items()} - {"platform_class"}
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == written | {"class", "extends"}
    assert keys("Finder").keys() >= {"css", "xpath", "jmespath", "const", "regex", "template", "drop", "as"}
