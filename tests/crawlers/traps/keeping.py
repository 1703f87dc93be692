"""Traps about pages that ask not to be kept."""

from __future__ import annotations

from functools import partial

from tests.crawlers.site import Reply
from tests.crawlers.traps.ground import Ground, kept, trap

NOT_KEPT = "not kept"


def _header(ground: Ground, *, said: str, wanted: tuple[str, ...], agreed: bool = False) -> None:
    ground.site.pages["/t/t1"] = Reply(str(ground.site.pages["/t/t1"]), headers={"X-Robots-Tag": said})
    kept(ground.crawl(agreed=agreed), *wanted)


for _said in ("noindex", "noarchive", "none", "nofollow, noarchive", "SilverWoodpecker: noindex"):
    trap(f"X-Robots-Tag: {_said}", NOT_KEPT)(partial(_header, said=_said, wanted=()))
for _said in ("otherbot: noindex", "max-image-preview:none"):
    trap(f"X-Robots-Tag: {_said}", "kept: it does not speak to us")(partial(_header, said=_said, wanted=("一",)))
trap("X-Robots-Tag: noindex, with the owner's agreement", "kept: it speaks to search engines")(
    partial(_header, said="noindex", wanted=("一",), agreed=True)
)
trap("X-Robots-Tag: noarchive, with the owner's agreement", NOT_KEPT)(
    partial(_header, said="noarchive", wanted=(), agreed=True)
)


def _meta(ground: Ground, *, head: str) -> None:
    ground.site.pages["/t/t1"] = head + str(ground.site.pages["/t/t1"])
    kept(ground.crawl(agreed=False))


for _name, _head in (
    ("a robots meta element: noindex", '<meta name="robots" content="noindex">'),
    ("a robots meta element: NOARCHIVE, in capitals", '<META CONTENT="NOARCHIVE" NAME="Robots">'),
    ("a meta element that names our agent", '<meta name="silverwoodpecker" content="noarchive">'),
    ("a robots meta element after 60 KB of styles",
     f"<style>{'p{color:red}' * 5000}</style><meta name=robots content=nosnapshot>"),
):  # fmt: skip
    trap(_name, NOT_KEPT)(partial(_meta, head=_head))
