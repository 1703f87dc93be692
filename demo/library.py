"""`load()`: the invented texts of the platform, from `demo/texts/*.yaml`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML

FOLDER = Path(__file__).with_name("texts")
SECTIONS: Mapping[str, str] = {
    "campus": "校园生活",
    "games": "游戏交流",
    "books": "连载书评",
    "kids": "儿童乐园",
    "shop": "商城问答",
}
"""Slug of each board and its name, in the order of the front page."""

NEVER_WRITTEN = "sexual_exploitation"
"""The one category for which no text is ever written."""

Role = Literal["title", "post"]
Pool = Literal["harmful", "hard_negative", "ordinary"]


class WrongText(Exception):
    """A file of texts cannot be used; names the file, the text, what was found and what is allowed."""


@dataclass(frozen=True)
class Text:
    """One invented text and what it is meant to show."""

    id: str
    text: str
    pool: Pool
    role: Role = "post"
    slug: str | None = None
    severity: str | None = None
    evasion: str | None = None
    sections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topic:
    """A title with its opening post and the replies that fit it."""

    section: str
    title: Text
    opening: Text
    replies: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Library:
    """All texts: what fills threads, what is said anywhere, and what somebody slips in between."""

    topics: tuple[Topic, ...]
    chatter: tuple[Text, ...]
    harmful_replies: Mapping[str, tuple[Text, ...]]
    harmful_topics: Mapping[str, tuple[Topic, ...]]

    def texts(self) -> Iterator[Text]:
        """Yield every text once, harmful ones first."""
        for replies in self.harmful_replies.values():
            yield from replies
        for topics in self.harmful_topics.values():
            yield from _texts_of(topics)
        yield from _texts_of(self.topics)
        yield from self.chatter


@lru_cache(maxsize=1)
def load(folder: Path = FOLDER) -> Library:
    """Read every file of `folder`.

    Raises:
        WrongText: a file does not say what it must.
    """
    topics: list[Topic] = []
    chatter: list[Text] = []
    replies: dict[str, tuple[Text, ...]] = {}
    openings: dict[str, tuple[Topic, ...]] = {}
    for path in sorted(folder.glob("*.yaml")):
        data = YAML(typ="safe").load(path.read_text("utf-8"))
        if "slug" in data:
            slug = str(data["slug"])
            if slug == NEVER_WRITTEN or slug != path.stem:
                raise WrongText(f"{path.name}: slug is {slug!r}; allowed: {path.stem!r}, and never {NEVER_WRITTEN!r}")
            replies[slug], openings[slug] = _harmful(path.name, data)
        else:
            pool: Pool = "hard_negative" if path.stem == "hard_negatives" else "ordinary"
            topics.extend(_topics(path.name, data.get("topics", ()), pool))
            chatter.extend(_chatter(path.name, data.get("chatter", {}), pool))
    return Library(tuple(topics), tuple(chatter), replies, openings)


def _harmful(name: str, data: Mapping[str, Any]) -> tuple[tuple[Text, ...], tuple[Topic, ...]]:
    replies, topics = [], []
    slug = data["slug"]
    for number, entry in enumerate(data["texts"], start=1):
        sections = _sections(name, entry.get("sections", data["sections"]))
        said: dict[str, Any] = {
            "pool": "harmful",
            "slug": slug,
            "severity": entry.get("severity", data["severity"]),
            "evasion": entry.get("evasion"),
            "sections": sections,
        }
        post = Text(f"{slug}-{number:02d}", entry["text"], **said)
        if "title" in entry:
            title = Text(f"{slug}-{number:02d}-title", entry["title"], role="title", **said)
            topics.append(Topic(sections[0], title, post))
        else:
            replies.append(post)
    return tuple(replies), tuple(topics)


def _topics(name: str, entries: Iterable[Mapping[str, Any]], pool: Pool) -> Iterator[Topic]:
    for number, entry in enumerate(entries, start=1):
        (section,) = _sections(name, [entry["section"]])
        stem = f"{pool}-{section}-{number:02d}"
        yield Topic(
            section,
            Text(f"{stem}-title", entry["title"], pool, "title", sections=(section,)),
            Text(f"{stem}-opening", entry["opening"], pool, sections=(section,)),
            tuple(
                Text(f"{stem}-{place:02d}", reply, pool, sections=(section,))
                for place, reply in enumerate(entry.get("replies", ()), start=1)
            ),
        )


def _chatter(name: str, entries: Mapping[str, Iterable[Any]], pool: Pool) -> Iterator[Text]:
    for section, texts in entries.items():
        sections = tuple(SECTIONS) if section == "anywhere" else _sections(name, [section])
        written = [form for text in texts for form in _forms(text)]
        for number, text in enumerate(written, start=1):
            yield Text(f"{pool}-{section}-chatter-{number:03d}", text, pool, sections=sections)


def _forms(entry: Any) -> Iterator[str]:
    """Yield a plain text, or each filling of `{text: "今天{course}", course: [数学, 英语]}`."""
    if isinstance(entry, str):
        yield entry
        return
    slots = {slot: values for slot, values in entry.items() if slot != "text"}
    for values in itertools.product(*slots.values()):
        yield entry["text"].format(**dict(zip(slots, values, strict=True)))


def _sections(name: str, found: Iterable[str]) -> tuple[str, ...]:
    sections = tuple(found)
    unknown = [section for section in sections if section not in SECTIONS]
    if unknown or not sections:
        raise WrongText(f"{name}: section is {unknown or 'missing'}; allowed: {', '.join(SECTIONS)}")
    return sections


def _texts_of(topics: Iterable[Topic]) -> Iterator[Text]:
    for topic in topics:
        yield topic.title
        yield topic.opening
        yield from topic.replies
