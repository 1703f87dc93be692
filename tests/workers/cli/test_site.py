# ruff: noqa: F811 - fixtures are arguments
"""`woodpecker site new` and `site try`, run as people run them: first captures after three commands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crawlers.conftest import site  # noqa: F401 - fixture
from tests.crawlers.site import Reply, Site
from tests.crawlers.test_kills import ROOT
from tests.crawlers.test_presets import discuz_x3
from tests.workers.cli.test_crawl import environment_of, summary


def command(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers", *map(str, arguments)], cwd=ROOT, env=environment_of(folder),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_new_site_brings_its_first_captures_after_three_commands(site: Site, tmp_path: Path) -> None:
    site.pages |= discuz_x3()
    file = tmp_path / "forum.yaml"
    agreed = ("--basis", "owner", "--document", "本测试自己提供的页面", "--private-hosts", "--delay", "0")

    new = command(tmp_path, "site", "new", f"{site.url}forum-2-1.html", "-o", file, *agreed)
    assert (new.returncode, "recognised  Discuz!" in new.stdout, "晚自习" in new.stdout) == (0, True, True), new.stderr
    assert "site try" in new.stderr

    tried = command(tmp_path, "site", "try", file, "--json")
    assert tried.returncode == 0, tried.stderr
    assert [len(page["rows"]) for page in summary(tried)["pages"]] == [2, 1, 2]

    crawled = command(tmp_path, "crawl", file, "-o", tmp_path / "captures.jsonl", "--json")
    assert (crawled.returncode, summary(crawled)["captures"]) == (0, 6), crawled.stderr
    assert len(file.read_text("utf-8").splitlines()) <= 10


def test_a_page_that_robots_forbids_proposes_nothing_and_names_the_line(site: Site, tmp_path: Path) -> None:
    site.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /", headers={"Content-Type": "text/plain"})
    done = command(tmp_path, "site", "new", site.url, "--private-hosts", "-o", tmp_path / "x.yaml", "--json")
    assert done.returncode == 1
    assert "robots.txt disallows it: line 2, Disallow: /; nothing is proposed" in summary(done)["error"]
    assert not (tmp_path / "x.yaml").exists()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["new", "forum.example"], "URL: found 'forum.example'; allowed: a whole http or https address"),
        (["new", "https://forum.example/", "--class", "forum"], "--class: found 'forum'; allowed: ai_companion"),
        (["new", "https://forum.example/", "--preset", "foren"], "--preset: found 'foren'; allowed: activitypub"),
        (["new", "https://forum.example/", "-o", "{file}"], "found a file; allowed: a new file's name"),
        (["new", "https://forum.example/"], "WOODPECKER_CRAWLER_CONTACT: found nothing"),
        (["try", "{file}"], "class: found nothing"),
        (["try", "demoo"], "Did you mean 'demo'?"),
    ],
)
def test_a_wrong_call_asks_nothing(
    woodpecker: Callable[..., Any], tmp_path: Path, call: list[str], message: str
) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("title: x\n")
    done = woodpecker("site", *(part.format(file=file) for part in call))
    assert (done.code, message in done.err) == (2, True), done.err
