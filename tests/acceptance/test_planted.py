"""After a real crawl of a page that is full of personal data none of it is in any file, database or log."""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from tests.crawlers.site import Site
from tests.servers.installations import Installation

PLANTED = ["13800001234", "11010519000101001X", "6222000000000009", "abc_12345", "nobody@mail.example", "2345678901"]
WRITTEN = [
    "代练上分包赢，加微信 abc_12345 或打 13800001234",
    "代练上分包赢，电话 １３８ ００００ １２３４",
    "代练上分包赢，一三八零零零零一二三四",
    "代练上分包赢，1-3-8-0-0-0-0-1-2-3-4",
    "实名用 11010519000101001X，押金打到 6222 0000 0000 0009",
    "QQ 2345678901，邮箱 nobody@mail.example",
]
FORMS = [
    "13800001234",
    "１３８ ００００ １２３４",
    "一三八零零零零一二三四",
    "1-3-8-0-0-0-0-1-2-3-4",
    "6222 0000 0000 0009",
]
SITE = """
title: 测试站
class: forum_qa
basis: {{kind: owner, document: 本测试自己提供的页面}}
base_url: {url}
private_hosts_allowed: true
delay_seconds: 0
sections: [{{slug: all, title: 全部, start: [/page]}}]
crawl:
  thread: {{items: .post, key: "::attr(data-id)", text: .text}}
"""


def test_no_planted_number_is_in_any_file_database_or_log(install: Callable[..., Installation], tmp_path: Path) -> None:
    policies = tmp_path / "policies" / "sites"
    policies.mkdir(parents=True)
    key = Fernet.generate_key().decode()
    here = install("embedded", policy_dir=str(policies.parent), evidence_key=key)
    with Site() as site:
        posts = "".join(f"<div class=post data-id={n}><p class=text>{text}</p></div>" for n, text in enumerate(WRITTEN))
        site.pages["/page"] = f"<html><body>{posts}</body></html>"
        (policies / "planted.yaml").write_text(SITE.format(url=site.url), "utf-8")
        crawled = here.run("crawl", "planted", "--json")
        site.shutdown()
    assert crawled.returncode == 0, crawled.stderr
    here.start("work")
    status = here.rest(180)
    here.stop()

    assert status["assessed"] == len(WRITTEN)
    assert status["cases"]["total"] + status["cases"]["copies"] > 0
    assert list(here.folder.rglob("*.warc.gz.sealed"))
    files = [path for path in here.folder.rglob("*") if path.is_file()]
    for content in [crawled.stdout.encode(), crawled.stderr.encode(), *map(_read, files), *map(_dumped, files)]:
        for value in [*PLANTED, *FORMS]:
            for form in (value, value.encode("unicode_escape").decode("ascii")):
                assert form.encode() not in content


def _read(path: Path) -> bytes:
    """Return the bytes of a file, and what they are unpacked."""
    content = path.read_bytes()
    try:
        return content + gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return content


def _dumped(path: Path) -> bytes:
    """Return every value of a database, decoded."""
    if path.suffix != ".sqlite3":
        return b""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return "\n".join(database.iterdump()).encode()
