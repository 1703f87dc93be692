"""Invented captures for load and fault runs: deterministic, one in `one_in` of them an advertisement to be flagged.

Each advertisement ends in characters drawn at random, so that no two are copies of each other and each becomes a case.

python -m benchmarks.captures 20000 > captures.jsonl
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator

from crawlers.capture import capture_id

SUBJECTS = [
    "今天的晚自习",
    "期末复习",
    "校园篮球赛",
    "新出的番剧",
    "家里的猫",
    "物理实验课",
    "食堂的新菜",
    "社团招新",
    "象棋残局",
]
REMARKS = [
    "让我印象很深",
    "比想象中有意思",
    "有点难但是学到了东西",
    "大家都说值得推荐",
    "想听听你们的看法",
    "和去年完全不同",
]
ADS = [
    "加微信领游戏点券，先到先得，编号{n}",
    "代练上分包赢，价格美丽，私聊下单{n}",
    "网赌平台注册就送彩金，稳赚不赔，{n}",
    "出租成年人账号，绕过防沉迷随便玩，{n}",
]
FILLER = "山水云风花鸟虫鱼松竹梅兰春夏秋冬江河湖海日月星辰晨昏晴雨霜雪雾露田园林泉石桥舟帆灯影琴棋书画"
FILLED = 24
"""Characters of filler: two advertisements of one kind then share a third of their pairs of characters."""


def rows(count: int, *, one_in: int = 20, seed: int = 7, site: str = "demo", section: str = "games") -> Iterator[dict]:
    """Yield `count` captures of a configured site, each with a text of its own."""
    dice = random.Random(seed)
    for number in range(count):
        if number % one_in == 0:
            text = f"{dice.choice(ADS).format(n=number)}。{''.join(dice.choices(FILLER, k=FILLED))}"
        else:
            text = f"{dice.choice(SUBJECTS)}{dice.choice(REMARKS)}，{dice.choice(SUBJECTS)}也是，第{number}楼。"
        url = f"http://127.0.0.1:8765/t/{number // 50}"
        unit = f"p{number}"
        yield {
            "id": capture_id(site, url, unit, text),
            "site": site,
            "platform_class": "forum_qa",
            "section": section,
            "url": url,
            "canonical_url": url,
            "unit": unit,
            "kind": "comment",
            "text": text,
            "captured_at": "2026-11-24T10:00:00+08:00",
            "thread": f"t{number // 50}",
            "position": number % 50,
            "method": "latest",
            "inclusion_probability": 1.0,
            "basis": "owner",
            "crawler": "silver-woodpecker/0.1.0",
        }


if __name__ == "__main__":
    for row in rows(int(sys.argv[1])):
        print(json.dumps(row, ensure_ascii=False))
