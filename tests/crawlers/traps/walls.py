"""Traps about being told to go: refusals, challenges and sign-in walls. Each is visited twice."""

from __future__ import annotations

from functools import partial

from tests.crawlers import forum
from tests.crawlers.site import Reply
from tests.crawlers.traps.ground import Ground, Sprung, kept, trap

REST = "the site rests for 24 h"
SIGN_IN = "redirected to a login page"
_FOOTER = "<p>页脚里的许多说明文字。</p>" * 200


def _wall(ground: Ground, *, wall: Reply, at: str = "/list") -> None:
    ground.forum({"t1": ["一", "二", "三", "四"], "t2": ["五"]})
    whole = ground.site.pages[at]
    ground.site.pages[at] = wall
    ground.site.pages["/login"] = ground.site.pages["/auth/sign_in"] = "<form>登录</form>"
    ground.crawl()
    met = next(index for index, one in enumerate(ground.site.log) if one.target == at)
    after = [one.target for one in ground.site.log[met + 1 :]]
    if after:
        raise Sprung(f"went on to {after[0]}")
    ground.site.pages[at] = whole
    ground.walker.later(23 * 3600)
    ground.crawl()
    if len(ground.site.log) > met + 1 and ground.pages()[-1].target != at:
        raise Sprung("was back within a day")
    ground.walker.later(3601)
    ground.crawl(recheck=True)
    if len(ground.site.log) <= met + 1:
        raise Sprung("never came back")


for _name, _reply, _told in (
    ("401", Reply("", 401), "answered 401"),
    ("403", Reply("", 403), "answered 403"),
    ("a challenge at 200: 请完成验证", Reply("<title>请稍候</title><p>请完成验证后继续访问</p>"), "请完成验证"),
    ("a challenge at 200: 访问过于频繁", Reply("<p>访问过于频繁，请稍后再试</p>"), "访问过于频繁"),
    ("a challenge at 200: 安全验证", Reply(f"<title>安全验证</title>{_FOOTER}"), "安全验证"),
    ("a wall at 200: 请登录后查看", Reply("<p>请登录后查看</p>"), "请登录"),
    ("a challenge at 418", Reply("<p>人机验证</p>", 418), "人机验证"),
    ("a redirect to /login", Reply("", 302, {"Location": "/login?next=/list"}), SIGN_IN),
    ("a redirect to /auth/sign_in", Reply("", 302, {"Location": "/auth/sign_in"}), SIGN_IN),
    (
        "a redirect to another host's sign-in",
        Reply("", 302, {"Location": "https://passport.example.com/web?back=1"}),
        SIGN_IN,
    ),
    (
        "a page that moves itself to /login",
        Reply('<meta http-equiv=refresh content="0; url=/login">'),
        SIGN_IN,
    ),
):
    trap(_name, REST, _told)(partial(_wall, wall=_reply))

trap("a challenge on the second page of a thread", REST, "安全验证")(
    partial(_wall, wall=Reply("<p>安全验证</p>"), at="/t/t1?page=2")
)


@trap("a challenge in place of JSON", REST, "请完成验证")
def _no_json(ground: Ground) -> None:
    fields = {name: [{"jmespath": name}] for name in ("items", "key", "text")}
    recipe = {"thread": {"format": "json", **fields}}
    ground.site.pages["/list"] = Reply("<p>请完成验证</p>")
    ground.crawl(recipe=recipe)
    ground.walker.later(23 * 3600)
    ground.crawl(recipe=recipe)
    if len(ground.pages()) > 1:
        raise Sprung("was back within a day")


@trap("people write 安全验证 in a post", "it is read like any other")
def _mere_words(ground: Ground) -> None:
    ground.forum({"t1": ["登录时总是弹出安全验证，请登录后看看"]})
    kept(ground.crawl(), "登录时总是弹出安全验证，请登录后看看")


@trap("an empty board whose footer asks to sign in", "the rest of the site is read")
def _mere_footer(ground: Ground) -> None:
    ground.site.pages["/list"] = "<title>摄影版</title><p>本版还没有主题</p><p>您需要登录后才可以发帖</p>"
    ground.crawl()
    ground.site.pages["/list"] = forum.listed("t1", "/t/t1", 0)
    kept(ground.crawl(), "一")
