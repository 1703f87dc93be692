"""Lines of a takedown list: what the decision table allows for each, and why one cannot be exported."""

from __future__ import annotations

from casework import addresses, evidence, hits, law
from casework.errors import InvalidInput
from casework.models import Case, CaseState, NoticeLine
from config.decision_table import Disposition, dispositions
from config.taxonomy import load_taxonomy


def never_listed(case: Case) -> bool:
    """Say whether the case goes to the police at once and never on a list (L52, L11, R38¶2)."""
    return case.restricted or hits.imminent(case.spans)


def allowed_dispositions(line: NoticeLine) -> tuple[Disposition, ...]:
    """Return the remedies that the decision table allows for a line; none: it must not be listed."""
    case = line.case
    if case.restricted:
        return ()
    return dispositions(
        category=case.category,
        grade=case.grade,
        kid_zone=case.kid_zone,
        prominent=case.prominent,
        unlabelled=line.unlabelled,
        minor_author=line.minor_author or hits.MINOR_AUTHOR in case.flags,
        imminent=hits.imminent(case.spans),
    )


def problems(line: NoticeLine) -> list[str]:
    """Say why a line cannot be exported; empty when it can."""
    case, found = line.case, []
    if case.state != CaseState.CONFIRMED:
        found.append(f"案件现为“{CaseState(case.state).label}”，须先确认")
    if not case.url:
        found.append("缺少信息URL")
    if not addresses.opens(case):
        found.append("信息URL以另一密钥封存，无法还原")
    if case.purged_at is not None:
        found.append("文字已清除，不能摘要")
    if not case.restricted and evidence.latest(case) is None:
        found.append("没有证据包")
    return [*found, *_remedy_problems(line), *_basis_problems(line)]


def _remedy_problems(line: NoticeLine) -> list[str]:
    allowed = allowed_dispositions(line)
    if not allowed:
        return ["按处置对照表，此类情形不得列入清单"]
    if not line.disposition:
        return ["尚未选定建议处置"]
    if line.disposition not in {one.slug for one in allowed}:
        return [f"建议处置“{line.disposition}”不在对照表允许之列：{'、'.join(one.name for one in allowed)}"]
    return []


def _basis_problems(line: NoticeLine) -> list[str]:
    references = load_taxonomy().categories[line.case.category].basis
    if not references:
        return ["缺少法律依据"]
    try:
        law.cite_all(references)
    except InvalidInput as error:
        return [f"法律依据须为法＋条：{error}"]
    return []
