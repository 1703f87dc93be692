"""Activations: which policy held when, who put it in force, and the backtest that it was put in force on.

Of sites, and of the files that hold for many (`config.standing`) and the word rules: when such a file becomes wrong,
the last right one is found here again after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import transaction
from pydantic import ValidationError

from casework import audit, chains
from casework.models import PolicyActivation, User
from config.documents import Strict
from config.policy import SitePolicy
from config.standing import is_site, subject_of

Policy = TypeVar("Policy", bound=Strict)


def note(
    policy: Strict,
    content: str,
    by: User | str = audit.SYSTEM,
    *,
    reason: str = "",
    backtest: Mapping[str, Any] | None = None,
) -> PolicyActivation | None:
    """Record that this policy holds from now on; None when it held already and nobody says more of it.

    Args:
        policy: the effective policy of a site, or what a file says that holds for many.
        content: the file as it stands.
        by: who put it in force; `SYSTEM` for a file that was edited in place.
        reason: why.
        backtest: the figures of a backtest, without examples.
    """
    document = policy.model_dump(mode="json", by_alias=True)
    return put(subject_of(policy), policy.digest, document, content, by, reason=reason, backtest=backtest)


def put(
    subject: str,
    digest: str,
    document: Mapping[str, Any],
    content: str,
    by: User | str = audit.SYSTEM,
    *,
    reason: str = "",
    backtest: Mapping[str, Any] | None = None,
) -> PolicyActivation | None:
    """Record that a document holds from now on, as `note` does for a policy."""
    if _holds(subject, digest, by):
        return None
    who = by if isinstance(by, str) else by.staff_no
    with transaction.atomic():
        chains.lock(audit.CHAIN)  # of several processes that see the same edit one records it
        if _holds(subject, digest, by):
            return None
        before = last(subject)
        made = PolicyActivation.objects.create(
            subject=subject,
            digest=digest,
            by=who,
            reason=reason[:500],
            backtest=dict(backtest) if backtest is not None else None,
            content=content,
            document=document,
        )
        audit.record(
            "policy.activate",
            by,
            f"{'site' if is_site(subject) else 'policy'}:{subject}",
            activation=made.pk,
            digest=digest,
            before=before.digest if before else "",
            backtest=backtest is not None,
            reason=reason[:500],
        )
    return made


def _holds(subject: str, digest: str, by: User | str) -> bool:
    """Whether it held already, and nobody says more of it."""
    before = last(subject)
    return before is not None and before.digest == digest and by == audit.SYSTEM


def last(subject: str) -> PolicyActivation | None:
    """Return what was put in force last."""
    return PolicyActivation.objects.filter(subject=subject).first()


def before_last(subject: str) -> PolicyActivation | None:
    """Return the last activation whose policy is another than the present one: what a revert goes back to."""
    present = last(subject)
    return PolicyActivation.objects.filter(subject=subject).exclude(digest=present.digest).first() if present else None


def policy_of(activation: PolicyActivation) -> SitePolicy | None:
    """Return a site's policy as it held; None where this version of the program no longer understands it."""
    return read(activation, SitePolicy)


def read(activation: PolicyActivation, kind: type[Policy]) -> Policy | None:
    """Return a policy as it held; None where this version of the program no longer understands it."""
    try:
        return kind.model_validate(activation.document)
    except ValidationError:
        return None
