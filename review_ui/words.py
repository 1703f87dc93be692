"""Words that reach the pages from casework and from tables, named here so that their translations are collected."""

from __future__ import annotations

from django.utils.translation import gettext_noop as word

NAVIGATION = (word("看内容"), word("帮助"), word("处置清单"), word("运行概览"), word("账号"), word("案件队列"))
FACETS = {
    "state": word("状态"),
    "severity": word("等级"),
    "category": word("类别"),
    "platform_class": word("平台类别"),
    "site": word("平台"),
    "section": word("板块"),
}
SEVERITIES = {
    "S0": word("S0 立即"),
    "S1": word("S1 严重"),
    "S2": word("S2 一般"),
    "S3": word("S3 轻微"),
}
SORTS = {
    "urgency": word("最紧急"),
    "newest": word("最新"),
    "oldest": word("最早"),
    "score": word("分数最高"),
    "relevance": word("最相关"),
}
KINDS = {
    "title": word("标题"),
    "post": word("主帖"),
    "comment": word("评论"),
    "danmaku": word("弹幕"),
    "description": word("简介"),
    "other": word("其他"),
}
GRADES = {"illegal": word("疑似违法"), "bad": word("疑似不良"), "may_affect": word("疑似可能影响")}
EVASIONS = {
    "width": word("全半角"),
    "styled": word("花体字符"),
    "invisible": word("隐形字符"),
    "combining": word("附加符号"),
    "traditional": word("繁体字"),
    "look_alike": word("形近字"),
    "inserted": word("插入符号"),
    "digits": word("数字替代"),
    "sound": word("谐音"),
    "initials": word("拼音缩写"),
    "split": word("拆字"),
    "slang": word("黑话"),
}
SPEAKERS = {"rule": word("词语规则"), "linear": word("统计模型")}
PARTS = {"database": word("数据库"), "search": word("检索"), "workers": word("后台处理")}
MODES = {"embedded": word("单机"), "services": word("服务")}

CASEWORK = (
    *(word("待审核"), word("已上报"), word("已确认"), word("已排除"), word("超出范围")),
    *(word("确认"), word("排除"), word("上报")),
    *(word("作出决定"), word("撤销决定"), word("查看原文"), word("清除文字")),
    *(word("举报"), word("受害人通知"), word("行政通知附件")),
    *(word("起草中"), word("待复核"), word("已核准")),
    *(word("有害"), word("无害"), word("说不准"), word("看不下去")),
    *(word("审核员"), word("银发啄木鸟志愿者"), word("平台联络员"), word("组长"), word("专班值守"), word("管理员")),
)
"""Labels of the models and of the history, as casework writes them."""
