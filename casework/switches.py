"""Switches: the few rules of ours that act without a person, each of which a lead can see and turn off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from casework import audit
from casework.errors import NotFound
from casework.models import Switch, User
from casework.roles import Action, require

COPIES_FOLLOW = "copies_follow_decisions"

RULES = {
    COPIES_FOLLOW: "新出现的副本自动归入已决定的案件，沿用其决定",
}
"""Name → what the rule does. Each is on until a lead turns it off."""


@dataclass(frozen=True)
class Standing:
    """How a rule stands: what it does, whether it is on, who turned it last (工号) and when."""

    name: str
    does: str
    on: bool
    turned_by: str = ""
    turned_at: datetime | None = None


def standing() -> list[Standing]:
    """Return how every rule stands."""
    rows = {row.name: row for row in Switch.objects.select_related("turned_by")}
    return [
        Standing(name, does, rows[name].on, rows[name].turned_by.staff_no, rows[name].turned_at)
        if name in rows
        else Standing(name, does, True)
        for name, does in RULES.items()
    ]


def is_on(name: str) -> bool:
    """Say whether a rule is on."""
    row = Switch.objects.filter(name=name).values_list("on", flat=True).first()
    return True if row is None else row


@transaction.atomic
def turn(name: str, user: User, *, on: bool) -> None:
    """Turn a rule on or off, from now on; what it did before stays. Recorded in the audit log.

    Raises:
        NotAllowed: not a lead.
        NotFound: no such rule.
    """
    require(user, Action.TURN_RULES)
    if name not in RULES:
        raise NotFound("规则", name)
    Switch.objects.update_or_create(name=name, defaults={"on": on, "turned_by": user})
    audit.record("rule.turn", user, f"rule:{name}", on=on)
