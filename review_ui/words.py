"""Words that reach the pages from casework and from tables, named here so that their translations are collected."""

from __future__ import annotations

from django.utils.translation import gettext_noop as word

NAVIGATION = (
    word("看内容"),
    word("帮助"),
    word("处置清单"),
    word("运行概览"),
    word("占比"),
    word("账号"),
    word("案件队列"),
)
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
METHODS = {
    "latest": word("最新"),
    "hot": word("热门"),
    "random": word("随机"),
    "search": word("搜索"),
    "feed": word("供稿"),
    "stratified": word("分层"),
    "reservoir": word("水库"),
    "adaptive": word("自适应"),
    "": word("未配置"),
}
GRADES = {"illegal": word("疑似违法"), "bad": word("疑似不良"), "may_affect": word("疑似可能影响")}
EVASIONS = {
    "width": word("全半角"),
    "styled": word("花体字符"),
    "invisible": word("隐形字符"),
    "combining": word("附加符号"),
    "traditional": word("繁体字"),
    "look_alike": word("形近字"),
    "variant": word("异体字"),
    "martian": word("火星文"),
    "inserted": word("插入符号"),
    "digits": word("数字替代"),
    "sound": word("谐音"),
    "initials": word("拼音缩写"),
    "split": word("拆字"),
    "swapped": word("字序颠倒"),
    "pinyin": word("拼音"),
    "emoji": word("表情符号"),
    "spaced": word("字间空格"),
    "slang": word("黑话"),
}
SPEAKERS = {"rule": word("词语规则"), "linear": word("统计模型"), "encoder": word("统计模型")}
PARTS = {
    "database": word("数据库"),
    "disk": word("磁盘"),
    "broker": word("消息队列"),
    "search": word("检索"),
    "workers": word("后台处理"),
    "beat": word("定时任务"),
}
ENGINES = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "database": word("直接查数据库"),
    "elasticsearch": "Elasticsearch",
    "folder": word("数据文件夹"),
    "redis": "Redis",
    "rediss": "Redis (TLS)",
    "amqp": "RabbitMQ",
    "amqps": "RabbitMQ (TLS)",
}
MODES = {"embedded": word("单机"), "services": word("服务")}

FIELDS = {
    "reason": word("理由"),
    "category": word("类别"),
    "grade": word("定性"),
    "finding": word("结论"),
    "to": word("移交给"),
    "note": word("留言"),
    "addressee": word("上报给"),
    "score": word("分数"),
    "version": word("版本"),
    "text": word("搜索文字"),
    "filter": word("筛选"),
    "sort": word("排序"),
    "page": word("页码"),
    "after": word("翻页位置"),
    "answer": word("回答"),
    "size": word("字的大小"),
    "instrument": word("文书性质"),
    "disposition": word("建议处置"),
    "case": word("案件"),
    "cases": word("案件"),
    "lines": word("清单"),
    "format": word("格式"),
    "search": word("搜索"),
    "name": word("名称"),
    "username": word("用户名"),
    "password": word("密码"),
    "role": word("角色"),
}
"""Fields of casework's errors as the pages call them."""
ACTS = {
    "account.create": word("建立账号"),
    "account.close": word("停用账号"),
    "account.open": word("启用账号"),
    "account.link": word("发出一次性链接"),
    "account.set_password": word("设置密码"),
    "account.sign_in_link": word("用一次性链接登录"),
    "case.decide": word("作出决定"),
    "case.undo": word("撤销决定"),
    "case.reveal": word("查看原文"),
    "case.view": word("看到"),
    "case.purge": word("清除文字"),
    "case.edited": word("原文已改"),
    "case.gone": word("原处已无"),
    "dead.retry": word("重试搁置的采集"),
    "dead.drop": word("丢弃搁置的采集"),
    "case.take_over": word("接手案件"),
    "case.hand_over": word("移交案件"),
    "case.follow": word("副本沿用决定"),
    "case.split": word("拆出副本"),
    "case.rejoin": word("归回副本"),
    "case.reassess": word("重新评估"),
    "model.reassess": word("换用新模型，重新评估待审案件"),
    "rule.turn": word("开关规则"),
    "evidence.destroy": word("销毁证据文件"),
    "notice.draft": word("起草清单"),
    "notice.add": word("加入清单"),
    "notice.remove": word("移出清单"),
    "notice.disposition": word("选定处置"),
    "notice.flags": word("标明情形"),
    "notice.submit": word("提交复核"),
    "notice.approve": word("核准清单"),
    "notice.send_back": word("退回清单"),
    "notice.discard": word("作废草稿"),
    "notice.export": word("导出清单"),
    "case.export": word("导出检索结果"),
    "retention.purge": word("按期清除"),
    "policy.activate": word("启用策略"),
    "backup.make": word("备份"),
    "backup.restore": word("恢复备份"),
}
"""Acts of the audit log in words."""
SUBJECTS = {
    "user": word("账号"),
    "notice": word("清单"),
    "site": word("平台"),
    "policy": word("策略文件"),
    "cases": word("案件列表"),
}
"""What acts are done to."""

FAULTS = (
    *(word("条目缺失"), word("与前一条的摘要不相接"), word("内容与摘要不符"), word("末尾条目缺失或被替换")),
    word("与锚定文件不符"),
)
"""In which way the audit log can be broken, as casework says it."""

CASEWORK = (
    *(word("待二次确认"), word("已转公安"), word("转公安"), word("复议")),
    *(word("待审核"), word("已上报"), word("已确认"), word("已排除"), word("超出范围")),
    *(word("确认"), word("排除"), word("上报")),
    *(word("举报"), word("受害人通知"), word("行政通知附件")),
    *(word("起草中"), word("待复核"), word("已核准")),
    *(word("有害"), word("无害"), word("说不准"), word("看不下去")),
    *(word("审核员"), word("银发啄木鸟志愿者"), word("平台联络员"), word("组长"), word("专班值守"), word("管理员")),
)
"""Labels of the models, as casework writes them."""
DISPOSITIONS = (
    *(word("即时转公安，不入普通清单"), word("提示并采取保护性停止传输，不建议处罚账号")),
    *(word("停止传输，删除、屏蔽或断开链接，保存有关记录并报告"), word("移出专门面向未成年人的产品或专区")),
    *(word("撤出首屏、弹窗、热搜、榜单、推荐等醒目位置"), word("作出显著提示；未提示的不得传输")),
)
"""Remedies, as `config/decision_table.yaml` names them."""
ACTIONS = (
    *(word("查看案件"), word("查看最高等级（S0）案件"), word("查看涉性侵害专办案件"), word("审核案件")),
    *(word("处理上报案件"), word("查看志愿者意见汇总"), word("参与标注"), word("起草清单"), word("复核清单")),
    *(
        word("导出清单"),
        word("导出检索结果"),
        word("开关自动规则"),
        word("查看运行状态"),
        word("查看审计日志"),
        word("管理账号"),
    ),
)
"""What somebody may be allowed to do, as `casework.roles` calls it."""
ERRORS = (
    *(word("保存的搜索"), word("1 至 60 字"), word("先搜索或筛选，再保存")),
    *(word("最多保存 50 个搜索，请先删去不用的"), word("结果不超过 5000 件，请先缩小范围")),
    *(word("案件"), word("清单"), word("清单行"), word("账号")),
    *(word("确认时须选定一个类别"), word("须同时选定类别"), word("只能回答眼前的这一条")),
    *(word("查看涉及未成年人个人信息的内容须填写理由"), word("专办案件不留存任何文字"), word("文字已按期清除")),
    *(word("涉未成年人性侵害须上报，由专班值守确认"), word("只能撤销本人的最近一次决定")),
    *(word("撤销时限已过，文字已清除"), word("今天还没有可以撤回的回答"), word("这一条已由审核员处理，不能撤回")),
    *(word("只在“有害”之后选择类别"), word("起草人不能复核自己的清单，须由另一人复核")),
    *(word("至少一个已确认的案件"), word("已确认的案件"), word("尚未列入清单的案件"), word("至少一行")),
    *(word("每一行都符合处置对照表"), word("此行不得列入清单"), word("未被使用的名称"), word("账号已停用，须先启用")),
    *(word("字母、数字与 @ . + - _"), word("页面上列出的案件"), word("页面给出的版本号")),
    *(word("不超过 200 字"), word("不超过 500 字"), word("1 至 500 字"), word("不超过 150 字")),
    *(word("撤销时限已过，可另请人复议"), word("须填写理由"), word("上报时：lead、duty 或不填")),
    *(word("能处理本案的其他同事的工号"), word("规则"), word("新出现的副本自动归入已决定的案件，沿用其决定")),
    *(word("按处置对照表，此类情形不得列入清单"), word("尚未选定建议处置"), word("没有证据包")),
    word("信息URL以另一密钥封存，无法还原"),
)
"""Reasons and limits that casework's errors give."""
