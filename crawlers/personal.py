"""Personal data that is found by its wording: e-mail, contact codes, plates, schools, addresses, names, handles.

One pattern each, searched only where one of its hints stands, so that an ordinary text costs a few look-ups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from crawlers.numbers import Found

_HAN = r"[\u4e00-\u9fff]"
_NAME_CHARS = 12
_MARKS = r"[\W_]{0,3}"
_COUNT = r"[\d一二三四五六七八九十百零〇两]{1,5}"


def _letters(match: re.Match[str]) -> str:
    """Return a code as it is hashed: letters and figures alone."""
    return re.sub(r"[\W_]|下划线|横杠|杠", "", match[_group(match)]).casefold()


def _always(match: re.Match[str]) -> bool:
    return True


@dataclass(frozen=True)
class Pattern:
    """How one kind is found.

    A text is searched only when it has `least` plain letters or figures and one of the `hints`. `figures`: it is read
    with Chinese figures read. What is taken out is the group `code` where there is one; with `stops` also up to twelve
    Chinese characters before it, none of these. `alone`: whether a match may stand without any such before it.
    """

    kind: str
    expression: re.Pattern[str]
    hints: tuple[str, ...]
    least: int = 0
    figures: bool = False
    accept: Callable[[re.Match[str]], bool] = _always
    value: Callable[[re.Match[str]], str] = _letters
    stops: str = ""
    alone: Callable[[re.Match[str]], bool] = _always


def find(patterns: Sequence[Pattern], letters: str, figures: str, plain: int) -> Iterator[Found]:
    """Yield what the patterns find, pattern by pattern.

    Args:
        patterns: the surest first.
        letters: the folded text.
        figures: the same with Chinese figures read.
        plain: how many letters and figures it has.
    """
    for pattern in patterns:
        if plain >= pattern.least and any(hint in letters for hint in pattern.hints):
            reached = 0
            for match in pattern.expression.finditer(figures if pattern.figures else letters):
                start, end = match.span(_group(match))
                start = _begin(letters, start, reached, pattern.stops)
                if pattern.accept(match) and (start < match.start() or pattern.alone(match)):
                    reached = end
                    yield start, end, pattern.kind, pattern.value(match)


def _begin(text: str, start: int, least: int, stops: str) -> int:
    """Return where the name begins that ends at `start`."""
    least = max(least, start - _NAME_CHARS)
    while stops and start > least and "\u4e00" <= text[start - 1] <= "\u9fff" and text[start - 1] not in stops:
        start -= 1
    return start


def _group(match: re.Match[str]) -> str | int:
    return "code" if match.re.groupindex.get("code") and match["code"] is not None else 0


# E-mail: @, or what people write for it; a dot, or what people write for it.
_AT = (
    r"(?:\s?[@]\s?|\s?[（(\[【{<]\s?(?:at|艾特|圈a)\s?[)）\]】}>]\s?|\s?(?:艾特|圈a|爱特)\s?|\sat\s|_at_"
    r"|#(?=(?:qq|163|126|mail|foxmail)))"
)
_DOT = r"(?:\s?[.。．]\s?|\s?[（(\[【{]\s?(?:dot|点)\s?[)）\]】}]\s?|点|\sdot\s|_dot_)"
_DOMAIN = r"(?:com|cn|net|org|example|test|edu|gov|io|me|cc|top|xyz|vip|info|invalid|co)"
_EMAIL = re.compile(
    rf"(?<![A-Za-z0-9])[A-Za-z0-9](?:[A-Za-z0-9_%+-]|\.(?=[A-Za-z0-9])){{0,62}}{_AT}"
    rf"(?:[A-Za-z0-9-]{{1,60}}{_DOT}){{1,3}}(?:{_DOMAIN})(?![A-Za-z])"
    rf"|(?<![A-Za-z0-9])[A-Za-z0-9](?:[A-Za-z0-9._%+-]){{0,62}}\s?@\s?(?:[A-Za-z0-9-]{{1,60}}\.){{1,3}}[A-Za-z]{{2,12}}"
    rf"|(?<![A-Za-z0-9])[1-9]\d{{4,11}}\s?(?:{_AT})?(?:扣扣|QQ|qq|企鹅)邮箱",
    re.IGNORECASE,
)


def _is_email(match: re.Match[str]) -> bool:
    """Whether a blank-at-blank is meant as @: only where the dot is written out too."""
    return not re.search(r"\sat\s", match[0], re.IGNORECASE) or bool(re.search("dot|点", match[0], re.IGNORECASE))


def _mail(match: re.Match[str]) -> str:
    return re.sub(r"[\W_]", "", re.sub(rf"{_AT}|艾特|圈a|爱特|dot|点", "", match[0], flags=re.IGNORECASE)).casefold()


# WeChat, 薇❤信 and its kin; a code has a figure or a mark in it, or is named as one.
_NO_CODE = frozenset(
    {
        "wechat", "weixin", "android", "iphone", "windows", "harmony", "harmonyos", "miniprogram", "python", "online",
        "login", "video", "music", "emoji", "official", "server", "client", "update", "google", "chrome", "bilibili",
        "douyin", "openid", "unionid", "config",
    }
)  # fmt: skip
_CODE = (
    r"(?:[A-Za-z](?:[A-Za-z0-9_-]|下划线|横杠|杠|\.(?=[A-Za-z0-9])){4,24}|[A-Za-z](?:[\W_]{1,2}[A-Za-z0-9]){5,19}"
    r"|[1-9](?:[\W_]{0,3}\d){4,10})(?![A-Za-z0-9])"
)
_WECHAT_NAME = (
    r"(?:[微薇威徽维溦巍魏卫唯围葳][\W_]{0,3}(?:信|芯|心|❤|♥)|卫[\W_]{0,3}星|(?<![A-Za-z])v[\W_]{0,3}(?:信|芯|心|❤|♥)|(?<![A-Za-z])[vw][\W_]{0,2}x"
    r"|wei[\W_]?xin|we[\W_]?chat|绿泡泡|绿色(?:软件|聊天)|[加➕+私看扣][\W_]{0,2}(?:v|[薇微威徽维]|wei|w(?=[\W_]))"
    r"|[薇溦葳](?=[\W_]{0,3}[A-Za-z0-9号])|(?<![A-Za-z])[v威徽](?=[\W_]?:))"
)
_WECHAT = re.compile(
    rf"(?P<name>{_WECHAT_NAME})(?P<says>{_MARKS}(?:号码?|同号|是|为|id|搜索?|加|我|找|联系|➕|:|=)*{_MARKS})(?P<code>{_CODE})",
    re.IGNORECASE,
)
_MEASURED = re.compile(r"\s*(?:元|块|人|分|年|月|个|位|条|次|级|粉|万|%|版|群|名|步)")


def _is_wechat(match: re.Match[str]) -> bool:
    code = match["code"]
    if code.casefold() in _NO_CODE or _MEASURED.match(match.string, match.end()):
        return False
    named = bool(re.search(r"号|是|为|id|搜|加|➕|:|=", match["says"], re.IGNORECASE)) or match["name"][0] in "加➕+私"
    if code[0].isdigit():
        return named or len(re.sub(r"\D", "", code)) >= 6
    return bool(re.search(r"[\d_-]|下划线|杠", code)) or (named and len(code) >= 6)


# Other ways of being found: an application's name and a code, or an address of invitation.
_APPLICATION = (
    r"(?:(?<![a-z])(?:tg|telegram|line|skype|discord|dc|whats?app|ins|instagram|yy|kook|steam|soul|dy|xhs|ks|twitter|signal|snapchat)"
    r"|电报|纸飞机|小飞机|飞机|蝙蝠|抖音|快手|小红书|微博|陌陌|探探|支付宝|推特|旺旺|钉钉|b站)"
)
_CONTACT = re.compile(
    rf"{_APPLICATION}[\W_]{{0,2}}(?:(?:号|id|账号|帐号|用户名|频道|搜索?|是|为|加)+{_MARKS}|{_MARKS}:\s?)"
    rf"(?P<code>@?[A-Za-z0-9](?:[A-Za-z0-9_.-]){{3,28}}[A-Za-z0-9_](?:#\d{{4}})?)(?![A-Za-z0-9])"
    r"|(?:https?://)?(?<![A-Za-z0-9])(?:t\.me|wa\.me|discord\.gg|line\.me|qm\.qq\.com|u\.wechat\.com|weixin\.qq\.com/[gr]"
    r"|jq\.qq\.com|telegram\.me)/[\w/+?=&#%.~-]{3,200}",
    re.IGNORECASE,
)


def _is_contact(match: re.Match[str]) -> bool:
    code = match["code"]
    return code is None or (code.casefold() not in _NO_CODE and bool(re.search(r"[\d_.#]|^@", code)))


def _contact(match: re.Match[str]) -> str:
    return re.sub(r"[\W_]", "", match["code"] or match[0]).casefold()


# Plates: GA 36-2018; 5 characters, 6 with a new-energy vehicle.
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE_LETTER = r"[A-HJ-NP-Za-hj-np-z]"
_PLATE_REST = r"[A-HJ-NP-Za-hj-np-z0-9]"
_PLATE = re.compile(
    rf"[{_PROVINCES}]牌?[\W_]{{0,2}}{_PLATE_LETTER}[\W_]{{0,2}}"
    rf"(?:{_PLATE_REST}{{5,6}}(?![A-Za-z0-9-])|{_PLATE_REST}{{4}}[挂学警港澳试超使领]|{_PLATE_REST}(?:[\W_]{{1,2}}{_PLATE_REST}){{4,5}}(?![A-Za-z0-9-]))"
)


def _is_plate(match: re.Match[str]) -> bool:
    return len(re.findall(r"\d", match[0])) >= 2


# School and class.
_NO_SCHOOL = "在是读来自从到去念们的给叫被和跟说看有"
_SCHOOL = (
    r"(?:[一二三四五六七八九十]中|小学|中学|实验学校|外国语学校|外语学校|双语学校|学校|附中|附小|初中|高中|完小|幼儿园|职校|技校|书院)"
    r"(?:分校|(?:[东南西北]|初中|高中|小学)(?:校区|部))?"
)
_SMALL = r"[一二三四五六七八九十\d]{1,2}"
_GRADE = (
    rf"(?:[小初高]?\s*{_SMALL}\s*年\s*级?|[小初高][一二三四五六1-6]|20\d\d\s*[级届]|预[初备](?:年级)?"
    r"|[一二三四五六七八九1-9](?=\s?[（(\[【]))"
)
_CLASS = rf"(?:[大中小]\s*(?:{_SMALL})?|[（(\[【]?\s*{_SMALL}\s*[)）\]】]?)\s*班(?![车次机])"
_BETWEEN = r"[\s,，、的·.-]{0,3}"
_SCHOOL_CLASS = re.compile(rf"{_SCHOOL}{_BETWEEN}(?:(?P<two>{_CLASS})|{_GRADE}(?:{_BETWEEN}(?P<one>{_CLASS}))?)")
_GRADE_CLASS = re.compile(rf"(?<![\d第一二三四五六七八九十]){_GRADE}{_BETWEEN}{_CLASS}")


def _has_class(match: re.Match[str]) -> bool:
    return bool(match["one"] or match["two"]) or match[0][0] in "一二三四五六七八九十"


# Addresses, from the road or the estate down to the door.
_NO_PLACE = "在住到从去是来寄送往给的了我你他她就至于"
_DOOR = (
    rf"(?:\s*[-—,，#]?\s*(?:{_COUNT}\s*(?:号楼|号|幢|栋|座|单元|室|层|楼|弄|支弄|门|户)(?![线车])|[A-Za-z]\s*(?:座|栋|幢)"
    r"|[A-Za-z]?\d{3,4}室?(?![\d元块人个米])))"
)
_NO_DOOR = r"(?!线|选手|球|机|桌|位|文件|玩家|队|种子|信箱|店|摊|柜|台|签|车|货|馆|门诊|窗|出口|口|地铁|公交)"
_ROAD = re.compile(
    rf"(?:路|街|弄|巷|大道|胡同|公路|支路)(?:[东南西北中]段?)?\s*{_COUNT}\s*(?:号|弄|支弄|巷){_NO_DOOR}{_DOOR}*"
    rf"|(?:小区|花园|新村|公寓|家园|花苑|苑|雅居|名邸|宿舍|里坊|佳苑)\s*(?:[一二三四五六七八九\d][期区村]\s*)?{_COUNT}\s*"
    rf"(?:号楼|号|栋|幢|座|单元|弄){_NO_DOOR}{_DOOR}*"
    rf"|(?:村|屯|寨|庄)\s*{_COUNT}\s*(?:组|社)(?:\s*{_COUNT}\s*号)?(?!织|合)"
)
_DOORS = re.compile(
    rf"{_COUNT}\s*(?:栋|幢|号楼|座|弄|支弄|号)\s*[-—,，]?\s*(?:{_COUNT}\s*(?:号楼?|栋|幢)\s*)?"
    rf"(?:{_COUNT}\s*单元\s*[-—,，]?\s*{_COUNT}\s*(?:室|号|户)?|{_COUNT}\s*室)"
    rf"|{_COUNT}\s*单元\s*(?:[-—,，]?\s*{_COUNT}\s*(?:室|号|户)|[-—]\s*\d{{3,4}}(?!\d))"
)


def _never(match: re.Match[str]) -> bool:
    return False


# Handles end at a blank or a mark, and before the words with which one begins to speak to somebody.
_SPEAKS = (
    r"你|您|我|他|她|咱|快来|快看|快去|赶紧|怎么|为什么|干嘛|去死|滚|看看|来看|谢谢|请|别|不要|在吗|是不是|有没有|真的|太|出来|说的|提供|记者|显示|表示|发布|报道|回应|"
    r"今天|明天|昨天|周[一二三四五六日末]|一起|加油|生日|好像|可以|什么"
)
_HANDLE = re.compile(
    r"(?<![A-Za-z0-9._%+-])@(?!所有人|全体|大家|everyone\b|here\b|channel\b|管理员|官方|media\b|import\b|Override\b|param\b|return\b)"
    rf"(?P<rest>(?:(?!{_SPEAKS})[\w·-]|\.(?=[A-Za-z0-9])){{2,30}})|@\s{_HAN}{{2,4}}(?!{_HAN})"
)
_NICKNAME = re.compile(
    rf"(?:网名|昵称|用户名|微博名|游戏名|账号名|马甲)(?:是|叫|为|:|就是|：)+\s*[「“\"'《【]?(?P<code>(?:(?!{_SPEAKS})[\w-]){{2,20}})"
)


def _is_handle(match: re.Match[str]) -> bool:
    rest = match["rest"] or ""
    return not re.fullmatch(r"[\d.]{1,4}x?|\d+[xX元块kK]?", rest) or len(rest) >= 6


# Names are taken only where something says that they are names.
_SURNAME = (
    r"(?:欧阳|上官|司马|诸葛|夏侯|皇甫|尉迟|公孙|慕容|令狐|司徒|端木|东方|南宫|"
    r"[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董潘袁于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟"
    r"熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮"
    r"柯纪梅童凌毕单季裴霍涂成苗谷曲盛冉翁蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿"
    r"桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝])"
)
_NAME_END = r"(?![应今是在的我他她你和跟就也都说来去住读上念会有要吗呢吧啊了不没很被把给对从到个人家])"
_NAME = rf"{_SURNAME}{_NAME_END}{_HAN}(?:{_NAME_END}{_HAN})?"
_NAMED = re.compile(
    r"(?:真名|本名|实名|原名|全名|大名|真实姓名|(?:姓名|名字)(?=[\W_]{0,2}(?:是|叫|为|:))"
    r"|(?:我|她|他|孩子|女儿|儿子|同学|学生|妹妹|弟弟|女生|男生|老师)叫(?:做)?)"
    rf"{_MARKS}(?:是|叫做?|为|:|：)*{_MARKS}(?P<code>{_NAME})"
)
_NAME_AFTER_HANDLE = re.compile(
    rf"@[A-Za-z0-9_\u4e00-\u9fff-]{{2,20}}[\s]*(?:[（(\[【]\s*(?:本名|真名|即)?|就是|其实是|本名叫?|真名叫?|=|,|，|、|/|aka)\s*(?P<code>{_NAME})(?![\u4e00-\u9fff])"
)

_DOOR_HINTS = ("号", "室", "单元", "栋", "幢", "弄", "组", "座", "巷")
EMAIL = (
    Pattern("email", _EMAIL, ("@", "艾特", "at", "AT", "At", "圈a", "爱特", "#", "邮箱"), 4, True, _is_email, _mail),
)
"""Before the numbers: an address may begin with one."""
WORDED = (
    Pattern("wechat", _WECHAT, tuple("信薇微威徽维葳溦vVwW绿芯❤♥心星"), 5, True, _is_wechat),
    Pattern("contact", _CONTACT, (*"号:@搜账帐/", "ID", "id", "Id", "频道"), 5, False, _is_contact, _contact),
    Pattern("plate", _PLATE, tuple(_PROVINCES), 5, True, _is_plate),
    Pattern("school_class", _SCHOOL_CLASS, ("班", "级", "初", "高", "年"), stops=_NO_SCHOOL, alone=_has_class),
    Pattern("school_class", _GRADE_CLASS, ("班",)),
    Pattern("address", _ROAD, _DOOR_HINTS, stops=_NO_PLACE, alone=_never),
    Pattern("address", _DOORS, ("室", "单元")),
    Pattern("name", _NAMED, ("名", "叫")),
    Pattern("name", _NAME_AFTER_HANDLE, ("@",)),
    Pattern("handle", _HANDLE, ("@",), accept=_is_handle),
    Pattern("handle", _NICKNAME, ("名", "昵称", "马甲")),
)
"""After the numbers, the surest first."""
