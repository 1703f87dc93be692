"""Texts grown from grammars with slots, for training alone: `grown/<slug>.yaml`, invented and mild like `written/`.

A grammar has `slots` (a name and what may stand there, which may hold slots again) and `forms` (the categories a
text of this form says, none for a hard negative; its register; the text with `{slot}`s). Nothing is ever measured on
grown texts: a form's texts are too alike to be evidence.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from classifiers.training.sets import Strict, read_yaml, validate
from classifiers.training.written import REGISTERS
from config.taxonomy import SLUGS

Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]
TRIES = 4
"""How often a form that grew a text it has grown before is tried again, for each text asked for."""


class Form(Strict):
    """A text with slots, and what every text grown from it says."""

    says: Annotated[tuple[str, ...], Field(description="categories; none: a hard negative, harmless in all fifteen")]
    register_: Annotated[str, Field(alias="register")]
    text: Text

    @model_validator(mode="after")
    def _known(self) -> Form:
        if unknown := set(self.says) - set(SLUGS):
            raise ValueError(f"says {', '.join(sorted(unknown))}, allowed: {', '.join(SLUGS)}")
        if self.register_ not in REGISTERS:
            raise ValueError(f"register {self.register_!r}, allowed: {', '.join(REGISTERS)}")
        return self


class Grammar(Strict):
    """Slots and the forms that they fill."""

    slots: dict[str, Annotated[tuple[Text, ...], Field(min_length=1)]]
    forms: Annotated[tuple[Form, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _closed(self) -> Grammar:
        """Every slot that is used is there, and none holds itself, however far down."""
        for form in self.forms:
            self._follow(form.text, ())
        return self

    def _follow(self, text: str, above: tuple[str, ...]) -> None:
        for name in slots_of(text):
            if name not in self.slots:
                raise ValueError(f"no slot {name!r}, allowed: {', '.join(self.slots)}")
            if name in above:
                raise ValueError(f"slots in a circle: {' → '.join((*above, name))}")
            for filler in self.slots[name]:
                self._follow(filler, (*above, name))

    def fill(self, text: str, lots: random.Random) -> str:
        """`text` with each slot filled by lot; a slot named twice is filled twice."""
        parts = [
            before + (self.fill(lots.choice(self.slots[name]), lots) if name else "")
            for before, name, _, _ in Formatter().parse(text)
        ]
        return "".join(parts)


def slots_of(text: str) -> list[str]:
    """Names of the slots in a text, as they stand.

    Raises:
        ValueError: a brace is alone, or a slot holds more than a name.
    """
    slots = [part[1:] for part in Formatter().parse(text) if part[1] is not None]
    if odd := [name for name, layout, conversion in slots if layout or conversion or not name]:
        raise ValueError(f"slot {odd[0]!r} in {text!r} holds more, or less, than a name")
    return [str(name) for name, _, _ in slots]


def load_grammar(path: Path) -> Grammar:
    """Read and check a grammar.

    Raises:
        RecipeError: the file cannot be read, has an unknown key, category, register or slot, or slots in a circle.
    """
    return validate(Grammar, read_yaml(path), path)


def grow(path: Path, *, each: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield at most `each` different texts of every form, the same for the same seed: rows as `read_written` has.

    Raises:
        RecipeError: as for `load_grammar`.
    """
    grammar = load_grammar(path)
    for number, form in enumerate(grammar.forms, 1):
        lots = random.Random(f"{seed}:{form.text}")  # noqa: S311 - reproducible, nothing secret
        topic = f"{path.stem}/{number}"
        for text in _different(grammar, form, each, lots):
            yield {"slugs": frozenset(form.says), "register": form.register_, "topic": topic, "text": text}


def _different(grammar: Grammar, form: Form, most: int, lots: random.Random) -> list[str]:
    found: dict[str, None] = {}
    for _ in range(most * TRIES):
        if len(found) == most:
            break
        found.setdefault(grammar.fill(form.text, lots))
    return list(found)
