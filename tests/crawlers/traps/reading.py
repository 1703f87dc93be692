"""Traps about reading a site whole, and no page twice."""

from __future__ import annotations

from functools import partial

from tests.crawlers import forum
from tests.crawlers.site import Query, Reply
from tests.crawlers.traps.ground import Ground, Sprung, kept, trap

TEXT = "今天的晚自习真安静"
ENOUGH = 60
"""Requests after which a walk through an endless space of pages counts as lost."""


def _encoded(ground: Ground, *, header: str, meta: str, written: str) -> None:
    body = f"{meta}{forum.post('1', TEXT)}".encode(written)
    ground.site.pages["/t/t1"] = Reply(body, headers={"Content-Type": header})
    kept(ground.crawl(), TEXT)


for _name, _header, _meta, _written in (
    ("a GBK page that says so in its head", "text/html", "<meta charset=gbk>", "gbk"),
    ("a GBK page that says nothing", "text/html", "", "gbk"),
    ("a GBK page sent as UTF-8", "text/html; charset=utf-8", "", "gbk"),
    ("a UTF-8 page sent as GBK", "text/html; charset=gbk", "", "utf-8"),
    ("a UTF-8 page sent as ISO-8859-1", "text/html; charset=iso-8859-1", "", "utf-8"),
):
    trap(_name, "read as it is written")(partial(_encoded, header=_header, meta=_meta, written=_written))


@trap("an endless calendar in a list", "it stops at its cap", "")
def _calendar(ground: Ground) -> None:
    ground.site.pages["/list"] = lambda query: _month(int(query.get("month", "0")))
    ground.crawl(pages_per_day=30)
    ground.crawl(pages_per_day=30)
    if len(ground.site.log) > 30:
        raise Sprung(f"made {len(ground.site.log)} requests")


def _month(number: int) -> str:
    return f'{forum.listed("t1", "/t/t1", 0)}<a class=next href="/list?month={number + 1}">下个月</a>'


@trap("a next link that never ends and brings nothing new", "two pages are read")
def _nothing_new(ground: Ground) -> None:
    ground.site.pages["/t/t1"] = lambda query: (
        forum.post("x", "一") + f"<a class=next href='/t/t1?day={int(query.get('day', '0')) + 1}'>下一页</a>"
    )
    texts = ground.crawl(pages_per_day=ENOUGH)
    if len(ground.pages()) > 4:
        raise Sprung(f"made {len(ground.pages())} requests")
    kept(texts, "一")


@trap("the first page again as ?page=1", "kept once, one address")
def _twin(ground: Ground) -> None:
    ground.site.pages["/t/t1"] = str(ground.site.pages["/t/t1"]) + '<a class=next href="/t/t1?page=1">首页</a>'
    ground.site.pages["/t/t1?page=1"] = ground.site.pages["/t/t1"]
    kept(ground.crawl(), "一")


@trap("one thread under three addresses", "fetched once")
def _addresses(ground: Ground) -> None:
    recipe = {**forum.HTML_RECIPE, "list": {k: v for k, v in forum.HTML_RECIPE["list"].items() if k != "key"}}
    ground.site.pages["/list"] = "".join(
        forum.listed("t1", f"/t/t1{tail}", 0) for tail in ("?utm_source=hot", "#last", "?spm=1.2", "")
    )
    ground.site.pages["/t/t1?utm_source=hot"] = ground.site.pages["/t/t1?spm=1.2"] = ground.site.pages["/t/t1"]
    texts = ground.crawl(recipe=recipe)
    if len(ground.pages()) > 2:
        raise Sprung(f"fetched it {len(ground.pages()) - 1} times")
    kept(texts, "一")


@trap("pages past the end repeat the last one", "kept once, one page too many is asked")
def _past_the_end(ground: Ground) -> None:
    recipe = {**forum.HTML_RECIPE, "thread": forum.HTML_RECIPE["thread"] | {"paging": {"kind": "page_number"}}}

    def page(query: Query) -> str:
        number = min(int(query.get("page", "1")), 3)
        return forum.post(f"p{number}", f"第 {number} 层") + f'<a class=next href="/t/t1?page={number + 1}">下一页</a>'

    ground.site.pages["/t/t1"] = page
    texts = ground.crawl(recipe=recipe, pages_per_day=ENOUGH)
    if len(ground.pages()) > 5:
        raise Sprung(f"made {len(ground.pages())} requests")
    kept(texts, "第 1 层", "第 2 层", "第 3 层")


@trap("a list that moves while it is read", "no thread is missed, none read twice")
def _moving(ground: Ground) -> None:
    ground.forum({f"t{n}": [f"第 {n} 帖"] for n in range(6)}, threads_per_page=3)
    pushed = forum.listed("t2", "/t/t2", 0) + str(ground.site.pages["/list?page=2"])
    ground.site.pages["/list?page=2"] = pushed
    texts = ground.crawl()
    times = ground.site.asked().count("/t/t2")
    if times > 1:
        raise Sprung(f"fetched a thread {times} times")
    kept(texts, *(f"第 {n} 帖" for n in range(6)))


@trap("relative dates: 昨天 04:08, 半小时前, 53s", "read as moments")
def _dates(ground: Ground) -> None:
    ground.site.pages["/t/t1"] = "".join(
        forum.post(when, when, when) for when in ("昨天 04:08", "半小时前", "53s", "3 天前")
    )
    found = [one for one in ground.walker.crawl(ground.walk()) if not one.text.startswith("题目")]
    unread = [one.text for one in found if one.published is None or one.published == one.text]
    if unread or len(found) != 4:
        raise Sprung(f"left {unread[0]} as it stands" if unread else "lost posts")


@trap("a thread was deleted", "it is asked for once", "")
def _deleted(ground: Ground) -> None:
    ground.site.pages["/t/t1"] = Reply("没了", 410)
    ground.crawl()
    ground.crawl()
    times = ground.site.asked().count("/t/t1")
    if times > 1:
        raise Sprung(f"asked {times} times")


@trap("a post was edited", "the new text is kept, and only that")
def _edited(ground: Ground) -> None:
    ground.forum({"t1": ["原样", "会变"]})
    ground.crawl()
    ground.forum({"t1": ["原样", "变了"]})
    kept(ground.crawl(recheck=True), "变了")


@trap("nothing has changed since", "one request, with If-None-Match")
def _unchanged(ground: Ground) -> None:
    ground.site.pages["/list"] = Reply(str(ground.site.pages["/list"]), headers={"ETag": '"1"'})
    ground.crawl()
    ground.site.log.clear()
    ground.site.pages["/list"] = Reply("", 304)
    kept(ground.crawl())
    if len(ground.site.log) > 1 or not any("If-None-Match" in one.headers for one in ground.site.log):
        raise Sprung(f"made {len(ground.site.log)} requests, unconditional")
