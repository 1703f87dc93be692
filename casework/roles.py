"""What each role may do: one table, asked by every service. Views only show or hide by it.

`may(user, action)` answers with a reason; `require(user, action)` raises it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from casework.errors import NotAllowed
from casework.models import Role, User


class Action(StrEnum):
    """Everything that somebody may be allowed to do."""

    SEE_CASES = "查看案件"
    SEE_GRAVE = "查看最高等级（S0）案件"
    SEE_RESTRICTED = "查看涉性侵害专办案件"
    DECIDE = "审核案件"
    DECIDE_ESCALATED = "处理上报案件"
    SEE_ANNOTATIONS = "查看志愿者意见汇总"
    ANNOTATE = "参与标注"
    PREPARE_NOTICE = "起草清单"
    APPROVE_NOTICE = "复核清单"
    EXPORT_NOTICE = "导出清单"
    TURN_RULES = "开关自动规则"
    EXPORT_RESULTS = "导出检索结果"
    SEE_STATUS = "查看运行状态"
    SEE_AUDIT = "查看审计日志"
    MANAGE_ACCOUNTS = "管理账号"


# S0 is first seen by duty staff, sexual_exploitation by them alone; whoever keeps the accounts
# reads no case.
ALLOWED: dict[Role, frozenset[Action]] = {
    Role.REVIEWER: frozenset({Action.SEE_CASES, Action.DECIDE, Action.SEE_ANNOTATIONS}),
    Role.VOLUNTEER: frozenset({Action.ANNOTATE}),
    Role.LIAISON: frozenset(
        {
            Action.SEE_CASES,
            Action.PREPARE_NOTICE,
            Action.APPROVE_NOTICE,
            Action.EXPORT_NOTICE,
            Action.EXPORT_RESULTS,
        },
    ),
    Role.LEAD: frozenset(
        {
            Action.SEE_CASES,
            Action.SEE_GRAVE,
            Action.DECIDE,
            Action.DECIDE_ESCALATED,
            Action.SEE_ANNOTATIONS,
            Action.PREPARE_NOTICE,
            Action.APPROVE_NOTICE,
            Action.EXPORT_NOTICE,
            Action.EXPORT_RESULTS,
            Action.TURN_RULES,
            Action.SEE_STATUS,
            Action.SEE_AUDIT,
        }
    ),
    Role.DUTY: frozenset(
        {
            Action.SEE_CASES,
            Action.SEE_GRAVE,
            Action.SEE_RESTRICTED,
            Action.DECIDE,
            Action.DECIDE_ESCALATED,
            Action.SEE_ANNOTATIONS,
        }
    ),
    Role.ADMIN: frozenset({Action.SEE_STATUS, Action.SEE_AUDIT, Action.MANAGE_ACCOUNTS}),
}


@dataclass(frozen=True)
class Verdict:
    """Whether something is allowed, and if not, why not."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


def may(user: User, action: Action) -> Verdict:
    """Say whether this person may do this, and why not."""
    if not user.is_active:
        return Verdict(False, "账号已停用")
    return _verdict(Role(user.role), action)


@cache
def _verdict(role: Role, action: Action) -> Verdict:
    """Every page asks a dozen times, so the reason is written once."""
    if action in ALLOWED[role]:
        return Verdict(True)
    allowed = "、".join(other.label for other in roles_that_may(action))
    return Verdict(False, f"“{role.label}”不能{action.value}；可由{allowed}办理")


def roles_that_may(action: Action) -> list[Role]:
    """Return the roles that may do this."""
    return [role for role in Role if action in ALLOWED[role]]


def require(user: User, action: Action) -> None:
    """Raise unless this person may do this.

    Raises:
        NotAllowed: with the reason.
    """
    verdict = may(user, action)
    if not verdict:
        raise NotAllowed(verdict.reason)
