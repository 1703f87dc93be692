"""`woodpecker rules check|test|explain`: the word rules, for whoever edits them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.output import Exit, Json, complain, console, leave, summary

if TYPE_CHECKING:
    from classifiers.rules.engine import RuleEngine
    from classifiers.rules.model import RuleBook

Own = Annotated[
    Path | None,
    typer.Option(
        "--rules", help="Folder of your own rules, added to the shipped; default: rules/ in the policy folder."
    ),
]

rules = typer.Typer(help="Check, test and explain the word rules.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(rules, name="rules")


@rules.command()
def check(own: Own = None, json: Json = False) -> None:
    """Read every rule file: fields, categories, word classes, expressions. Says how many rules each category has."""
    book, _ = _loaded(own, as_json=json)
    counts: dict[str, int] = {}
    for slug, _, _ in book.rules:
        counts[slug] = counts.get(slug, 0) + 1
    if json:
        summary({"rules": counts, "classes": len(book.classes), "contexts": len(book.contexts)})
        return
    for slug, count in counts.items():
        console.print(f"{slug:<22} {count} rules", markup=False, soft_wrap=True)
    console.print(f"{len(book.rules)} rules, {len(book.classes)} word classes, {len(book.contexts)} contexts: all read")


@rules.command("test")
def try_examples(own: Own = None, json: Json = False) -> None:
    """Try the examples inside the rule files: each `hit` must make its rule speak, each `miss` must not.

    The exit code is 1 when an example fails.
    """
    from classifiers.rules.reading import failing_examples

    book, engine = _loaded(own, as_json=json)
    examples = sum(len(rule.examples.hit) + len(rule.examples.miss) for _, rule, _ in book.rules)
    bare = sorted(
        f"{slug}.{rule.name}" for slug, rule, _ in book.rules if not _may_be_bare(slug) and not rule.examples.hit
    )
    failing = failing_examples(book, engine)
    for error in failing:
        complain(str(error))
    for name in bare:
        complain(f"{name} has no example of what it catches")
    if json:
        summary({"examples": examples, "failing": [str(error) for error in failing], "without_examples": bare})
    else:
        console.print(
            f"{examples} examples of {len(book.rules)} rules: {len(failing)} fail", markup=False, soft_wrap=True
        )
    if failing:
        raise typer.Exit(int(Exit.FAILED))


@rules.command()
def explain(
    text: Annotated[str, typer.Argument(help="The text, in quotes.")], own: Own = None, json: Json = False
) -> None:
    """Say which rules speak of a text, and which had a word in it but were kept silent, and by what."""
    from classifiers.rules.reading import RuleReader

    _, engine = _loaded(own, as_json=json)
    readings = RuleReader(engine).explain(text)
    if json:
        summary(
            {
                "readings": [
                    dataclasses.asdict(one) | {"undone": [u.model_dump() for u in one.undone]} for one in readings
                ]
            }
        )
        return
    for reading in readings:
        console.print(f"read as  {reading.text}", markup=False, soft_wrap=True)
        for entry in reading.undone:
            console.print(f"  undone {entry.seen} → {entry.read_as} ({entry.kind})", markup=False, soft_wrap=True)
        for hit in reading.spoken:
            where = reading.text[hit.start : hit.end]
            console.print(
                f"  speaks {hit.name} ({hit.probability:.2f}) at {hit.start}–{hit.end}: {where}", markup=False
            )
        for silent in reading.silent:
            console.print(
                f"  silent {silent.name}, though it has {silent.word!r}: {silent.why}", markup=False, soft_wrap=True
            )
        if not reading.spoken and not reading.silent:
            console.print("  no rule has a word in it")


def _loaded(own: Path | None, *, as_json: bool) -> tuple[RuleBook, RuleEngine]:
    from classifiers.errors import RuleError
    from classifiers.rules.engine import RuleEngine
    from classifiers.rules.model import RULES_DIR, load_rules
    from config.settings import get_settings

    if own is not None and not own.is_dir():
        leave(
            Exit.WRONG_INPUT, f"--rules {own}: found no such folder; allowed: a folder of rule files", as_json=as_json
        )
    folder = own or get_settings().own_rules
    try:
        book = load_rules((RULES_DIR, folder) if folder else (RULES_DIR,))
        return book, RuleEngine(book)
    except RuleError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)


def _may_be_bare(slug: str) -> bool:
    """No example of this category is ever written."""
    return slug == "sexual_exploitation"
