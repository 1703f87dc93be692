"""Rows of a takedown list: its columns in order, and what stands in each for a line."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from casework import addresses, deadlines, decisions, evidence, hits, law, policies
from config.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from casework.models import Case, NoticeLine, User
    from config.decision_table import Disposition

COLUMNS = (
    "清单编号",
    "文书性质",
    "平台/类别",
    "板块位置",
    "kid_zone",
    "prominent",
    "信息URL",
    "平台内容ID",
    "账号",
    "内容形态",
    "发布时间",
    "采集时间",
    "采集方法与工具版本",
    "采集人工号",
    "脱敏摘要",
    "类别码/名称",
    "定性",
    "法律依据",
    "严重等级",
    "情形标记",
    "建议处置",
    "建议时限",
    "证据包号",
    "SHA-256",
    "SM3",
    "时间戳令牌号",
    "初审/复核",
    "平台反馈（结果、时间、理由）",
    "复查结果",
    "申诉/撤回",
)
SUMMARY_CHARACTERS = 120
COLLECTED_BY_MACHINE = "系统"

_GRADES = {"illegal": "疑似违法", "bad": "疑似不良", "may_affect": "疑似可能影响"}
_KINDS = {
    "title": "标题",
    "post": "主帖",
    "comment": "评论",
    "danmaku": "弹幕",
    "description": "简介",
    "other": "其他",
}
_MARKS = {
    "kid_zone": "专门面向未成年人的产品或专区",
    "prominent": "醒目位置",
    "unlabelled": "未显著提示",
    "evasion": "变体规避",
    "ai_generated": "生成合成",
    "exempt": "教育/新闻/医学/法律/艺术",
    "minor_author": "作者疑似未成年",
}
# Only departments may require handling (未成年人网络保护条例 Art 30); anyone may report (未成年人保护法 Art 79), the
# victim or guardian may notify (Art 77). The wording follows the instrument.
_WORDING = {
    "REPORT": "建议依法处置：",
    "VICTIM_NOTICE": "通知采取必要措施：",
    "AUTHORITY_NOTICE_ATTACHMENT": "要求依法处置：",
}


def row(line: NoticeLine, disposition: Disposition, approver: User | None, at: datetime) -> dict[str, str]:
    """Return what stands in each column for this line, were the list approved by this person at this moment.

    Raises:
        InvalidInput: a legal basis does not parse as law and article, or a sealed address cannot be opened.
    """
    case, notice = line.case, line.notice
    category = load_taxonomy().categories[case.category]
    record = evidence.latest(case)
    decision = decisions.last_decision(case)
    values = (
        notice.number,
        notice.get_instrument_display(),
        f"{policies.site_title(case.site)}/{policies.class_title(case.platform_class)}",
        _place(case),
        _yes(case.kid_zone),
        _yes(case.prominent),
        addresses.of(case),
        case.unit,
        "",
        _KINDS.get(case.kind, case.kind),
        _moment(case.published_at),
        _moment(case.captured_at),
        f"{case.method}；{case.crawler}",
        COLLECTED_BY_MACHINE,
        summary(case.text),
        f"{category.code} {category.name}",
        _GRADES[case.grade],
        law.cite_all((*category.basis, *disposition.basis)),
        case.severity,
        "、".join(_MARKS[mark] for mark in marks(line)),
        _WORDING[notice.instrument] + disposition.name,
        str(deadlines.for_platform(case.severity, kid_zone=case.kid_zone, start=at)),
        record.number if record else "",
        record.sha256 if record else "",
        record.sm3 if record else "",
        "",
        f"{decision.decided_by.staff_no if decision else ''}/{approver.staff_no if approver else ''}",
        "",
        "",
        "",
    )
    return dict(zip(COLUMNS, values, strict=True))


def marks(line: NoticeLine) -> list[str]:
    """Return the flags that decide the remedy, as far as they hold for this line."""
    case = line.case
    holds = {
        "kid_zone": case.kid_zone,
        "prominent": case.prominent,
        "unlabelled": line.unlabelled,
        "evasion": bool(case.undone),
        "minor_author": line.minor_author or hits.MINOR_AUTHOR in case.flags,
    }
    return [mark for mark in _MARKS if holds.get(mark, mark in case.flags)]


def summary(text: str) -> str:
    """Return the redacted text on one line, at most `SUMMARY_CHARACTERS` long."""
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_CHARACTERS else line[: SUMMARY_CHARACTERS - 1] + "…"


def _place(case: Case) -> str:
    title = policies.section_title(case.site, case.section)
    return title if case.position is None else f"{title}，第{case.position}位"


def _moment(moment: datetime | None) -> str:
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else "不详"


def _yes(value: bool) -> str:
    return "是" if value else "否"
