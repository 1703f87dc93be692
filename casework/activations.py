"""Activations: which policy of a site held when, who put it in force, and the backtest that it was put in force on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from pydantic import ValidationError

from casework import audit
from casework.models import PolicyActivation, User
from config.policy import SitePolicy


def note(
    policy: SitePolicy,
    content: str,
    by: User | str = audit.SYSTEM,
    *,
    reason: str = "",
    backtest: Mapping[str, Any] | None = None,
) -> PolicyActivation | None:
    """Record that this policy holds from now on; None when it held already and nobody says more of it.

    Args:
        policy: the effective policy.
        content: the site's own file.
        by: who put it in force; `SYSTEM` for a file that was edited in place.
        reason: why.
        backtest: the figures of a backtest, without examples.
    """
    before = last(policy.name)
    if before is not None and before.digest == policy.digest and by == audit.SYSTEM:
        return None
    who = by if isinstance(by, str) else by.staff_no
    with transaction.atomic():
        made = PolicyActivation.objects.create(
            site=policy.name,
            digest=policy.digest,
            by=who,
            reason=reason[:500],
            backtest=dict(backtest) if backtest is not None else None,
            content=content,
            document=policy.model_dump(mode="json", by_alias=True),
        )
        audit.record(
            "policy.activate",
            by,
            f"site:{policy.name}",
            activation=made.pk,
            digest=policy.digest,
            before=before.digest if before else "",
            backtest=backtest is not None,
            reason=reason[:500],
        )
    return made


def last(site: str) -> PolicyActivation | None:
    """Return what was put in force last."""
    return PolicyActivation.objects.filter(site=site).first()


def before_last(site: str) -> PolicyActivation | None:
    """Return the last activation whose policy is another than the present one: what a revert goes back to."""
    present = last(site)
    return PolicyActivation.objects.filter(site=site).exclude(digest=present.digest).first() if present else None


def policy_of(activation: PolicyActivation) -> SitePolicy | None:
    """Return the policy as it held; None where this version of the program no longer understands it."""
    try:
        return SitePolicy.model_validate(activation.document)
    except ValidationError:
        return None
