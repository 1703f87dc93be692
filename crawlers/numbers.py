"""Numbers that belong to a person: telephone, identity, bank card and QQ numbers, in any writing of figures.

Figures are gathered into groups (`crawlers.figures`); a number is whole groups that read as one number and hold its
own rule: the check digit of an identity number (GB 11643), Luhn for a bank card (ISO/IEC 7812), the network code of
a telephone number. What stands before a number may say what it is, or that it is none of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stdnum import luhn
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from crawlers.figures import Part, Run, is_one_number, runs

LEAST = 5
"""Figures that the shortest number has."""
Found = tuple[int, int, str, str]
"""Start, end, kind, and the value in the form that is hashed where the kind is a contact code."""

_LABEL_CHARS = 14
"""How far before a number its label may begin."""
_BLANK = r"[\W_]{0,3}"
_OTHER_NUMBER = re.compile(
    r"(?:订单|单号|编号|流水|运单|快递|物流|条码|ISBN|序列|兑换|激活|房间|学号|学籍|考号|准考证|工号|期号|uid|id|邀请码|取件|版本|"
    rf"校验|哈希|时间戳|书号|房号){_BLANK}(?:号码?|码|号|是|为)?{_BLANK}$",
    re.IGNORECASE,
)
_IDENTITY_LABEL = re.compile(rf"(?:身份证|证件|sfz){_BLANK}(?:号码?|号|是|为|的)*{_BLANK}$", re.IGNORECASE)
_CARD_LABEL = re.compile(
    rf"(?:卡号|银行卡|储蓄卡|信用卡|工行|农行|中行|建行|招行|邮储|交行|账号|帐号|账户|打款到?|转账到?|汇款到?|收款){_BLANK}"
    rf"(?:卡?号码?|号|是|为|的|：)*{_BLANK}$"
)
_PHONE_LABEL = re.compile(
    rf"(?:电话|座机|手机|联系方式|tel|phone|致电|拨打|拨|打给我|call){_BLANK}(?:号码?|号|是|为|的|找)*{_BLANK}$",
    re.IGNORECASE,
)
_QQ_LABEL = re.compile(
    r"(?:(?P<sure>q\W{0,2}q(?!音乐|飞车|炫舞|农场|空间|堂|浏览器|邮箱)|[扣叩抠寇蔻]\W{0,2}[扣叩抠寇蔻]|口\W{0,2}口|鹅号|腾讯号)"
    r"|🐧|[秋球丘][秋球丘]|企\W{0,2}鹅|(?<![a-z])q(?=\W|\d|号|群|裙|$)|(?<![衣短长纱摺褶身花布])[裙羣]|(?:群|君羊)(?!众|演|岛|山)"
    r"|(?:[加➕+滴私戳]|联系)\W{0,2}(?:我|本人|一下|俺|偶))"
    rf"{_BLANK}(?:群|裙|号码?|帐号|账号|号|是|为|：|加|➕|找|qq|我|id)*{_BLANK}$",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s*(?:元|块|人|分|米|年|月|号楼|个|位|条|次|岁|级|kg|km|斤|件|万|亿|%|％|点|集|章|话|页|版|金币|钻|积分|经验|场|局|字|楼|层|遍|天|小时|"
    r"分钟|秒|只|名|多|步|下|票|粉|赞|本|张|台|套|瓶|杯|份|度|公里|里|倍|股)",
    re.IGNORECASE,
)
_PROVINCES = (
    range(11, 16),
    range(21, 24),
    range(31, 38),
    range(41, 47),
    range(50, 55),
    range(61, 66),
    (71, 81, 82, 83),
)
_PROVINCE_CODES = frozenset(str(code) for some in _PROVINCES for code in some)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d\d)[2-8]\d{6,7}")
_SERVICE = re.compile(r"[48]00\d{7}")
_AND = re.compile(r"[\s,，、/或和;；]{1,3}")
_LETTER = re.compile(r"[A-Za-z]")
_X = re.compile(r"(?:[\W_]{0,5}|[\W_]{0,2}[^\W\d_]{1,2}[\W_]{0,2})[XxХх×✕](?![A-Za-z0-9])")
_MOBILE_SIZES = (
    (3, 4, 4), (3, 8), (7, 4), (4, 4, 3), (4, 3, 4), (3, 3, 5), (3, 2, 2, 4), (3, 4, 2, 2), (3, 2, 3, 3), (3, 3, 3, 2),
    (2, 3, 3, 3), (3, 2, 2, 2, 2), (3, 2, 4, 2), (3, 5, 3), (4, 7), (1, 10),
)  # fmt: skip
_LANDLINE_SIZES = (
    (3, 8), (3, 7), (4, 8), (4, 7), (3, 4, 4), (4, 4, 4), (4, 3, 4), (4, 4, 3), (3, 3, 4), (3, 4, 3), (2, 1, 8),
)  # fmt: skip
_SERVICE_SIZES = ((3, 3, 4), (3, 4, 3), (3, 7), (4, 3, 3), (4, 6), (4, 2, 4), (6, 4))
_IDENTITY_SIZES = (
    (6, 8, 4),
    (6, 4, 4, 4),
    (6, 12),
    (3, 3, 4, 4, 4),
    (4, 4, 4, 4, 2),
    (6, 4, 2, 2, 4),
    (14, 4),
    (6, 8, 3),
)
_CARD_SIZES = (
    (4, 4, 4, 4), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (6, 10), (6, 13), (8, 8), (8, 11), (6, 4, 4, 4, 1),
    (4, 6, 5), (4, 12), (4, 15), (6, 6, 7), (6, 6, 4),
)  # fmt: skip


def find(text: str, figures: str) -> Iterator[Found]:
    """Yield the numbers of a text, those of the surest kind first; later ones may overlap earlier ones.

    Args:
        text: the folded text.
        figures: the same with Chinese figures read.
    """
    # Read once with Chinese figures and once without: 「第一13800001234」 holds a number only in the second reading.
    readings = [figures] if figures == text else [figures, text]
    gathered = [(source, runs(source)) for source in readings]
    for kind, rule in _RULES:
        for source, some in gathered:
            for run in some:
                for found in rule(source, text, run):
                    yield found[0], found[1], kind, found[2]


def _identity_numbers(source: str, text: str, run: Run) -> Iterator[tuple[int, int, str]]:
    for part in run.parts(18, 15):
        before = text[max(0, part.start - _LABEL_CHARS) : part.start]
        labelled = bool(_IDENTITY_LABEL.search(before))
        end, number = part.end, part.figures
        if len(number) == 17 and (match := _X.match(source, end)):
            end, number = match.end(), number + "X"
        whole = len(number) == 18 and (labelled or _is_identity(number))
        if (whole or (labelled and len(number) == 15)) and is_one_number(part, _IDENTITY_SIZES):
            yield part.start, end, ""


def _is_identity(number: str) -> bool:
    """Whether check digit, date and province are right; `ric.validate` fails on counties that its list lacks."""
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return number[:2] in _PROVINCE_CODES and bool(ric.calc_check_digit(number) == number[-1])


def _bank_cards(source: str, text: str, run: Run) -> Iterator[tuple[int, int, str]]:
    for part in run.parts(19, 15):
        before = text[max(0, part.start - _LABEL_CHARS) : part.start]
        labelled = bool(_CARD_LABEL.search(before))
        if part.figures[0] not in "3456" and not (labelled and part.figures[0] in "89"):
            continue
        if len(part.figures) == 15 and part.figures[:2] not in {"34", "37"}:
            continue
        beside = source[max(0, part.start - 1) : part.start] + source[part.end : part.end + 1]
        if not labelled and _LETTER.search(beside):
            continue
        right = labelled or (luhn.is_valid(part.figures) and not _OTHER_NUMBER.search(before))
        if right and len(set(part.figures)) > 1 and is_one_number(part, _CARD_SIZES):
            yield part.start, part.end, ""


def _phones(source: str, text: str, run: Run) -> Iterator[tuple[int, int, str]]:
    for part in run.parts(15, 7):
        number = part.figures
        before = text[max(0, part.start - _LABEL_CHARS) : part.start]
        if _MOBILE.fullmatch(number) and is_one_number(part, _MOBILE_SIZES):
            yield part.start, part.end, number
        elif _MOBILE.fullmatch(bare := re.sub(r"^(?:00|0)?86|^0", "", number)):
            sizes = tuple((len(number) - 11, *usual) for usual in ((11,), *_MOBILE_SIZES))
            if is_one_number(part, sizes):
                yield part.start - (source[part.start - 1 : part.start] == "+"), part.end, bare
        elif _is_other_phone(part, source, before):
            yield part.start, part.end, number
    yield from _glued(run)
    yield from _abroad(source, run)


def _is_other_phone(part: Part, source: str, before: str) -> bool:
    """Whether a number is a landline or a service number, or is called one."""
    number = part.figures
    if _OTHER_NUMBER.search(before) or _LETTER.search(before[-1:]):
        return False
    if _LANDLINE.fullmatch(number):
        return is_one_number(part, _LANDLINE_SIZES)
    if _SERVICE.fullmatch(number):
        return is_one_number(part, _SERVICE_SIZES) and not _UNIT.match(source, part.end)
    labelled = 7 <= len(number) <= 12 and _PHONE_LABEL.search(before) and not _UNIT.match(source, part.end)
    return bool(labelled) and is_one_number(part, ((4, 4), (3, 4), (3, 5), (4, 3)))


def _glued(run: Run) -> Iterator[tuple[int, int, str]]:
    """Several mobile numbers without anything between them."""
    for start, end in run.spans:
        size = end - start
        if size > 11 and size % 11 == 0:
            figures = run.part(run.spans.index((start, end)), run.spans.index((start, end))).figures
            pieces = [figures[at : at + 11] for at in range(0, size, 11)]
            if all(_MOBILE.fullmatch(piece) for piece in pieces):
                yield from ((start + 11 * at, start + 11 * at + 11, piece) for at, piece in enumerate(pieces))


def _abroad(source: str, run: Run) -> Iterator[tuple[int, int, str]]:
    """A number in international form: a plus sign, then 8 to 15 figures (ITU-T E.164)."""
    for part in run.parts(15, 8):
        plus = part.start and source[part.start - 1] == "+" and source[max(0, part.start - 2)] not in "0123456789)"
        if plus and len(part.groups) > 1 and not any(re.search(r"[^\s().-]", gap) for gap in part.gaps):
            yield part.start - 1, part.end, part.figures
            return


def _qq_numbers(source: str, text: str, run: Run) -> Iterator[tuple[int, int, str]]:
    reached = -1
    for part in run.parts(11, 5):
        before = text[max(0, part.start - _LABEL_CHARS) : part.start]
        match = _QQ_LABEL.search(before)
        follows = part.start > reached >= 0 and bool(
            re.fullmatch(r"[\s,，、/或和;；]{1,3}", text[reached : part.start])
        )
        if (match is None and not follows) or part.start < reached or part.figures[0] == "0":
            continue
        sure = bool(match and match["sure"])
        if not sure and (_UNIT.match(text, part.end) or (len(part.figures) < 6 and match and "号" not in match[0])):
            continue
        if is_one_number(
            part, ((3, 3, 3), (3, 3, 4), (3, 4, 3), (4, 4), (3, 4), (4, 3), (3, 3), (5, 5), (4, 5), (5, 4))
        ):
            reached = part.end
            yield part.start, part.end, part.figures


_RULES: tuple[tuple[str, Callable[[str, str, Run], Iterator[tuple[int, int, str]]]], ...] = (
    ("identity_number", _identity_numbers),
    ("bank_card", _bank_cards),
    ("phone", _phones),
    ("qq", _qq_numbers),
)
