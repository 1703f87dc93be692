"""A site file proposed from one page: what the software is, where sections start, and what would be captured."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from parsel import Selector
from scrapy.http import Response

from config.policy import SitePolicy, preset_values, recognitions, site_from_text
from crawlers import fields
from crawlers.canonical import absolute
from crawlers.hints import repeated
from crawlers.recognise import Recognised, opened, recognise
from crawlers.tryout import PageReading, Reader, Role

MOST_SECTIONS = 4
"""A proposed file has at most ten lines; further boards are for a person to add."""
LONGEST_TITLE = 60
GENERIC = "forum"
"""The preset that is proposed when nothing is recognised."""


@dataclass(frozen=True)
class Wishes:
    """What whoever adds the site has said already; `preset` is taken whatever the page looks like."""

    basis: Literal["robots", "owner", "authority"] = "robots"
    document: str = ""
    platform_class: str | None = None
    title: str | None = None
    private_hosts_allowed: bool = False
    delay_seconds: float | None = None
    preset: str | None = None

    @property
    def agreed(self) -> bool:
        """Whether an owner or an authority agreed."""
        return self.basis != "robots"


@dataclass
class Proposal:
    """A proposed site file and what led to it.

    `known` is false when no software was recognised. `reading` is what the recipe finds on the page itself; None
    where the recipe reads other pages.
    """

    name: str
    text: str
    preset: str
    known: bool
    recognised: list[Recognised]
    reading: PageReading | None
    hints: list[str]


def probe_policy(url: str, wishes: Wishes) -> SitePolicy:
    """Return the policy under which the page is looked at: its host alone, with the class's delay and daily cap.

    Raises:
        PolicyError: the address or the class is wrong.
    """
    return _Draft(url, GENERIC, wishes, [_Section("look", "look", url)]).policy()


def propose(response: Response, wishes: Wishes, key: bytes) -> Proposal:
    """Return the site file that fits a page best.

    Raises:
        PolicyError: a preset of this installation is wrong.
    """
    recognised = recognise(response, agreed=wishes.agreed)
    page, url = opened(response), response.url
    best = next((one for one in recognised if wishes.preset in {None, one.preset}), None)
    preset = wishes.preset or (best.preset if best else GENERIC)
    here = [_Section("all", "全部", url)]
    about = recognitions().get(preset)
    usual, title = (about.platform_class if about else "forum_qa"), _page_title(page)
    reading = _reading(_Draft(url, preset, wishes, here, title, usual).policy(), response, key)
    linked = _sections(best, page, url) if best else []
    hints = [about.hint] if about and about.hint else []
    if preset == GENERIC and isinstance(page, Selector) and not (reading and reading.rows):
        hints += [f"stands on the page {one}" for one in repeated(page)]
    sections = linked
    if reading and reading.rows and (reading.role == "list" or not linked):
        sections = here
        hints += [f"the page also links to {one.title}: {one.start}" for one in linked]
    elif not linked and "sections" not in preset_values(preset):
        sections = here
    root = sections[0].start if sections else url
    by_number = (reading is None or reading.role == "thread") and "list" not in preset_values(preset).get("crawl", {})
    text = _Draft(root, preset, wishes, sections, title, usual, by_number).text()
    return Proposal(site_name(root), text, preset, bool(best or wishes.preset), recognised, reading, hints)


def site_name(url: str) -> str:
    """Return a site's name made from its host."""
    host = (urlsplit(url).hostname or "site").removeprefix("www.")
    return re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")[:60] or "site"


@dataclass(frozen=True)
class _Section:
    slug: str
    title: str
    start: str


@dataclass(frozen=True)
class _Draft:
    """What a site file will say; `url` is any address of the site, `by_number` whether pages are named one by one."""

    url: str
    preset: str
    wishes: Wishes
    sections: Sequence[_Section]
    title: str = ""
    usual_class: str = "forum_qa"
    by_number: bool = False

    def text(self, document: str | None = None) -> str:
        """Return the file, ten lines at most."""
        parts, wishes = urlsplit(self.url), self.wishes
        root = f"{parts.scheme}://{parts.netloc}/"
        lines = [
            f"title: {_quoted(wishes.title or self.title or parts.netloc)}",
            f"class: {wishes.platform_class or self.usual_class}",
            f"extends: {self.preset}",
            f"basis: {{kind: {wishes.basis}, document: {_quoted(wishes.document or document or '')}}}",
            f"base_url: {_quoted(root)}",
            *(["private_hosts_allowed: true"] if wishes.private_hosts_allowed else []),
            *([] if wishes.delay_seconds is None else [f"delay_seconds: {wishes.delay_seconds:g}"]),
            *(["sections:"] if self.sections else []),
        ]
        for one in self.sections[: 10 - len(lines)]:
            start = one.start.removeprefix(root[:-1]) or "/"
            start, numbers = _numbered(start) if self.by_number else (start, "")
            lines.append(f"  - {{slug: {one.slug}, title: {_quoted(one.title)}, start: [{_quoted(start)}]{numbers}}}")
        return "\n".join(lines) + "\n"

    def policy(self) -> SitePolicy:
        """Return the policy as it will be once the permission is written down."""
        return site_from_text(self.text(document="to be written down"), site_name(self.url))


def _reading(policy: SitePolicy, response: Response, key: bytes) -> PageReading | None:
    """Return what the recipe finds on a page, be it a list or a thread; None when nothing keeps it from finding any."""
    assert policy.crawl is not None
    roles: tuple[Role, ...] = ("list", "thread") if policy.crawl.list else ("thread",)
    readings = [Reader(policy, key).read(response, role, policy.sections[0]) for role in roles]
    best = max(readings, key=lambda one: len(one.rows))
    return best if best.rows or best.withheld else None


def _sections(best: Recognised, page: Any, url: str) -> list[_Section]:
    """Return the sections to which the page links."""
    finders = best.recognition.sections
    if not finders or not isinstance(page, Selector):
        return []
    starts = [start for found in fields.texts(finders, page, url) if (start := absolute(url, found))]
    return [
        _Section(_slug(start, number), _link_text(page, start, url) or f"版块 {number}", start)
        for number, start in enumerate(list(dict.fromkeys(starts))[:MOST_SECTIONS], 1)
    ]


def _slug(start: str, number: int) -> str:
    parts = re.findall(r"[a-z0-9]+", unquote(f"{urlsplit(start).path} {urlsplit(start).query}").lower())
    words = [part for part in parts if part not in _SAYS_NOTHING]
    return "-".join(words)[:40].strip("-") or f"s{number}"


_SAYS_NOTHING = {"php", "html", "htm", "index", "api", "mod", "page", "1", "v1", "wp", "json"}


def _numbered(start: str) -> tuple[str, str]:
    """Return a start page with {n} in place of the number that it, or a path in its query, ends in; and its range."""
    match = re.search(r"/(\d+)(?=/?(?:&|$))", start)
    if match is None:
        return start, ""
    return f"{start[: match.start(1)]}{{n}}{start[match.end(1) :]}", f", range: [{match[1]}, {match[1]}]"


def _link_text(page: Selector, start: str, url: str) -> str:
    """Return the text of the link that leads to a section."""
    for link in page.css("a[href]"):
        if absolute(url, link.attrib["href"]) == start and (said := fields.plain_text(link.get())):
            return said.splitlines()[0][:LONGEST_TITLE]
    return ""


def _page_title(page: Any) -> str:
    if not isinstance(page, Selector):
        return ""
    names = "meta[property='og:site_name']::attr(content)", "channel > title::text", "title::text"
    said = next((found for name in names if (found := page.css(name).get())), "")
    parts = [part.strip() for part in re.split(r"\s[-–—|»·]+\s|[|_]", said) if part.strip()]
    return (parts[-1] if parts else "")[:LONGEST_TITLE]


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
