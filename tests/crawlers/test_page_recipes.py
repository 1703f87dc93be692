"""What a page is before anything is looked for on it: inside another, or through a reader; lists that lead to lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import get_settings
from crawlers.crawl import NotCrawlable
from crawlers.formats import reader
from tests.crawlers.conftest import HTML_RECIPE, Crawls
from tests.crawlers.site import Reply, Site

POSTS = '<div class=post data-id=1><p class=text>一</p></div><div class="post op" data-id=2><p class=text>二</p></div>'
HTML_THREAD: dict[str, Any] = {key: HTML_RECIPE["thread"][key] for key in ("items", "key", "text")}
JSON_THREAD: dict[str, Any] = {
    "format": "json", "items": [{"jmespath": "posts"}], "key": [{"jmespath": "id"}], "text": [{"jmespath": "text"}],
}  # fmt: skip
ROWS = {"posts": [{"id": 1, "text": "一"}, {"id": 2, "text": "二"}]}


def texts(crawls: Crawls, thread: dict[str, Any], **recipe: Any) -> list[str]:
    sections = [{"slug": "all", "title": "全部", "start": ["/t"]}]
    return [one.text for one in crawls.run(crawls.policy({"thread": thread, **recipe}, sections=sections))]


@pytest.mark.parametrize(
    ("body", "thread", "inside"),
    [
        (json.dumps({"html": POSTS}), HTML_THREAD, {"jmespath": "html"}),
        (f"<script id=state>{json.dumps(ROWS)}</script>", JSON_THREAD, {"css": "script#state::text"}),
        (f"<script>window.STATE = {json.dumps(ROWS)};</script>", JSON_THREAD,
         {"css": "script::text", "regex": r"STATE = (\{.*\});"}),
        (f"show({json.dumps(ROWS)})", JSON_THREAD, {"css": "*::text", "regex": r"^show\((.*)\)$"}),
    ],
    ids=["HTML in JSON", "JSON in a script", "JSON in a variable", "JSONP"],
)  # fmt: skip
def test_a_page_inside_another_is_read(
    site: Site, crawls: Crawls, body: str, thread: dict[str, Any], inside: dict[str, str]
) -> None:
    site.pages["/t"] = body
    assert texts(crawls, thread | {"inside": [inside]}) == ["一", "二"]


def test_where_nothing_is_inside_it_is_told(site: Site, crawls: Crawls) -> None:
    site.pages["/t"] = "<p>别的版式</p>"
    assert texts(crawls, JSON_THREAD | {"inside": [{"css": "script#state::text"}]}) == []
    assert crawls.report.failed == {"nothing is found `inside`": 1}


def test_an_opening_post_is_known_by_its_mark_wherever_it_stands(site: Site, crawls: Crawls) -> None:
    site.pages["/t"] = POSTS
    recipe = {"thread": HTML_THREAD | {"is_post": [{"css": ".op"}]}}
    captures = crawls.run(crawls.policy(recipe, sections=[{"slug": "all", "title": "全部", "start": ["/t"]}]))
    assert [one.kind for one in captures] == ["comment", "post"]


def test_boards_of_a_front_page_are_lists_too_and_those_that_stay_are_not_asked_for_again(
    site: Site, crawls: Crawls
) -> None:
    def front(moved_at: str) -> str:
        return (
            f"<li class=board><a href=/b/1>一</a><i>{moved_at}</i></li><li class=board><a href=/b/2>二</a><i>1</i></li>"
        )

    def board(n: int, replies: int) -> str:
        return f"<li class=thread data-id=t{n}><a href=/t{n}>题目</a><span class=replies>{replies}</span></li>"

    lists = {"items": [{"css": ".board"}], "url": [{"css": "a::attr(href)"}], "moved_at": [{"css": "i"}]}
    policy = crawls.policy({**HTML_RECIPE, "list": HTML_RECIPE["list"] | {"lists": lists}})
    site.pages |= {"/list": front("1"), "/b/1": board(1, 1), "/b/2": board(2, 1), "/t1": POSTS, "/t2": POSTS}

    assert len(crawls.run(policy)) == 6
    assert crawls.report.barren_pages == 0
    site.pages |= {"/list": front("2"), "/b/1": board(1, 2)}
    asked = len(site.asked())
    crawls.run(policy)
    assert site.asked()[asked:] == ["/list", "/b/1", "/t1"]


@pytest.fixture
def readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of readers of a policy folder."""
    folder = tmp_path / "policies" / "readers"
    folder.mkdir(parents=True)
    monkeypatch.setenv("WOODPECKER_POLICY_DIR", str(folder.parent))
    get_settings.cache_clear()
    reader.cache_clear()
    yield folder
    reader.cache_clear()
    monkeypatch.undo()
    get_settings.cache_clear()


def test_a_reader_of_ones_own_turns_a_page_into_data(site: Site, crawls: Crawls, readers: Path) -> None:
    (readers / "board.py").write_text(
        "def posts(text, url):\n"
        "    lines = [line.split('|') for line in text.splitlines()]\n"
        "    return {'posts': [{'id': key, 'text': said} for key, said in lines]}\n"
    )
    site.pages["/t"] = Reply("1|一\n2|二", headers={"Content-Type": "text/plain"})
    assert texts(crawls, JSON_THREAD | {"reader": "board.posts"}) == ["一", "二"]


def test_a_reader_that_fails_on_a_page_is_named_in_the_report(site: Site, crawls: Crawls, readers: Path) -> None:
    (readers / "board.py").write_text("def posts(text, url):\n    return text['x']\n")
    site.pages["/t"] = "<p>x</p>"
    assert texts(crawls, JSON_THREAD | {"reader": "board.posts"}) == []
    assert crawls.report.failed == {"reader board.posts: TypeError": 1}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.posts", r"found no file .*readers/absent\.py; allowed: a file in readers/ of WOODPECKER_POLICY_DIR"),
        ("board.absent", "found no function 'absent'"),
        ("broken.posts", r"cannot be run: SyntaxError"),
    ],
)
def test_a_reader_that_is_not_there_is_told_before_anything_is_asked_for(
    site: Site, crawls: Crawls, readers: Path, name: str, message: str
) -> None:
    (readers / "board.py").write_text("x = 1\n")
    (readers / "broken.py").write_text("def posts(:\n")
    with pytest.raises(NotCrawlable, match=message):
        texts(crawls, JSON_THREAD | {"reader": name})
    assert site.asked(robots=True) == []


@pytest.mark.parametrize("name", ["os.path.join", "../x.y", "x", "x.Y()"])
def test_a_reader_has_a_plain_name(crawls: Crawls, name: str) -> None:
    with pytest.raises(ValueError, match="reader"):
        crawls.policy({"thread": JSON_THREAD | {"reader": name}})
