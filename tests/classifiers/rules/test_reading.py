from __future__ import annotations

from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import load_rules
from classifiers.rules.reading import RuleReader, failing_examples
from config.taxonomy import SLUGS


def test_every_example_in_the_shipped_rules_holds() -> None:
    book = load_rules()
    assert [str(error) for error in failing_examples(book, RuleEngine(book))] == []


def test_every_category_has_rules_and_each_rule_an_example() -> None:
    book = load_rules()
    assert {slug for slug, _, _ in book.rules} == set(SLUGS)
    bare = {f"{slug}.{rule.name}" for slug, rule, _ in book.rules if not rule.examples.hit}
    assert all(name.startswith("sexual_exploitation.") for name in bare)


def test_no_text_is_written_for_sexual_exploitation() -> None:
    rules = [rule for slug, rule, _ in load_rules().rules if slug == "sexual_exploitation"]
    assert rules
    assert all(not rule.examples.hit and not rule.examples.miss for rule in rules)


def test_a_failing_example_is_named_with_its_rule() -> None:
    book = load_rules()
    slug, rule, path = book.rules[0]
    broken = rule.model_copy(update={"examples": rule.examples.model_copy(update={"hit": ("今天天气好",)})})
    changed = type(book)(((slug, broken, path),), book.classes, book.contexts, book.folder)
    [error] = failing_examples(changed, RuleEngine(changed))
    assert error.rule == f"{slug}.{rule.name}"


def test_rules_read_through_an_evasion() -> None:
    reader = RuleReader(RuleEngine(load_rules()))
    assert "gambling" in reader.strongest(["信.誉.博.彩，注册送彩金"])[0]
    assert reader.strongest(["昨天和爷爷下棋"]) == [{}]
