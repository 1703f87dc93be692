"""The fields of a rule file, and reading a folder of them.

    category: gambling                  # a slug of the taxonomy
    author: project                     # who wrote the rules, and when; a rule may name its own
    date: 2026-11-24
    rules:
      - name: table_lure                # the rule is called gambling.table_lure
        any: ["百家乐", "@betting"]      # words, or word classes of classes.yaml; one must be there
        pattern: "日入\\d+"              # or a regular expression, which is only tried where a word of `any` is
        near: [["@contact"], ["注册"]]   # of each list, one must stand within `within` characters
        within: 24
        not_near: ["@warning"]          # none of these may stand within `not_within` characters
        not_within: 40
        strength: strong                # see STRENGTHS; `off` silences a shipped rule in a folder of your own
        reason: tables named together with a way to reach them are an invitation
        examples: {hit: ["…"], miss: ["…"]}

Words are written as they are meant: evasions are undone before rules see a text. A folder of an installation's own
adds to the shipped one: a rule of the same full name takes the shipped one's place, a word class of the same name is
joined to it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from classifiers.errors import RuleError
from config.taxonomy import SLUGS

_TOLD = {"author", "reason", "date", "examples"}  # of a rule, what changes nothing of what it says
RULES_DIR = Path(__file__).parent / "data"
CLASSES_FILE = "classes.yaml"
CONTEXT_FILE = "context.yaml"

STRENGTHS: Mapping[str, float] = {"certain": 0.97, "strong": 0.9, "medium": 0.7, "weak": 0.4}
"""Probability that a text is of the category when the rule speaks. Estimates of ours, until decisions measure them:
certain is hardly said otherwise, strong is wrong one time in ten, medium goes to a human under the general
threshold, weak does so only in a children's section or together with the linear model."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Examples(_Strict):
    """Texts that must and must not make the rule speak; checked by the tests and by `check`."""

    hit: tuple[str, ...] = ()
    miss: tuple[str, ...] = ()


class Rule(_Strict):
    """One rule as written."""

    name: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")
    any: tuple[str, ...] = Field(min_length=1)
    pattern: str | None = None
    near: tuple[tuple[str, ...], ...] = ()
    within: int = Field(default=24, ge=1, le=20_000)
    not_near: tuple[str, ...] = ()
    not_within: int = Field(default=40, ge=1, le=20_000)
    strength: Literal["certain", "strong", "medium", "weak", "off"]
    author: str | None = Field(default=None, description="the file's where a rule names none")
    reason: str
    date: datetime.date | None = Field(default=None, description="the file's where a rule names none")
    examples: Examples = Examples()


class RuleFile(_Strict):
    """Rules of one category; `author` and `date` stand for every rule that does not name its own."""

    category: str
    author: str
    date: datetime.date
    rules: tuple[Rule, ...]


class Context(_Strict):
    """Words that say a text reports or warns: the linear model's probability is multiplied by `factor`.

    Word rules have their own `not_near` and are not touched. `at_least` different words must be there.
    """

    name: str
    any: tuple[str, ...]
    at_least: int = Field(default=1, ge=1)
    factor: float = Field(gt=0, lt=1)
    categories: tuple[str, ...]
    author: str
    reason: str
    date: datetime.date


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules in force: (category, rule, file), word classes and contexts; `folder` is the last one read."""

    rules: tuple[tuple[str, Rule, Path], ...]
    classes: Mapping[str, tuple[str, ...]]
    contexts: tuple[Context, ...]
    folder: Path

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits of SHA-256 over everything that decides what the rules say."""
        spoken = [(category, rule.model_dump(mode="json", exclude=_TOLD)) for category, rule, _ in self.rules]
        contexts = [context.model_dump(mode="json", exclude=_TOLD) for context in self.contexts]
        whole = json.dumps([spoken, dict(self.classes), contexts], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:8]

    def words(self, entries: tuple[str, ...], path: Path, rule: str) -> tuple[str, ...]:
        """Replace each "@class" by its words.

        Raises:
            RuleError: there is no such class.
        """
        found: list[str] = []
        for entry in entries:
            if not entry.startswith("@"):
                found.append(entry)
            elif entry[1:] in self.classes:
                found.extend(self.classes[entry[1:]])
            else:
                known = ", ".join("@" + name for name in self.classes)
                raise RuleError(path, rule, "word class", entry, known, line=line_of_rule(path, rule))
        return tuple(dict.fromkeys(found))


def load_rules(folders: Sequence[Path] = (RULES_DIR,)) -> RuleBook:
    """Read every rule file of some folders; later ones add to and replace earlier ones.

    Raises:
        RuleError: a file cannot be read, has an unknown field or category, or names a rule twice.
    """
    classes: dict[str, tuple[str, ...]] = {}
    contexts: dict[str, Context] = {}
    rules: dict[str, tuple[str, Rule, Path]] = {}
    for folder in folders:
        for name, words in _classes(folder / CLASSES_FILE).items():
            classes[name] = tuple(dict.fromkeys((*classes.get(name, ()), *words)))
        contexts |= {context.name: context for context in _contexts(folder / CONTEXT_FILE)}
        rules |= _rules(folder)
    spoken = tuple(entry for entry in rules.values() if entry[1].strength != "off")
    if not spoken:
        raise RuleError(folders[-1], "-", "files", "no rule file", "at least one *.yaml with a category and rules")
    return RuleBook(spoken, classes, tuple(contexts.values()), folders[-1])


def _classes(path: Path) -> dict[str, tuple[str, ...]]:
    raw = _read(path) if path.is_file() else {}
    if not isinstance(raw, dict) or not all(isinstance(words, list) for words in raw.values()):
        raise RuleError(path, "-", "file", "something else", "names of word classes, each with a list of words")
    return {str(name): tuple(str(word) for word in words) for name, words in raw.items()}


def _contexts(path: Path) -> list[Context]:
    entries = _read(path) if path.is_file() else []
    if not isinstance(entries, list):
        raise RuleError(path, "-", "file", type(entries).__name__, "a list of contexts")
    return [_validate(Context, entry, path) for entry in entries]


def _rules(folder: Path) -> dict[str, tuple[str, Rule, Path]]:
    found: dict[str, tuple[str, Rule, Path]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name in (CLASSES_FILE, CONTEXT_FILE):
            continue
        book = _validate(RuleFile, _read(path), path)
        if book.category not in SLUGS:
            raise RuleError(
                path, "-", "category", repr(book.category), ", ".join(SLUGS), line=line_of(path, ["category"])
            )
        for number, rule in enumerate(book.rules):
            full = f"{book.category}.{rule.name}"
            if full in found:
                line = line_of(path, ["rules", number])
                raise RuleError(path, full, "name", "a second rule of this name", "one rule per name", line=line)
            found[full] = (book.category, rule, path)
    return found


def _read(path: Path) -> Any:
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RuleError(path, "-", "file", error.strerror or str(error), "a readable YAML file") from error
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        found = f"no YAML: {getattr(error, 'problem', None) or str(error).splitlines()[0]}"
        line = mark.line + 1 if mark else None
        raise RuleError(path, "-", "file", found, "a YAML file in UTF-8", line=line) from error


def line_of(path: Path, place: Sequence[int | str]) -> int | None:
    """Return the line of a file on which a value stands, or the nearest thing that holds it; None where none does."""
    try:
        node, line = YAML(typ="rt").load(path.read_text(encoding="utf-8")), None
    except (OSError, YAMLError, UnicodeDecodeError):
        return None
    for part in place:
        try:
            line = (node.lc.key(part) if isinstance(node, CommentedMap) else node.lc.item(part))[0] + 1
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def line_of_rule(path: Path, full: str) -> int | None:
    """Return the line on which a rule of a file begins, given its full name; None where it is not there."""
    rules = _read(path)["rules"]
    return next((line_of(path, ["rules", k]) for k, one in enumerate(rules) if full.endswith(f".{one['name']}")), None)


def _validate(kind: Any, raw: Any, path: Path) -> Any:
    try:
        return kind.model_validate(raw)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        line = line_of(path, first["loc"])
        place = ".".join(str(part) for part in first["loc"]) or "file"
        name = "-"
        if isinstance(raw, dict) and first["loc"][:1] == ("rules",) and len(first["loc"]) > 1:
            rule = raw["rules"][first["loc"][1]]
            name = str(rule.get("name", "-")) if isinstance(rule, dict) else "-"
        if first["type"] == "extra_forbidden":
            model = Rule if name != "-" else kind
            raise RuleError(path, name, place, "an unknown key", ", ".join(model.model_fields), line=line) from error
        raise RuleError(path, name, place, repr(first.get("input"))[:80], first["msg"], line=line) from error
