"""One way through all the roles, in a real browser, on a whole installation in either mode.

From a one-time link over the queue, a volunteer's answers and a list that two people stand behind, to the file that a
platform gets, opened and read back.
"""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from casework.notice_rows import COLUMNS
from crawlers.capture import capture_id
from demo.library import load
from tests.servers.installations import Installation

pytestmark = pytest.mark.browser
PASSWORD = "啄木鸟在老树上敲了三下"
SITE = """\
title: 柳树湾（测试）
class: forum_qa
basis: {kind: owner, document: 只在测试里有的平台}
sections:
  - {slug: kids, title: 小小班, kid_zone: true}
"""
NO_CRAWL = """\
title: 不采集
class: forum_qa
basis: {kind: owner, document: 测试时不采集演示平台}
enabled: false
sections:
  - {slug: kids, title: 儿童乐园}
"""


@dataclass
class House:
    """A running installation and its people, each in a browser of their own."""

    installation: Installation
    address: str
    open_page: Callable[..., Page]

    def enter(self, role: str, width: int = 1280, name: str = "") -> Page:
        """Add somebody, who sets a password through the one-time link and signs in."""
        name = name or role
        made = self.installation.run("user", "add", name, "--role", role, "--json")
        assert made.returncode == 0, made.stderr
        page = self.open_page(width=width)
        page.goto(json.loads(made.stdout.splitlines()[-1])["set_password_link"])
        page.get_by_label("新密码").fill(PASSWORD)
        page.get_by_label("再输一次").fill(PASSWORD)
        page.get_by_role("button", name="保存").click()
        page.get_by_label("用户名").fill(name)
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: "/sign-in/" not in url)
        return page


@pytest.fixture(params=["embedded", "services"])
def house(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    install: Callable[..., Installation],
    open_page: Callable[..., Page],
) -> House:
    """An installation with a few dozen captures, assessed and found by the search."""
    sites = tmp_path / "policies" / "sites"
    sites.mkdir(parents=True)
    (sites / "willow.yaml").write_text(SITE, "utf-8")
    (sites / "demo.yaml").write_text(NO_CRAWL, "utf-8")
    port = _free_port()
    installation = install(request.param, http_port=str(port), policy_dir=str(sites.parent), audit_rate="0")
    feed = tmp_path / "feed.jsonl"
    feed.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in captures()), "utf-8")
    for part in ("up",) if request.param == "embedded" else ("web", "work", "beat"):
        installation.start(part)
    taken = installation.run("ingest", str(feed))
    assert taken.returncode == 0, taken.stderr
    address = f"http://127.0.0.1:{port}"
    _await_health(address, installation)
    installation.rest()
    return House(installation, address, open_page)


def captures() -> Iterator[dict[str, Any]]:
    """Yield the invented texts of the demonstration as a platform's feed would bring them, some harmful, most not."""
    library = load()
    slugs = ("bullying", "gambling", "fraud_spending", "superstition_sales")
    harmful = [text for slug in slugs for text in library.harmful_replies[slug]]
    for number, text in enumerate([*harmful, *library.chatter[:30]]):
        url = f"https://willow.example/t/{number}"
        yield {
            "id": capture_id("willow", url, "1", text.text),
            **{"site": "willow", "platform_class": "forum_qa", "section": "kids"},
            **{"url": url, "canonical_url": url, "unit": "1", "kind": "comment", "text": text.text},
            **{"captured_at": "2026-11-20T08:30:00+08:00", "method": "feed", "basis": "owner", "crawler": "tests/1"},
        }


def test_from_the_link_to_the_file(house: House) -> None:
    numbers = _review(house.enter("reviewer"))
    _annotate(house.enter("volunteer", width=360))
    _list(house.enter("liaison"), house.enter("lead"), numbers)
    status = house.installation.rest()
    assert status["cases"]["by_state"]["confirmed"] == 2
    assert status["cases"]["by_state"]["escalated"] == 1
    assert status["search"]["documents"] == status["cases"]["total"]
    assert status["failed"] == 0


def _review(page: Page) -> list[str]:
    """Find, read and decide as a reviewer; returns the numbers of the two confirmed cases."""
    assert page.url.endswith("/queue/")
    page.get_by_role("link", name=re.compile("☐ 网络欺凌与开盒")).click()
    expect(page.locator(".row")).not_to_have_count(0)
    page.locator(".row").first.click()
    confirmed = []
    for _case in range(2):
        confirmed.append(_number(page))
        expect(page.locator("#text")).to_have_class(re.compile("is-masked"))
        _press(page, "v")
        expect(page.locator("#text")).not_to_have_class(re.compile("is-masked"))
        _press(page, "1")
        expect(page.locator(".message.success")).to_contain_text(f"{confirmed[-1]}：确认")
    dismissed = _number(page)
    page.get_by_role("button", name="排除").click()
    expect(page.locator(".message.success")).to_contain_text(f"{dismissed}：排除")
    _press(page, "z")
    expect(page.locator("h1")).to_contain_text(dismissed)
    expect(page.locator(".tag.state")).to_have_text("待审核")
    page.get_by_role("button", name="上报").click()
    expect(page.locator(".message.success")).to_contain_text(f"{dismissed}：上报")
    _press(page, "q")
    page.wait_for_url("**/queue/?category=bullying")
    for number in (*confirmed, dismissed):
        expect(page.get_by_text(number, exact=True)).to_have_count(0)
    page.goto(page.url.split("?")[0] + "?state=confirmed")
    for number in confirmed:
        expect(page.get_by_text(number, exact=True)).to_have_count(1)
    return confirmed


def _press(page: Page, key: str) -> None:
    """Press a key once the page is whole: before that its script does not listen."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def _number(page: Page) -> str:
    found = re.search(r"A-\d{6}", page.locator("h1").inner_text())
    assert found
    return found[0]


def _annotate(page: Page) -> None:
    """Answer as a volunteer: harmful with its kind, harmless, unsure, skip, and change the last one."""
    assert page.url.endswith("/volunteer/")
    _show(page)
    page.get_by_role("button", name="有害").click()
    page.locator(".choice").nth(1).click()
    for answer in ("无害", "说不准"):
        _show(page)
        page.get_by_role("button", name=answer).click()
    expect(page.locator("footer")).to_contain_text("今天您已看了 3 条")
    page.get_by_role("button", name="看不下去").click()
    expect(page.locator("footer")).to_contain_text("今天您已看了 4 条")
    page.get_by_role("button", name="上一条答错了").click()
    expect(page.locator("footer")).to_contain_text("今天您已看了 3 条")
    for telling in ("A-0", "%", "S1", "S2"):
        expect(page.locator("main")).not_to_contain_text(telling)


def _show(page: Page) -> None:
    expect(page.locator("h1")).to_have_text("这段话，孩子看了会受伤害吗？")
    covered = page.get_by_role("button", name="点这里，看这段话")
    if covered.count():
        covered.click()
    expect(page.locator("#said")).not_to_be_empty()


def _list(liaison: Page, lead: Page, numbers: list[str]) -> None:
    """Draft as a liaison, approve as a lead, export as both, and read the files back."""
    assert liaison.url.endswith("/notices/")
    liaison.locator(".tiles").get_by_role("link", name="建立清单").click()
    expect(liaison.locator("input[name=case]:checked")).to_have_count(2)
    liaison.locator("main").get_by_role("button", name="建立清单").click()
    expect(liaison.locator(".lines > li")).to_have_count(2)
    liaison.get_by_role("button", name="提交复核").click()
    expect(liaison.get_by_text("起草人不能核准自己的清单")).to_be_visible()
    expect(liaison.get_by_role("button", name="核准并封存")).to_have_count(0)

    assert lead.url.endswith("/lead/")
    lead.reload()
    expect(lead.locator(".numbers")).to_contain_text("1 清单待复核")
    expect(lead.locator(".parts .bad")).to_have_count(0)
    lead.goto(liaison.url)
    lead.get_by_role("button", name="核准并封存").click()
    manifest = lead.locator("code.hash").inner_text()

    liaison.reload()
    assert liaison.locator("code.hash").inner_text() == manifest
    sheet = openpyxl.load_workbook(io.BytesIO(_download(liaison, "导出 XLSX"))).worksheets[0]
    rows = [[str(value or "") for value in row] for row in sheet.iter_rows(values_only=True)]
    assert rows == list(csv.reader(io.StringIO(_download(lead, "导出 CSV").decode("utf-8-sig"))))
    sealed = json.loads(_download(lead, "导出 JSON"))
    assert manifest == sealed["manifest_sha256"]
    lines = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert list(lines[0]) == list(COLUMNS)
    assert len(lines) == len(numbers)
    for line in lines:
        assert line["信息URL"].startswith("https://willow.example/t/")
        assert "未成年人保护法" in line["法律依据"]
        assert re.fullmatch(r"[0-9a-f]{64}", line["SHA-256"])


def _download(page: Page, name: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    return Path(waiting.value.path()).read_bytes()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_health(address: str, installation: Installation, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
                assert json.load(answer)["status"] == "ok"
                return
        except OSError as error:
            if time.monotonic() > deadline:
                logs = "\n".join(path.read_text("utf-8")[-2000:] for path in installation.folder.glob("*.log"))
                raise TimeoutError(f"{address}/healthz: {error}\n{logs}") from error
            time.sleep(0.2)
