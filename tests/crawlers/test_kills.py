"""A crawl that is killed goes on where it was: nothing is lost, nothing stands twice in its file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.crawlers.forum import HTML_RECIPE
from tests.crawlers.site import Query, Reply, Site

ROOT = Path(__file__).resolve().parents[2]


def test_a_crawl_killed_again_and_again_ends_like_an_undisturbed_one(
    site: Site, forum: Callable[..., None], tmp_path: Path
) -> None:
    forum({f"t{n}": [f"第 {n} 帖第 {m} 层" for m in range(8)] for n in range(6)}, threads_per_page=3)
    policy = site_file(site, tmp_path)
    output = tmp_path / "captures.jsonl"
    for fatal in (3, 9):
        with crawl(policy, output) as process:
            kill_at_request(site, fatal, process)
            process.wait(30)
    with crawl(policy, output) as process:
        assert process.wait(60) == 0

    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert len(rows) == len({row["id"] for row in rows}) == 6 * 9
    asked = site.asked()
    repeated = len(asked) - len(set(asked))
    # the page under way, and the list pages and threads that were not read to their end
    assert repeated <= 2 * 5


def crawl(policy: Path, output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "workers", "crawl", str(policy), "-o", str(output)]
    environment = os.environ | {"WOODPECKER_DATA_DIR": str(policy.parent)}
    return subprocess.Popen(
        [*command, "--state", str(policy.parent / "state")],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def kill_at_request(site: Site, number: int, process: subprocess.Popen[bytes]) -> None:
    """Kill the crawl with -9 while its `number`-th request from now is under way."""
    count = 0
    pages = dict(site.pages)

    def counted(path: str) -> Callable[[Query], Reply]:
        def page(_: Query) -> Reply:
            nonlocal count
            count += 1
            if count == number:
                process.send_signal(signal.SIGKILL)
            found = pages[path]
            return found if isinstance(found, Reply) else Reply(str(found))

        return page

    with site.lock:
        site.pages.update({path: counted(path) for path in pages if path != "/robots.txt"})
    process.wait(30)
    with site.lock:
        site.pages.update(pages)


def site_file(site: Site, folder: Path) -> Path:
    """Write the policy of a site; JSON is YAML."""
    path = folder / "test.yaml"
    values = {
        "title": "测试站",
        "class": "forum_qa",
        "basis": {"kind": "owner", "document": "本测试自己提供的页面"},
        "base_url": site.url,
        "private_hosts_allowed": True,
        "delay_seconds": 0,
        "sections": [{"slug": "all", "title": "全部", "start": ["/list"]}],
        "crawl": HTML_RECIPE,
    }
    path.write_text(json.dumps(values, ensure_ascii=False), "utf-8")
    return path
