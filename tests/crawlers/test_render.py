"""A page whose comments exist only after its scripts ran, read through a real chromium and the same gate."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from config.policy import SitePolicy, preset_values
from crawlers import render
from crawlers.crawl import NotCrawlable, ensure_crawlable
from tests.crawlers.conftest import Crawls
from tests.crawlers.forum import HTML_RECIPE, listed
from tests.crawlers.site import Reply, Site
from tests.crawlers.traps import serving

SIZE = 3
SHELL = """<!doctype html><meta charset=utf-8><title>题目</title><div id=w></div>
<img src=/photo.png><link rel=stylesheet href=/style.css>
<script src={elsewhere}track.js></script><script src=/private/extra.js></script><script src=/comments.js></script>"""
SCRIPT = """let page = 0;
async function more() {
  document.querySelector('button')?.remove();
  const {items, total} = await (await fetch(`/api/comments?of=${location.pathname}&page=${page++}`)).json();
  for (const one of items) {
    const post = document.createElement('div');
    post.className = 'post'; post.dataset.id = one.id;
    post.innerHTML = '<p class=text></p>'; post.firstChild.textContent = one.text;
    document.querySelector('#w').append(post);
  }
  if (page * SIZE < total) {
    const button = document.createElement('button');
    button.textContent = '加载更多'; button.onclick = more;
    document.querySelector('#w').append(button);
  }
}
document.cookie = 'seen=1';
fetch('/api/visits', {method: 'POST'});
more();""".replace("SIZE", str(SIZE))
RECIPE: dict[str, Any] = {
    "list": HTML_RECIPE["list"],
    "thread": {
        **{name: HTML_RECIPE["thread"][name] for name in ("items", "key", "text")},
        "render": {"until": ".post", "more": "#w button"},
    },
}


@pytest.fixture
def elsewhere() -> Iterator[Site]:
    """Another host, which the page would like to tell of its visitors."""
    with ExitStack() as stack:
        yield stack.enter_context(serving())


@pytest.fixture
def blog(site: Site, elsewhere: Site) -> dict[str, list[str]]:
    """Two posts of a blog; their comments come from an API."""
    comments = {"/t/a": [f"甲 {n}" for n in range(7)], "/t/b": ["乙 0"]}
    site.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /private/\n", headers={"Content-Type": "text/plain"})
    site.pages["/list"] = "".join(listed(path[-1], path, len(texts)) for path, texts in comments.items())
    site.pages["/comments.js"] = Reply(SCRIPT, headers={"Content-Type": "text/javascript"})
    for path in comments:
        site.pages[path] = SHELL.format(elsewhere=elsewhere.url)

    def api(query: dict[str, str]) -> Reply:
        texts, start = comments[query["of"]], int(query["page"]) * SIZE
        items = [{"id": f"{query['of']}-{n}", "text": text} for n, text in list(enumerate(texts))[start : start + SIZE]]
        body = json.dumps({"items": items, "total": len(texts)})
        return Reply(body, headers={"Content-Type": "application/json", "Set-Cookie": "session=1"})

    site.pages["/api/comments"] = api
    return comments


def texts(captures: list[Any]) -> list[str]:
    return [one.text for one in captures if one.kind != "title"]


def test_every_comment_is_read_and_every_request_passes_the_gate(
    site: Site, elsewhere: Site, blog: dict[str, list[str]], crawls: Crawls
) -> None:
    found = crawls.run(crawls.policy(RECIPE, delay_seconds=0.15))

    assert texts(found) == [*blog["/t/a"], *blog["/t/b"]]
    assert site.asked() == [
        "/list",
        "/t/a", "/comments.js", "/api/comments?of=/t/a&page=0",
        "/api/comments?of=/t/a&page=1", "/api/comments?of=/t/a&page=2",
        "/t/b", "/api/comments?of=/t/b&page=0",
    ]  # fmt: skip
    assert elsewhere.log == []
    assert {one.method for one in site.log} == {"GET"}
    assert not any("Cookie" in one.headers for one in site.log)
    assert len({one.headers["User-Agent"] for one in site.log}) == 1
    assert min(after.at - before.answered for before, after in itertools.pairwise(site.log)) >= 0.148
    refused = crawls.report.refused
    assert refused["robots.txt disallows it"] == 2
    assert refused[f"host 127.0.0.1:{elsewhere.server_port} is not one of this site's"] == 2
    assert refused["method POST: only GET is sent"] == 2
    assert crawls.report.requests == len(site.log)


def test_a_second_run_finds_what_scripts_brought_anew(site: Site, blog: dict[str, list[str]], crawls: Crawls) -> None:
    crawls.run(crawls.policy(RECIPE))
    blog["/t/b"].append("乙 1")
    site.pages["/list"] = str(site.pages["/list"]).replace("replies>1<", "replies>2<")

    assert texts(crawls.run(crawls.policy(RECIPE))) == ["乙 1"]


def test_a_page_whose_scripts_were_too_slow_is_told_as_failed_and_read_by_the_next_run(
    site: Site, blog: dict[str, list[str]], crawls: Crawls, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SCRIPT.replace("more();", "setTimeout(more, location.pathname == '/t/b' ? 60000 : 0);")
    site.pages["/comments.js"] = Reply(slow, headers={"Content-Type": "text/javascript"})
    with monkeypatch.context() as patched:
        patched.setattr(render, "LONGEST_SCRIPT_SECONDS", 0.2)
        assert texts(crawls.run(crawls.policy(RECIPE))) == blog["/t/a"]
    assert crawls.report.failed == {"a rendered page on which what `until` names did not appear in time": 1}

    site.pages["/comments.js"] = Reply(SCRIPT, headers={"Content-Type": "text/javascript"})
    assert texts(crawls.run(crawls.policy(RECIPE))) == blog["/t/b"]
    assert crawls.report.failed == {}


def test_a_page_with_more_behind_its_button_is_said_to_hide_some(blog: dict[str, list[str]], crawls: Crawls) -> None:
    thread = RECIPE["thread"] | {"render": {"more": "#w button", "at_most": 1}}

    assert len(texts(crawls.run(crawls.policy(RECIPE | {"thread": thread})))) == 2 * SIZE + 1
    assert crawls.report.truncated_threads == 1


def test_a_page_that_moves_itself_to_a_sign_in_stops_the_site(
    site: Site, blog: dict[str, list[str]], crawls: Crawls
) -> None:
    site.pages["/t/a"] = "<script>location.href = '/login?back=1'</script>"

    crawls.run(crawls.policy(RECIPE))

    assert "rests for 24 h" in crawls.report.stopped_by_site
    assert site.asked() == ["/list", "/t/a"]


def test_the_switch_stops_a_page_half_way(site: Site, blog: dict[str, list[str]], crawls: Crawls) -> None:
    on, off = crawls.policy(RECIPE), crawls.policy(RECIPE, enabled=False)

    crawls.run(on, reload=lambda: off if "/comments.js" in site.asked() else on)

    assert site.asked() == ["/list", "/t/a", "/comments.js"]


def test_a_missing_browser_is_told_before_anything_is_asked(crawls: Crawls, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = crawls.policy(RECIPE)
    monkeypatch.setattr(render.shutil, "which", lambda _: None)
    with pytest.raises(NotCrawlable, match="test: `render` needs a browser: found none of chromium, .*apt install"):
        ensure_crawlable(policy)
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NotCrawlable, match=r"needs the extra `render`: pip install 'silver-woodpecker\[render\]'"):
        ensure_crawlable(policy)


@pytest.mark.parametrize(("written", "until"), [(True, [None]), (False, []), ({"until": ".post"}, [".post"])])
def test_render_may_be_written_as_yes_or_no_or_how(crawls: Crawls, written: Any, until: list[str | None]) -> None:
    policy: SitePolicy = crawls.policy({"thread": RECIPE["thread"] | {"render": written}})

    assert policy.crawl is not None
    found = policy.crawl.thread.render
    assert [one.until for one in (found,) if one] == until


def test_comments_that_walines_client_shows_are_read_with_the_preset(site: Site, crawls: Crawls) -> None:
    """As @waline/client 3.15 writes them: answers inside cards, a line that says to whom, a button for more."""
    card = """<div id="{n}" class="wl-card-item"><div class="wl-card"><div class="wl-head">
      <span class="wl-nick">昵</span><span class="wl-time">3 分钟前</span></div>
      <div class="wl-content">{to}<div><p>第 {n} 条</p></div></div>
      <div class="wl-quote">{inner}</div></div></div>"""
    inner = card.format(n=2, to='<p class="wl-reply-to"><a href="#1">@昵</a><span>: </span></p>', inner="")
    first, second = card.format(n=1, to="", inner=inner), card.format(n=3, to="", inner="")
    more = '<div class="wl-operation"><button type="button">加载更多...</button></div>'
    site.pages["/post/7/"] = (
        "<!doctype html><meta charset=utf-8><div id=w></div><script>const w = document.querySelector('#w');"
        f"w.innerHTML = {json.dumps(first + more)};"
        f"w.querySelector('button').onclick = () => {{ w.innerHTML = {json.dumps(first + second)}; }};</script>"
    )
    recipe = preset_values("waline-page")["crawl"]
    policy = crawls.policy(recipe, sections=[{"slug": "all", "title": "全部", "start": ["/post/7/"]}])
    captures = crawls.run(policy)
    assert [(one.unit, one.text) for one in captures] == [("1", "第 1 条"), ("2", "第 2 条"), ("3", "第 3 条")]
    assert all(one.published_at for one in captures)
