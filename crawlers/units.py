"""Units out of a thread's page, and captures out of units."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from config.policy import Section, SitePolicy
from config.recipe import ThreadRecipe, UnitKind
from config.sealing import sealed
from crawlers import fields
from crawlers.addresses import masked, masked_key
from crawlers.agent import CRAWLER
from crawlers.capture import MAX_TEXT_CHARS, Capture, capture_id
from crawlers.recheck import newest_first
from crawlers.redaction import redact
from crawlers.sampling import Chance


@dataclass(frozen=True)
class Unit:
    """One thing that somebody wrote, as read from a page and before redaction; it never leaves this room.

    `link` and `thread` are its own address and thread, where those of the page are not.
    """

    key: str
    kind: UnitKind
    text: str
    published_at: datetime | None
    position: int | None
    link: str | None = None
    thread: str | None = None


class UnitReader:
    """Reads units as the recipe says and turns them into captures, redacted."""

    def __init__(self, policy: SitePolicy, key: bytes) -> None:
        self._policy = policy
        self._key = key

    def read(
        self, page: Any, recipe: ThreadRecipe, section: Section, base_url: str, *, offset: int | None
    ) -> tuple[list[Unit], int]:
        """Return the units of a page, and how many things looked like one but lacked a key or a text.

        Args:
            page: the parsed page.
            recipe: how its units are read.
            section: where the page belongs.
            base_url: address of the page.
            offset: units on the pages before it; None where that is not known. Where the newest stand first, no unit
                has a lasting position.
        """
        usual = section.kind or recipe.kind
        units: list[Unit] = []
        incomplete = 0
        for index, node in enumerate(self.nodes(page, recipe)):
            key, text = fields.key(recipe.key, node, self._key), fields.text(recipe.text, node)
            if not key or not text:
                incomplete += 1
                continue
            place = None if offset is None else offset + index
            opens = (recipe.first_is_post and place == 0) or fields.text(recipe.is_post, node) is not None
            kind: UnitKind = "post" if opens else usual
            moment = fields.moment(recipe.published_at, node, now=datetime.now(UTC))
            link, thread = fields.text(recipe.link, node, base_url), fields.text(recipe.thread, node)
            position = None if newest_first(recipe) or thread else place
            units.append(Unit(key, kind, text, moment, position, link, thread))
        return units, incomplete

    def capture(
        self,
        unit: Unit,
        section: Section,
        thread: str,
        url: str,
        canonical_url: str,
        chance: Chance,
        now: datetime,
        before: str | None = None,
    ) -> Capture | None:
        """Return the capture of a unit, redacted; None when nothing of it can be kept.

        Args:
            before: id of the capture that the unit had; where its text is another now, it was edited.
        """
        text = unicodedata.normalize("NFC", unit.text).replace("\x00", "").strip()
        redacted, spans = redact(text, key=self._key)
        cut = len(redacted) > MAX_TEXT_CHARS
        redacted = redacted[:MAX_TEXT_CHARS]
        flags = [
            name
            for name, holds in (("kid_zone", section.kid_zone), ("prominent", section.prominent), ("cut", cut))
            if holds
        ]
        address, stands_for = unit.link or url, masked(canonical_url, self._key)
        own_key = masked_key(unit.key, self._key)
        own_id = capture_id(self._policy.name, stands_for, own_key, redacted)
        edited = before is not None and before != own_id
        try:
            return Capture(
                id=own_id,
                site=self._policy.name,
                platform_class=self._policy.platform_class.slug,
                section=section.slug,
                url=masked(address, self._key),
                canonical_url=stands_for,
                sealed_url=sealed(address, self._key) if masked(address, self._key) != address else None,
                unit=own_key[:300],
                kind=unit.kind,
                text=redacted,
                redactions=tuple(span for span in spans if span.end <= len(redacted)),
                published_at=unit.published_at,
                captured_at=now,
                thread=thread_told(unit.thread or thread, self._key),
                position=unit.position,
                flags=(*flags, "edited") if edited else tuple(flags),
                method=section.method,
                inclusion_probability=chance.probability,
                stratum=chance.stratum,
                frame=chance.frame,
                replaces=before if edited else None,
                basis=self._policy.basis.kind,
                evidence=None,
                crawler=CRAWLER,
            )
        except ValidationError:
            return None

    def nodes(self, page: Any, recipe: ThreadRecipe) -> Iterator[fields.Node]:
        """Yield what looks like a unit, each followed by the answers that stand inside it."""
        for node in fields.nodes(recipe.items, page):
            yield node
            if recipe.children and isinstance(node, dict):
                yield from _descendants(node, recipe.children)


def thread_told(key: str, secret: bytes) -> str:
    """Return the key of a thread as its captures have it."""
    return masked_key(key, secret)[:300]


def _descendants(node: dict[str, Any], path: str) -> Iterator[dict[str, Any]]:
    for child in fields.search_json(path, node) or ():
        if isinstance(child, dict):
            yield child
            yield from _descendants(child, path)
