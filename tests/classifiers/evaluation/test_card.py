from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from classifiers.evaluation.card import CARD, render, shipped
from classifiers.evaluation.reliability import draw
from config.taxonomy import SLUGS

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_card_in_the_docs_is_that_of_the_shipped_model() -> None:
    card = json.loads((shipped() / CARD).read_text("utf-8"))
    assert (DOCS / "model-card.md").read_text("utf-8") == render(card)


def test_the_drawing_in_the_docs_is_that_of_the_shipped_model() -> None:
    card = json.loads((shipped() / CARD).read_text("utf-8"))
    assert (DOCS / "model-card.svg").read_text("utf-8") == draw(card)
    assert ElementTree.fromstring(draw(card)).tag.endswith("svg")


def test_every_category_has_figures_or_is_said_to_have_rules_alone() -> None:
    card = json.loads((shipped() / CARD).read_text("utf-8"))
    assert set(card["categories"]) | set(card["rules_only"]) == set(SLUGS)
