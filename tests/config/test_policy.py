# ruff: noqa: E501 - the table of wrong files reads best with a file to a line
"""Policies: what is inherited, what is refused, and that every wrong file says what to mend and where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from config import policy
from config.problems import PolicyError, Problem
from config.taxonomy import SLUGS
from tests.config.conftest import SITE

Wrong = Callable[[str], list[Problem]]


def put(folder: Path, content: str, name: str = "wutongli", kind: str = "sites") -> Path:
    path = folder / kind / f"{name}.yaml"
    path.write_text(content, "utf-8")
    return path


# domain/platforms: general threshold, kid_zone threshold, pages a day
CLASSES = {
    "short_video": (0.60, 0.35, 600),
    "live": (0.55, 0.35, 300),
    "social": (0.55, 0.35, 500),
    "game": (0.60, 0.35, 300),
    "literature_audio": (0.65, 0.40, 400),
    "edtech": (0.40, 0.25, 300),
    "forum_qa": (0.55, 0.35, 500),
    "comics_anime": (0.55, 0.30, 300),
    "ecommerce": (0.60, 0.35, 400),
    "kids_device_store": (0.30, 0.20, 200),
    "ai_companion": (0.45, 0.25, 200),
}


KID_ZONE = policy.load_class("forum_qa").zone_thresholds("kid_zone")


def test_there_are_the_eleven_platform_classes() -> None:
    assert policy.list_classes() == sorted(CLASSES)


@pytest.mark.parametrize("slug", CLASSES)
def test_a_class_starts_with_its_thresholds_budget_and_delay(slug: str) -> None:
    found = policy.load_class(slug)
    assert (found.thresholds.general, found.thresholds.kid_zone, found.pages_per_day) == CLASSES[slug]
    assert found.delay_seconds == 5
    assert found.sample
    assert found.emphasised


def test_a_site_inherits_from_its_class_and_its_preset(folder: Path) -> None:
    put(folder, "crawl:\n  thread: {items: .a, key: .k, text: .t}\npages_per_day: 100\n", "base", "presets")
    put(folder, "extends: base\ncrawl:\n  thread: {items: .b}\n", "derived", "presets")
    put(folder, SITE + "extends: derived\ncrawl:\n  thread: {text: .own}\n")

    site = policy.load_site("wutongli")

    assert site.crawl is not None
    thread = site.crawl.thread
    assert [field[0].css for field in (thread.items, thread.key, thread.text)] == [".b", ".k", ".own"]
    assert (site.pages_per_day, site.delay_seconds, site.name) == (100, 5, "wutongli")
    usual = policy.load_class("forum_qa")
    assert site.thresholds_for("talk") == usual.zone_thresholds("general")
    assert site.thresholds_for("kids") == usual.zone_thresholds("kid_zone")


def test_the_gravest_category_has_its_low_threshold_everywhere(folder: Path) -> None:
    put(folder, SITE)
    site = policy.load_site("wutongli")

    for section in ("talk", "kids"):
        assert site.thresholds_for(section)["sexual_exploitation"] == 0.15
    assert policy.general_thresholds()["sexual_exploitation"] == 0.15


def test_the_general_policy_knows_every_category_and_an_installation_may_have_its_own(folder: Path) -> None:
    assert tuple(policy.general_thresholds()) == SLUGS
    (folder / "general.yaml").write_text("thresholds: {general: 0.42, kid_zone: 0.3}\n", "utf-8")
    assert policy.general_thresholds()["gambling"] == 0.42
    assert policy.load_general(shipped=True).measured is not None
    (folder / "general.yaml").write_text("thresholds: {general: 42, kid_zone: 0.3}\n", "utf-8")
    with pytest.raises(PolicyError, match="general.yaml:1: thresholds.general"):
        policy.general_thresholds()


@pytest.mark.parametrize("slug", [*CLASSES, "general"])
def test_shipped_thresholds_keep_to_their_aim_and_find_more_in_kid_zones(slug: str) -> None:
    found = policy.load_general() if slug == "general" else policy.load_class(slug)
    assert found.aim is not None
    assert found.measured is not None
    # Limits of single thresholds come before the aim, so some classes lie a little above it.
    assert found.measured.ordinary.general <= found.aim.general * 1.3
    assert found.measured.ordinary.kid_zone <= found.aim.kid_zone * 1.3
    for by_zone in found.measured.categories.values():
        assert by_zone.kid_zone.threshold <= by_zone.general.threshold
    assert found.zone_thresholds("general")["self_harm"] <= 0.5


def test_the_gravest_category_cannot_be_measured_away(folder: Path) -> None:
    figures = (
        "{general: {threshold: 0.9, recall: 1, precision: 1}, kid_zone: {threshold: 0.9, recall: 1, precision: 1}}"
    )
    (folder / "general.yaml").write_text(
        "thresholds: {general: 0.5, kid_zone: 0.3}\n"
        "measured: {model: m, date: 2026-11-27, ordinary: {general: 0, kid_zone: 0}, "
        f"categories: {{sexual_exploitation: {figures}}}}}\n",
        "utf-8",
    )
    with pytest.raises(PolicyError, match="sexual_exploitation"):
        policy.general_thresholds()


def test_an_override_holds_in_its_zone(folder: Path) -> None:
    put(
        folder,
        SITE + "overrides:\n  - {category: bullying, value: 0.8, zone: general, reason: 版内玩笑多}\n"
        "  - {category: gambling, value: 0.2, reason: 近来抽奖帖多}\n",
    )
    site = policy.load_site("wutongli")

    assert (site.thresholds_for("talk")["bullying"], site.thresholds_for("kids")["bullying"]) == (
        0.8,
        KID_ZONE["bullying"],
    )
    assert (site.thresholds_for("talk")["gambling"], site.thresholds_for("kids")["gambling"]) == (0.2, 0.2)


def test_thresholds_of_a_sites_own_hold_with_a_reason(folder: Path) -> None:
    put(folder, SITE + "thresholds: {general: 0.7, reason: 版规已很严}\n")
    assert policy.load_site("wutongli").zone_thresholds("general")["bullying"] == 0.7
    assert policy.load_site("wutongli").zone_thresholds("kid_zone") == KID_ZONE


@pytest.mark.parametrize(
    ("change", "line", "field", "found", "allowed", "nearest"),
    [
        # not YAML, or not ours
        (lambda s: s.replace("[/talk]", "[/talk"), 6, "(syntax)", "expected", "valid YAML", None),
        (lambda s: s + "title: 又一个\n", 8, "(syntax)", "duplicate key", "valid YAML", None),
        (lambda s: s + "a: &x 1\nb: *x\n", None, "(syntax)", "an alias", "values written out", None),
        (lambda s: "- 一\n", 1, "(file)", "CommentedSeq", "a mapping", None),
        # names
        (lambda s: s.replace("forum_qa", "forum"), 2, "class", "'forum'", "forum_qa", "forum_qa"),
        (lambda s: s.replace("class: forum_qa", "clas: forum_qa"), 2, "class", "the key 'clas'", "forum_qa", "class"),
        (lambda s: s.replace("class: forum_qa\n", ""), 1, "class", "nothing", "forum_qa", None),
        (lambda s: s + "extends: spirt\n", 8, "extends", "'spirt'", "spirit", "spirit"),
        (lambda s: s + "delay_second: 5\n", 8, "delay_second", "the key", "delay_seconds", "delay_seconds"),
        (lambda s: s.replace("kid_zone", "kidzone"), 7, "sections.1.kidzone", "the key", "kid_zone", "kid_zone"),
        # basis
        (lambda s: s.replace("basis", "#"), 1, "basis", "nothing", "permission", None),
        (lambda s: s.replace("owner", "ownr"), 3, "basis.kind", "'ownr'", "robots, owner, authority", "owner"),
        (lambda s: s.replace("document: 站方 2026-03-01 书面同意", "document: ''"), 3, "basis.document", "''", "at least 1", None),
        (lambda s: s.replace("kind: owner", "kind: robots") + "delay_seconds: 2\n", 8, "delay_seconds", "2", "at least 5", None),
        # thresholds
        (lambda s: s + "overrides: [{category: gamblng, value: .4, reason: 试}]\n", 8, "overrides.0.category", "'gamblng'", "gambling", "gambling"),
        (lambda s: s + "overrides:\n  - {category: gambling, value: 1.4, reason: 试}\n", 9, "overrides.0.value", "1.4", "less than 1", None),
        (lambda s: s + "overrides: [{category: gambling, value: .4}]\n", 8, "overrides.0.reason", "nothing", "(required)", None),
        (lambda s: s + "overrides: [{category: gambling, value: .4, reason: ''}]\n", 8, "overrides.0.reason", "''", "at least 1", None),
        (lambda s: s + "overrides: [{category: sexual_exploitation, value: .4, reason: 试}]\n", 8, "overrides.0.value", "0.4", "at most 0.15", None),
        (lambda s: s + "thresholds: {general: 0.7}\n", 8, "thresholds", "0.7 / 0.35 without a reason", "0.55 / 0.35", None),
        (lambda s: s + "thresholds: {general: 0}\n", 8, "thresholds.general", "0", "greater than 0", None),
        # sections
        (lambda s: s.replace("slug: kids", "slug: talk"), 5, "sections", "talk twice", "once", None),
        (lambda s: s.replace("slug: kids", "slug: Kids!"), 7, "sections.1.slug", "'Kids!'", "pattern", None),
        (lambda s: s.replace("start: [/kids]", "start: [/kids], method: newest"), 7, "sections.1.method", "'newest'", "latest, hot", None),
        (lambda s: s.replace("start: [/kids]", "method: random"), 7, "sections.1.method", "random without a range", "range", None),
        (lambda s: s.replace("start: [/kids]", "sample: 3"), 7, "sections.1.sample", "3 with method latest", "random", None),
        (lambda s: s.replace("start: [/kids]", "method: stratified"), 7, "sections.1.sample", "nothing with method stratified", "threads one run draws", None),
        (lambda s: s.replace("start: [/kids]", "uniform: 0.5"), 7, "sections.1.uniform", "a value with method latest", "adaptive", None),
        (lambda s: s.replace("start: [/kids]", "method: adaptive, sample: 9, uniform: 0.1"), 7, "sections.1.uniform", "0.1", "0.2", None),
        (lambda s: s.replace("start: [/kids]", "method: stratified, sample: 9, sizes: [9, 3]"), 7, "sections.1.sizes", "bounds that do not grow", "greater than the one before", None),
        (lambda s: s.replace("start: [/kids]", "method: reservoir, sample: 9") + "crawl: {thread: {items: a, key: b, text: c}}\n", 7, "sections.1.method", "reservoir on a site without lists", "random with a range", None),
        (lambda s: s.replace("start: [/kids]", "pages: 5") + "crawl: {thread: {items: a, key: b, text: c}}\n", 7, "sections.1.pages", "how many pages a thread has", "page_number or offset", None),
        (lambda s: s + "allocation: {threads: 50}\ncrawl: {thread: {items: a, key: b, text: c}}\n", 8, "allocation", "without a section to share in it", "random, stratified", None),
        (lambda s: s.replace("[/kids]", "['/t/{n}'], range: [1, 9], method: random") + "allocation: {threads: 3}\ncrawl: {thread: {items: a, key: b, text: c}}\n", 8, "allocation.threads", "3", "at least floor", None),
        (lambda s: s.replace("[/kids]", "['/t/{n}']"), 7, "sections.1.start", "'/t/{n}' without a range", "range", None),
        (lambda s: s.replace("[/kids]", "[/t], range: [1, 3]"), 7, "sections.1.start", "without {n}", "{n} in each", None),
        (lambda s: s.replace("[/kids]", "['/t/{n}'], range: [9, 3]"), 7, "sections.1.range", "9 to 3", "first to last", None),
        # the rest
        (lambda s: s + "every: soon\n", 8, "every", "'soon'", "30s, 10m, 2h or 1d", None),
        (lambda s: s + "reviewed_on: '2026-13-01'\n", 8, "reviewed_on", "2026-13-01", "date", None),
        (lambda s: s + "pages_per_day: 0\n", 8, "pages_per_day", "0", "greater than or equal to 1", None),
        (lambda s: s.replace("https://", "ftp://"), 4, "base_url", "ftp://", "http", None),
        (lambda s: s.replace("base_url", "# ") + "crawl: {thread: {items: a, key: b, text: c}}\n", 1, "base_url", "nothing", "root", None),
        (lambda s: s + "crawl: {thread: {items: 'a[', key: b, text: c}}\n", 8, "crawl.thread.items.0.css", "'a['", "a CSS selector", None),
        (lambda s: s + "crawl: {thread: {items: a, key: b}}\n", 8, "crawl.thread.text", "nothing", "(required)", None),
        (lambda s: s + "crawl: {thread: {items: a, key: {css: b, as: numbr}, text: c}}\n", 8, "crawl.thread.key.0.as", "'numbr'", "int", None),
        (lambda s: s + "crawl: {thread: {items: a, key: b, text: c, paging: {kind: next_link}}}\n", 8, "crawl.thread.paging", "kind next_link without", "next_link with `next`", None),
    ],
)  # fmt: skip
def test_a_wrong_file_says_what_to_mend_and_where(
    wrong: Wrong, change: Callable[[str], str], line: int | None, field: str, found: str, allowed: str,
    nearest: str | None,
) -> None:  # fmt: skip
    problem = wrong(change(SITE))[0]

    assert (problem.field, problem.nearest) == (field, nearest)
    assert found in problem.found
    assert allowed in problem.allowed
    assert problem.line == line
    where = problem.file if line is None else f"{problem.file}:{line}"
    assert str(problem).startswith(f"{where}: {field}: found ")


def test_everything_that_is_wrong_is_said_at_once(wrong: Wrong) -> None:
    problems = wrong(SITE.replace("owner", "nobody") + "every: soon\npages_per_day: 0\n")
    assert {one.field for one in problems} == {"basis.kind", "every", "pages_per_day"}


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"\xff\xfe", "not UTF-8"), (b"a: " + b"x" * 1_000_001, "bytes"), (b"a: " + b"[" * 40 + b"]" * 40, "deep")],
)
def test_a_file_that_is_no_text_is_too_large_or_too_deep_is_refused(folder: Path, content: bytes, found: str) -> None:
    (folder / "sites" / "wutongli.yaml").write_bytes(content)
    with pytest.raises(PolicyError, match=found):
        policy.load_site("wutongli")


def test_an_unknown_site_is_answered_with_the_nearest_name(folder: Path) -> None:
    put(folder, SITE)
    with pytest.raises(PolicyError, match=r"found 'wutonglu'; allowed: demo, wutongli\. Did you mean 'wutongli'"):
        policy.load_site("wutonglu")
    assert not policy.site_exists("wutonglu")
    assert policy.site_exists("wutongli")


def test_presets_that_extend_each_other_are_refused(folder: Path) -> None:
    put(folder, "extends: two\n", "one", "presets")
    put(folder, "extends: one\n", "two", "presets")
    put(folder, SITE + "extends: one\n")
    with pytest.raises(PolicyError, match="extends: found 'one'"):
        policy.load_site("wutongli")


def test_an_installations_own_file_comes_before_the_shipped_one(folder: Path) -> None:
    put(folder, SITE, "demo")
    assert policy.load_site("demo").title == "梧桐里"


def test_explain_names_file_and_line_of_every_value(folder: Path) -> None:
    preset = put(folder, "crawl:\n  thread:\n    items: .a\n    key: .k\n    text: .t\n", "own", "presets")
    path = put(folder, SITE + "extends: own\ndelay_seconds: 7\n")

    rows = {row.field: row for row in policy.explain("wutongli")}

    assert (rows["delay_seconds"].value, rows["delay_seconds"].file, rows["delay_seconds"].line) == (7, str(path), 9)
    assert (rows["crawl.thread.key"].file, rows["crawl.thread.key"].line) == (str(preset), 4)
    assert (rows["sections.1.kid_zone"].value, rows["sections.1.kid_zone"].line) == (True, 7)
    assert rows["thresholds.general"].file.endswith("classes/forum_qa.yaml")
    assert (rows["enabled"].value, rows["enabled"].file) == (True, "(default)")


def test_every_shipped_site_preset_and_example_is_right() -> None:
    for name in ("demo",):
        assert policy.load_site(name).crawl is not None
    for path in (Path(policy.HERE).parent / "docs" / "examples").glob("*.yaml"):
        assert policy.load_site(path).sections


def test_the_digest_changes_with_the_policy(folder: Path) -> None:
    put(folder, SITE)
    before = policy.load_site("wutongli").digest
    assert policy.load_site("wutongli").digest == before
    put(folder, SITE + "delay_seconds: 9\n")
    assert policy.load_site("wutongli").digest != before


def test_a_change_of_any_file_counts_at_once(folder: Path) -> None:
    import os

    files = {
        "preset": put(folder, "pages_per_day: 10\n", "own", "presets"),
        "site": put(folder, SITE + "extends: own\n"),
    }

    moments = iter(range(10**18, 2 * 10**18, 10**9))

    def settle() -> None:
        moment = next(moments)
        for file in [*files.values(), *folder.iterdir()]:
            os.utime(file, ns=(moment, moment))

    settle()
    assert policy.load_site("wutongli") is policy.load_site("wutongli")
    put(folder, "pages_per_day: 20\n", "own", "presets")
    assert policy.load_site("wutongli").pages_per_day == 20
    settle()
    assert policy.load_site("wutongli").pages_per_day == 20
    files["class"] = put(
        folder, (policy.HERE / "classes" / "forum_qa.yaml").read_text().replace("0.55", "0.66"), "forum_qa", "classes"
    )
    assert policy.load_site("wutongli").thresholds.general == 0.66
    settle()
    policy.load_site("wutongli")
    files["site"].unlink()
    with pytest.raises(PolicyError):
        policy.load_site("wutongli")


@pytest.mark.parametrize(("written", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86400)])
def test_a_schedule_is_written_as_a_span(folder: Path, written: str, seconds: int) -> None:
    put(folder, SITE + f"every: {written}\n")
    assert policy.load_site("wutongli").schedule == timedelta(seconds=seconds)
