"""Every error that casework raises.

CaseworkError
├── NotAllowed      the role, or the state of the thing, does not allow the act; says why
├── InvalidInput    a value is wrong; names the field, what was found and what is allowed
├── NotFound        there is no such thing, or none that this person may see
├── StaleCase       somebody else changed the case first; says who and what they found
├── HeldByOther     somebody else works on the case just now; says who and until when
├── NothingToUndo   there is no act of this person that could be taken back
└── TriedTooOften   a batch ended its workers again and again
"""

from __future__ import annotations

from datetime import datetime


class CaseworkError(Exception):
    """Root of the tree. Its text is meant for the person who acts; it never quotes the text of a case."""


class NotAllowed(CaseworkError):
    """The act is not allowed to this person, or not now."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidInput(CaseworkError):
    """A value is wrong."""

    def __init__(self, field: str, found: object, allowed: str) -> None:
        super().__init__(f"{field}：收到 {found!r}；允许：{allowed}")
        self.field, self.found, self.allowed = field, found, allowed


class NotFound(CaseworkError):
    """There is no such thing, or none that this person may see: the two look alike on purpose."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"没有{what} {key}，或无权查看")
        self.what, self.key = what, key


class StaleCase(CaseworkError):
    """The case has changed since this person saw it.

    `holder` is the 工号 of whoever decided last (empty: the change was no decision), `finding` what they found.
    """

    def __init__(self, holder: str, finding: str) -> None:
        by = f"{holder} 已作出决定：{finding}" if holder else "内容已更新"
        super().__init__(f"案件在您查看后有变化（{by}），请查看最新状态后再决定")
        self.holder, self.finding = holder, finding


class HeldByOther(CaseworkError):
    """Somebody else works on the case just now: `holder` is their 工号, `until` when it returns by itself."""

    def __init__(self, holder: str, until: datetime) -> None:
        super().__init__(f"{holder} 正在处理这一案件，请先看别的案件")
        self.holder, self.until = holder, until


class NothingToUndo(CaseworkError):
    """There is nothing of this person that could be taken back; the text says why."""


class TriedTooOften(CaseworkError):
    """Workers began a batch again and again and none told how it ended: something in it ends them."""

    def __init__(self, batch_id: int, attempts: int) -> None:
        super().__init__(f"批次 {batch_id} 已开始 {attempts} 次，均未完成")
        self.batch_id, self.attempts = batch_id, attempts
