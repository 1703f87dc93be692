"""The fictional platform: the same seed tells the same story, and it serves as a real site does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from config.taxonomy import SLUGS
from demo.__main__ import main
from demo.clock import Clock, OtherSeed
from demo.library import NEVER_WRITTEN, SECTIONS, WrongText, load
from demo.server import HOST, Platform
from demo.world import World


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with Platform(0, tmp_path / "data", seed=3) as served:
        threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield served
        served.shutdown()


def get(platform: Platform, target: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = HTTPConnection(HOST, platform.server_port, timeout=10)
    connection.request("GET", target, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, dict(answer.getheaders())


def test_every_category_but_the_one_never_written_has_texts() -> None:
    written = {text.slug for text in load().texts() if text.slug}
    assert written == set(SLUGS) - {NEVER_WRITTEN}


def test_texts_have_ids_of_their_own_and_sections_that_exist() -> None:
    texts = list(load().texts())
    assert len(texts) == len({text.id for text in texts})
    assert all(set(text.sections) <= set(SECTIONS) and text.text.strip() for text in texts)


def test_a_text_of_the_category_never_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"{NEVER_WRITTEN}.yaml").write_text(f"slug: {NEVER_WRITTEN}\ntexts: []\n")
    with pytest.raises(WrongText, match="never"):
        load(tmp_path)


def story(seed: int, seconds: float) -> list[tuple[int, list[tuple[int, str, bool]]]]:
    world = World(load(), seed)
    world.advance(seconds)
    return [(one.id, [(post.id, post.text.text, post.removed) for post in one.posts]) for one in world.threads.values()]


def test_the_same_seed_tells_the_same_story_and_another_another() -> None:
    assert story(7, 2000) == story(7, 2000)
    assert story(7, 2000) != story(8, 2000)


def test_the_platform_changes_with_time() -> None:
    world = World(load(), 7)
    before = len(world.threads), len(world.posts)
    world.advance(40_000)

    assert len(world.threads) > before[0]
    assert len(world.posts) > before[1]
    assert any(post.edited_at is not None for _, post in world.posts.values())
    assert any(post.removed or thread.removed for thread, post in world.posts.values())


def test_the_clock_stands_still_while_the_platform_does_not_run(tmp_path: Path) -> None:
    now = [1000.0]
    clock = Clock(tmp_path, 3, lambda: now[0])
    now[0] += 50
    assert clock.ran() == 50
    clock.keep()
    now[0] += 10_000
    again = Clock(tmp_path, None, lambda: now[0])

    assert (again.ran(), again.seed) == (50, 3)
    assert again.moment(20) == clock.moment(20)
    with pytest.raises(OtherSeed, match="allowed: the same seed"):
        Clock(tmp_path, 4, lambda: now[0])


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 200), ("/about", 200), ("/site.css", 200), ("/robots.txt", 200),
        *((f"/s/{slug}", 200) for slug in SECTIONS),
        ("/t/1", 200), ("/p/1", 200), ("/s/nowhere", 404), ("/t/999999", 404), ("/p/999999", 404),
        ("/t/1?page=99", 404),
        ("/t/1?page=0", 404), ("/t/1?page=x", 404), ("/t/abc", 404), ("/s/campus?page=1", 200), ("/x", 404),
    ],
)  # fmt: skip
def test_an_address_answers_as_it_should(platform: Platform, target: str, status: int) -> None:
    assert get(platform, target)[0] == status


def test_every_page_says_that_it_is_fictional(platform: Platform) -> None:
    for target in ("/", "/s/kids", "/t/1", "/p/1", "/nowhere"):
        assert "虚构的演示平台" in get(platform, target)[1]


def test_only_our_agent_is_let_in_and_not_everywhere(platform: Platform) -> None:
    from crawlers.robots import rule
    from crawlers.state import Robots

    robots = Robots(0, 200, get(platform, "/robots.txt")[1])
    root = f"http://{HOST}:{platform.server_port}"
    assert rule(robots, f"{root}/s/campus").allowed
    assert not rule(robots, f"{root}/private/desk").allowed
    assert not rule(robots, f"{root}/s/campus", "SomeoneElse").allowed


def test_an_unchanged_page_answers_304(platform: Platform) -> None:
    tag = get(platform, "/about")[2]["ETag"]
    status, body, _ = get(platform, "/about", **{"If-None-Match": tag})
    assert (status, body) == (304, "")


def test_what_was_removed_is_gone_at_its_address(platform: Platform) -> None:
    platform.world.advance(60_000)
    post = next(post for thread, post in platform.world.posts.values() if post.removed and not thread.removed)
    thread = next(one for one in platform.world.threads.values() if one.removed)

    for target in (f"/p/{post.id}", f"/t/{thread.id}"):
        status, body, _ = get(platform, target)
        assert status == 410
        assert "该内容已删除" in body


def test_texts_are_escaped(platform: Platform) -> None:
    from dataclasses import replace

    _, post = platform.world.posts[1]
    post.text = replace(post.text, text="<script>alert(1)</script>")
    assert "<script>" not in get(platform, "/p/1")[1]


def test_the_access_log_tells_who_asked_for_what(platform: Platform, tmp_path: Path) -> None:
    get(platform, "/about", **{"User-Agent": "test"})
    log, began = tmp_path / "data" / "access.log", time.monotonic()
    while not (told := log.read_text().splitlines()) and time.monotonic() - began < 10:
        time.sleep(0.01)  # a line is written when its answer has been sent
    line = json.loads(told[-1])
    assert (line["target"], line["status"], line["agent"], line["in_flight"]) == ("/about", 200, "test", 1)


def test_the_shipped_site_file_reads_the_platform(platform: Platform, tmp_path: Path) -> None:
    """Every post of a thread that the platform shows can be found by the recipe of the demonstration's site file."""
    from parsel import Selector

    from config.policy import load_site
    from crawlers import fields

    recipe = load_site("demo").crawl
    assert recipe is not None
    assert recipe.list is not None
    threads = fields.nodes(recipe.list.items, Selector(get(platform, "/s/campus")[1]))
    keys = [fields.text(recipe.list.key, node) for node in threads]
    assert keys == [str(one.id) for one in platform.world.section("campus")[:10]]
    posts = fields.nodes(recipe.thread.items, Selector(get(platform, f"/t/{keys[0]}")[1]))
    standing = [post for post in platform.world.threads[int(keys[0] or 0)].posts[:10] if not post.removed]
    assert [fields.text(recipe.thread.key, node) for node in posts] == [str(post.id) for post in standing]
    assert [fields.text(recipe.thread.text, node) for node in posts] == [post.text.text for post in standing]


def test_the_truth_is_one_line_for_each_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--truth"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == len(list(load().texts()))
    assert {row["slug"] for row in rows} == (set(SLUGS) - {NEVER_WRITTEN}) | {None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "'70000' is no port; allowed: 0 to 65535"),
        (["--tick", "0"], "'0' is no number of seconds"),
        (["--colour"], "unrecognized arguments"),
    ],
)
def test_a_wrong_call_is_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_taken_port_is_told_with_a_remedy(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", str(platform.server_port)]) == 1
    assert "is taken; end the program that holds it" in capsys.readouterr().err
