"""The platform's pages as HTML. Plain functions from the world to a string."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from math import ceil
from typing import TypeVar

from demo.library import SECTIONS
from demo.world import Post, Thread, World

NAME = "榆钱坡"
FICTIONAL = "虚构的演示平台：人物、文字均为编写，不对应任何真实网站。"
REMOVED = "该内容已删除"
THREADS_A_PAGE = 10
POSTS_A_PAGE = 10
ABOUT_SECTIONS = {
    "campus": "作业、社团、食堂和操场上的事",
    "games": "攻略、组队、聊聊最近在玩什么",
    "books": "追连载，写书评",
    "kids": "专门给小朋友的角落：手工、画画、小动物",
    "shop": "文具和小玩意儿，买前先问问",
}
RECOMMENDED = "games"
"""The board whose newest threads stand on the front page."""

Moment = Callable[[float], datetime]
T = TypeVar("T")


class NoSuchPage(Exception):
    """There is nothing at this address."""


class Gone(Exception):
    """There was something at this address, and it was removed."""


def front(world: World, moment: Moment) -> str:
    """Return the front page: the boards and what is recommended."""
    boards = "".join(
        f'<li class="board"><a href="/s/{slug}">{name}</a>{_kid_mark(slug)}<p>{ABOUT_SECTIONS[slug]}</p>'
        f"<p class=meta>{len(world.section(slug))} 个主题</p></li>"
        for slug, name in SECTIONS.items()
    )
    rows = "".join(_row(thread, moment) for thread in world.section(RECOMMENDED)[:5])
    return _page(
        "首页",
        f'<h1>{NAME}</h1><ul class="boards">{boards}</ul><h2>首页推荐</h2><ul class="recommended">{rows}</ul>',
    )


def section(world: World, moment: Moment, slug: str, number: int) -> str:
    """Return page `number` of a board, last moved threads first.

    Raises:
        NoSuchPage: no such board, or a page past its end.
    """
    if slug not in SECTIONS:
        raise NoSuchPage
    threads, pages = _slice(world.section(slug), number, THREADS_A_PAGE)
    rows = "".join(_row(thread, moment) for thread in threads)
    return _page(
        SECTIONS[slug],
        f'<nav class="crumbs"><a href="/">首页</a> › {SECTIONS[slug]}{_kid_mark(slug)}</nav><h1>{SECTIONS[slug]}</h1>'
        f'<ul class="threads">{rows}</ul>{_paging(f"/s/{slug}", number, pages)}',
    )


def thread(world: World, moment: Moment, key: int, number: int) -> str:
    """Return page `number` of a thread, oldest post first.

    Raises:
        NoSuchPage: no such thread, or a page past its end.
        Gone: the thread was removed.
    """
    found = _thread(world, key)
    posts, pages = _slice(found.posts, number, POSTS_A_PAGE)
    first = (number - 1) * POSTS_A_PAGE + 1
    articles = "".join(_article(post, floor, moment) for floor, post in enumerate(posts, start=first))
    return _page(
        found.title.text,
        f'<nav class="crumbs"><a href="/">首页</a> › <a href="/s/{found.section}">{SECTIONS[found.section]}</a>'
        f'{_kid_mark(found.section)}</nav><h1 class="thread-title" data-thread="{found.id}">{escape(found.title.text)}'
        f'</h1><div class="posts">{articles}</div>{_paging(f"/t/{key}", number, pages)}',
    )


def post(world: World, moment: Moment, key: int) -> str:
    """Return one post on a page of its own.

    Raises:
        NoSuchPage: no such post.
        Gone: it, or its thread, was removed.
    """
    if key not in world.posts:
        raise NoSuchPage
    found, one = world.posts[key]
    if one.removed or found.removed:
        raise Gone
    floor = found.posts.index(one) + 1
    return _page(
        found.title.text,
        f'<nav class="crumbs"><a href="/s/{found.section}">{SECTIONS[found.section]}</a> › '
        f'<a href="/t/{found.id}">{escape(found.title.text)}</a></nav>{_article(one, floor, moment)}',
    )


def removed() -> str:
    """Return what stands at the address of something that was removed."""
    return _page(REMOVED, f'<p class="removed-notice">{REMOVED}</p>')


def missing() -> str:
    """Return what stands where nothing ever was."""
    return _page("没有这个页面", "<h1>没有这个页面</h1><p>换个板块看看吧。</p>")


def private() -> str:
    """Return the page that robots.txt forbids: whoever fetched it did not read robots.txt."""
    return _page("站务专区", "<h1>站务专区</h1><p>robots.txt 不允许程序读取这里。</p>")


def about() -> str:
    """Return what this platform is."""
    return _page("关于", f"<h1>关于{NAME}</h1><p>{FICTIONAL}</p><p>它只在本机运行，供演示“银发啄木鸟”时采集。</p>")


def _article(one: Post, floor: int, moment: Moment) -> str:
    head = (
        f'<header><span class="author">{escape(one.author)}</span> {_time(moment(one.at))} '
        f'<a class="permalink" href="/p/{one.id}">{floor} 楼</a></header>'
    )
    if one.removed:
        return (
            f'<article class="post removed" id="p{one.id}" data-post="{one.id}">{head}'
            f'<p class="removed-notice">{REMOVED}</p></article>'
        )
    text = "<br>".join(escape(line) for line in one.text.text.splitlines())
    edited = f'<p class="edited">最后编辑于 {_time(moment(one.edited_at))}</p>' if one.edited_at is not None else ""
    return (
        f'<article class="post" id="p{one.id}" data-post="{one.id}">{head}'
        f'<div class="content">{text}</div>{edited}</article>'
    )


def _row(found: Thread, moment: Moment) -> str:
    return (
        f'<li class="thread" data-thread="{found.id}"><a class="title" href="/t/{found.id}">'
        f'{escape(found.title.text)}</a> <span class="meta"><span class="replies">{len(found.posts) - 1}</span> 回复 · '
        f'最后活动 <span class="last">{_time(moment(found.last_at))}</span></span></li>'
    )


def _time(when: datetime) -> str:
    return f'<time datetime="{when.isoformat()}">{when:%Y-%m-%d %H:%M}</time>'


def _kid_mark(slug: str) -> str:
    return ' <span class="kid">少儿专区</span>' if slug == "kids" else ""


def _paging(path: str, number: int, pages: int) -> str:
    if pages == 1:
        return ""
    before = f'<a class="prev" rel="prev" href="{path}?page={number - 1}">上一页</a> ' if number > 1 else ""
    after = f' <a class="next" rel="next" href="{path}?page={number + 1}">下一页</a>' if number < pages else ""
    return (
        f'<nav class="paging">{before}<span class="here">第 {number} 页，共 '
        f'<span class="pages">{pages}</span> 页</span>{after}</nav>'
    )


def _slice(things: Sequence[T], number: int, size: int) -> tuple[Sequence[T], int]:
    pages = max(1, ceil(len(things) / size))
    if not 1 <= number <= pages:
        raise NoSuchPage
    return things[(number - 1) * size : number * size], pages


def _thread(world: World, key: int) -> Thread:
    if key not in world.threads:
        raise NoSuchPage
    found = world.threads[key]
    if found.removed:
        raise Gone
    return found


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)} - {NAME}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/site.css">'
        f'</head><body><p class="fictional">{FICTIONAL}</p><header class="site"><a class="brand" href="/">{NAME}</a>'
        '<nav><a href="/about">关于</a> <a href="/private/desk">站务专区</a></nav></header>'
        f"<main>{body}</main><footer>{NAME} · {FICTIONAL}</footer></body></html>\n"
    )


STYLE = """
:root { --green: #2f6b3c; --paper: #fbfaf4; --line: #dcd8c6; --ink: #23291f; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; }
a { color: var(--green); }
main, header.site, footer { max-width: 52rem; margin: 0 auto; padding: .75rem 1rem; }
.fictional { margin: 0; padding: .4rem 1rem; background: #5b3a00; color: #fff; text-align: center; font-size: .9rem; }
header.site { display: flex; justify-content: space-between; align-items: baseline;
  border-bottom: 2px solid var(--green); }
.brand { font-size: 1.5rem; font-weight: 700; text-decoration: none; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
ul { list-style: none; padding: 0; }
.boards { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .75rem; }
.board, .post { background: #fff; border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; }
.board > a { font-weight: 700; font-size: 1.1rem; }
.board p { margin: .2rem 0; }
.thread { padding: .6rem 0; border-bottom: 1px solid var(--line); }
.thread .title { font-weight: 600; }
.meta, .post header, .edited, footer { color: #5c6355; font-size: .85rem; }
.meta { display: block; }
.kid { background: #f3c84b; color: #3d2f00; border-radius: .8rem; padding: 0 .5rem; font-size: .8rem; }
.post { margin: .75rem 0; }
.post header { display: flex; gap: .75rem; flex-wrap: wrap; }
.post .author { color: var(--green); font-weight: 600; }
.permalink { margin-left: auto; }
.content { margin: .4rem 0; overflow-wrap: anywhere; }
.removed-notice { color: #6b6b6b; font-style: italic; }
.paging { padding: 1rem 0; text-align: center; }
"""
