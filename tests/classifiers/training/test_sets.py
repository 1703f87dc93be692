from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.errors import ModelError, RecipeError
from classifiers.linear import load_model, newest
from classifiers.training.recipe import RECIPES, find_recipe, load_recipe
from classifiers.training.sets import Evidence, check_tier, load_sets, tier_of


def test_every_shipped_set_names_its_origin_licence_and_what_it_cannot_tell() -> None:
    for entry in load_sets().values():
        assert entry.origin
        assert entry.licence
        assert len(entry.cannot_tell) > 20


@pytest.mark.parametrize(
    ("manifest", "tier"),
    [
        ({"tier": "open"}, "open"),
        ({"tier": "limited", "data": [{"tier": "open"}]}, "limited"),
        ({"data": [{"tier": "open"}, {"tier": "limited"}]}, "limited"),
        ({"data": [{"tier": "open"}]}, "open"),
        ({"data": [{"tier": "open"}], "pretrained": {}}, "limited"),
        ({"data": {"posts.txt": "digest"}}, "limited"),
        ({"tier": "gold"}, "limited"),
        ({}, "limited"),
    ],
)
def test_a_model_is_of_the_open_tier_only_where_its_manifest_shows_it(manifest: dict[str, object], tier: str) -> None:
    assert tier_of(manifest) == tier


def test_a_model_of_the_limited_tier_is_refused_where_only_the_open_one_may_be_used() -> None:
    folder, manifest = newest(), load_model(newest()).manifest
    check_tier(folder, manifest, "limited", "")
    check_tier(folder, {"tier": "open"}, "open", "")
    with pytest.raises(ModelError, match=f"{folder.name}: found a model of tier limited; .*: `make it`"):
        check_tier(folder, manifest, "open", "make it")


def test_no_set_is_evidence_for_sexual_exploitation() -> None:
    for entry in load_sets().values():
        assert all("sexual_exploitation" not in {**evidence.says} for evidence in entry.evidence)


def test_evidence_covers_named_values_and_ranges() -> None:
    assert Evidence(values=(1,)).covers({"label": 1})
    assert not Evidence(values=(1,)).covers({"label": 0})
    assert Evidence(at_least=6).covers({"label": 8})
    assert not Evidence(at_least=6, at_most=9).covers({"label": 10})
    assert Evidence().covers({})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("a: {fiel: x}", "fiel"),
        ("- a", "mapping"),
        ("a: [", "YAML"),
        (
            "a: {file: f, origin: o, licence: l, tier: open, register: r, evidence: [{says: {gamblign: 1}}], "
            "cannot_tell: c, hold_back: {by: tail}}",
            "gamblign",
        ),
        (
            "a: {file: f, origin: o, licence: l, tier: open, register: r, evidence: [], cannot_tell: c, ours: true, "
            "grown: 3, hold_back: {by: tail}}",
            "holds nothing back",
        ),
    ],
)
def test_a_wrong_description_is_named(tmp_path: Path, body: str, named: str) -> None:
    file = tmp_path / "sets.yaml"
    file.write_text(body, "utf-8")
    with pytest.raises(RecipeError, match=named):
        load_sets(file)


def test_the_open_tier_leaves_limited_sets_out() -> None:
    _, limited = load_recipe(find_recipe("linear"))
    _, open_ = load_recipe(find_recipe("linear"), "open")
    assert {entry.tier for entry in open_} == {"open"}
    assert len(open_) < len(limited)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("colums: {}", "colums"),
        ("bits: 99", "bits"),
        ("columns: {gamblign: {}}", "gamblign"),
        ("most: {nowhere: 3}", "nowhere"),
    ],
)
def test_a_wrong_recipe_names_the_field(tmp_path: Path, line: str, named: str) -> None:
    import re

    text = (RECIPES / "linear.yaml").read_text("utf-8")
    key = line.split(":", maxsplit=1)[0]
    body = re.sub(rf"(?ms)^{key}:.*?(?=^\S|\Z)", "", text) + line + "\n"
    file = tmp_path / "wrong.yaml"
    file.write_text(body, "utf-8")
    with pytest.raises(RecipeError, match=named):
        load_recipe(file)


def test_an_unknown_recipe_lists_those_that_ship() -> None:
    with pytest.raises(RecipeError, match="linear"):
        find_recipe("nowhere")
