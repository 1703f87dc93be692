"""What may follow what: the one table of a case's life. `python -m workers.drawing` draws it for docs/pages.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casework.models import CaseState, Finding
from casework.roles import Action


@dataclass(frozen=True)
class Step:
    """Where a finding leads, and what has to hold.

    Attributes:
        to: the state that follows.
        action: what a person must be allowed to do.
        another: it must be somebody else than whoever confirmed or dismissed before.
        second: where it leads instead while the policy asks for a second person and none has confirmed yet.
        reason: it has to be said why.
    """

    to: CaseState
    action: Action
    another: bool = False
    second: CaseState | None = None
    reason: bool = False


# state × finding → step. What is not here is not possible.
TRANSITIONS: Mapping[tuple[CaseState, Finding], Step] = {
    (CaseState.OPEN, Finding.CONFIRMED): Step(CaseState.CONFIRMED, Action.DECIDE, second=CaseState.SECOND),
    (CaseState.OPEN, Finding.DISMISSED): Step(CaseState.DISMISSED, Action.DECIDE),
    (CaseState.OPEN, Finding.ESCALATED): Step(CaseState.ESCALATED, Action.DECIDE),
    (CaseState.OPEN, Finding.OUT_OF_SCOPE): Step(CaseState.OUT_OF_SCOPE, Action.DECIDE),
    (CaseState.OPEN, Finding.POLICE): Step(CaseState.POLICE, Action.DECIDE_ESCALATED, reason=True),
    # Whoever disagrees with a first confirmation does not overrule it: lead or duty staff decide between the two.
    (CaseState.SECOND, Finding.CONFIRMED): Step(CaseState.CONFIRMED, Action.DECIDE, another=True),
    (CaseState.SECOND, Finding.DISMISSED): Step(CaseState.ESCALATED, Action.DECIDE, another=True),
    (CaseState.SECOND, Finding.ESCALATED): Step(CaseState.ESCALATED, Action.DECIDE, another=True),
    (CaseState.SECOND, Finding.OUT_OF_SCOPE): Step(CaseState.ESCALATED, Action.DECIDE, another=True),
    (CaseState.SECOND, Finding.POLICE): Step(CaseState.POLICE, Action.DECIDE_ESCALATED, reason=True),
    (CaseState.ESCALATED, Finding.CONFIRMED): Step(
        CaseState.CONFIRMED, Action.DECIDE_ESCALATED, second=CaseState.SECOND
    ),
    (CaseState.ESCALATED, Finding.DISMISSED): Step(CaseState.DISMISSED, Action.DECIDE_ESCALATED),
    (CaseState.ESCALATED, Finding.OUT_OF_SCOPE): Step(CaseState.OUT_OF_SCOPE, Action.DECIDE_ESCALATED),
    (CaseState.ESCALATED, Finding.POLICE): Step(CaseState.POLICE, Action.DECIDE_ESCALATED, reason=True),
    # Re-assessment (复议): anyone may ask for it, and somebody else than the first decides.
    (CaseState.CONFIRMED, Finding.REOPENED): Step(CaseState.OPEN, Action.DECIDE, reason=True),
    (CaseState.DISMISSED, Finding.REOPENED): Step(CaseState.OPEN, Action.DECIDE, reason=True),
}


def findings(state: CaseState | str) -> list[Finding]:
    """Return what may be found of a case in this state, in the order of the findings."""
    return [finding for finding in Finding if (CaseState(state), finding) in TRANSITIONS]


def diagram() -> str:
    """Return the table as a Mermaid state diagram, in the words that people read."""
    lines = ["stateDiagram-v2", f"    [*] --> {CaseState.OPEN.value}"]
    lines += [f"    {state.value}: {state.label}" for state in CaseState]
    for (state, finding), step in TRANSITIONS.items():
        notes = [*(["由组长或值守"] if step.action is Action.DECIDE_ESCALATED else [])]
        notes += [*(["由另一人"] if step.another else []), *(["说明理由"] if step.reason else [])]
        said = f"{finding.label}（{'，'.join(notes)}）" if notes else str(finding.label)
        lines.append(f"    {state.value} --> {step.to.value}: {said}")
        if step.second is not None:
            lines.append(f"    {state.value} --> {step.second.value}: {finding.label}（策略要求两人时）")
    return "\n".join(lines)
