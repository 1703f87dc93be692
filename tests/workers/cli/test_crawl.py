"""`woodpecker crawl`, run as people run it, against a site that the test serves."""

from __future__ import annotations

import io
import itertools
import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from warcio.archiveiterator import ArchiveIterator

from config.sealing import opened
from crawlers.evidence import Keys, unseal
from tests.crawlers.conftest import forum, site  # noqa: F401 - fixtures
from tests.crawlers.forum import listed, post
from tests.crawlers.site import Reply, Site
from tests.crawlers.test_kills import ROOT, site_file

Forum = Callable[..., None]
Crawl = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "workers", "crawl"]


@pytest.fixture
def served(site: Site, forum: Forum) -> Site:  # noqa: F811
    """A small forum."""
    forum({"t1": ["一", "二"], "t2": ["三"]})
    return site


@pytest.fixture
def crawl(tmp_path: Path) -> Crawl:
    """Run the command in a data folder of its own."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
            env=environment_of(tmp_path) | environment,
        )  # fmt: skip

    return run


def environment_of(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WOODPECKER_")}
    return kept | {"WOODPECKER_DATA_DIR": str(folder / "data"), "COLUMNS": "100"}


def summary(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_captures_go_into_a_file_and_a_second_run_adds_nothing(served: Site, crawl: Crawl, tmp_path: Path) -> None:
    output = tmp_path / "captures.jsonl"
    first = crawl(site_file(served, tmp_path), "-o", output, "--json")
    second = crawl(site_file(served, tmp_path), "-o", output)

    assert (first.returncode, second.returncode, first.stderr) == (0, 0, "")
    assert (summary(first)["captures"], summary(first)["requests"]) == (5, 4)
    assert second.stdout.startswith("test: 0 captures from 1 pages")
    assert [json.loads(line)["text"] for line in output.read_text("utf-8").splitlines()].count("三") == 1


def planted(seed: int) -> list[str]:
    """Numbers of telephones, each another."""
    draw = random.Random(seed)
    return [f"1{draw.choice('3456789')}{draw.randrange(10**9):09}" for _ in range(24)]


def put_planted(site: Site, numbers: list[str]) -> None:  # noqa: F811
    """A forum with numbers in titles, texts, addresses of threads and pages, and headers."""
    threads = [numbers[n : n + 4] for n in range(0, len(numbers), 4)]
    site.pages["/list"] = Reply(
        "".join(listed(f"k{n}", f"/t/call-{one[0]}/{n}", 2) for n, one in enumerate(threads))
        + "".join(f"<p>{one[1]}</p>" for one in threads),
        headers={"Link": f"</t/{numbers[0]}>; rel=next"},
    )
    for n, (title, first, second, user) in enumerate(threads):
        path = f"/t/call-{title}/{n}"
        spoken = "".join("〇一二三四五六七八九"[int(figure)] for figure in second)
        site.pages[path] = (
            post(f"{n}-1", f"打 {first} 找我") + f'<a class=next href="{path}?user_name={user}&page=2">2</a>'
        )
        site.pages[f"{path}?user_name={user}&page=2"] = post(
            f"{n}-2", f"加微信 {spoken}，{second[:3]}-{second[3:7]}-{second[7:]}"
        )


@pytest.mark.parametrize("into_file", [True, False], ids=["file", "inbox"])
def test_no_planted_number_survives_in_any_file_database_or_log_of_a_run(
    site: Site,  # noqa: F811
    crawl: Crawl,
    tmp_path: Path,
    into_file: bool,
) -> None:
    numbers, key, folder = planted(7), Fernet.generate_key().decode(), tmp_path / "site"
    put_planted(site, numbers)
    folder.mkdir()
    own, output = site_file(site, folder), tmp_path / "captures.jsonl"
    environment = {"WOODPECKER_EVIDENCE_KEY": key, "WOODPECKER_REDACTION_KEY": "only-for-tests"}
    where = ["-o", output, "--state", tmp_path / "state"] if into_file else []
    done = crawl(own, *where, "--json", **environment)
    again = crawl(own, *where, "--json", **environment)

    assert (done.returncode, summary(done)["captures"], summary(again)["captures"]) == (0, 18, 0), done.stderr
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and folder not in path.parents}
    said = {Path("output"): (done.stdout + done.stderr + again.stdout + again.stderr).encode()}
    assert any(path.name.endswith(".sealed") for path in written)
    assert {path.name: number for number in numbers for path, content in (written | said).items()
            if number.encode() in content} == {}  # fmt: skip
    if into_file:
        rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
        sealed = [row["evidence"] for row in rows if row["kind"] != "title"]
        assert any(numbers[1].encode() in gunzipped(unseal(tmp_path / "captures.jsonl.evidence", one, Keys.of(key)))
                   for one in sealed)  # fmt: skip
        assert any(numbers[0] in opened(row["sealed_url"], b"only-for-tests") for row in rows)


def gunzipped(record: bytes) -> bytes:
    return b"".join(part.content_stream().read() for part in ArchiveIterator(io.BytesIO(record)))


def test_without_a_key_none_is_kept_beside_the_captures_and_that_is_said(
    served: Site, crawl: Crawl, tmp_path: Path
) -> None:
    output = tmp_path / "captures.jsonl"
    done = crawl(site_file(served, tmp_path), "-o", output)
    assert "no responses are kept beside the captures" in done.stderr
    assert not (tmp_path / "captures.jsonl.evidence").exists()
    assert all(json.loads(line)["evidence"] is None for line in output.read_text("utf-8").splitlines())


def test_captures_on_standard_output_are_not_mixed_with_words(served: Site, crawl: Crawl, tmp_path: Path) -> None:
    done = crawl(site_file(served, tmp_path), "-o", "-", "--limit", 2)

    assert [json.loads(line)["site"] for line in done.stdout.splitlines()] == ["test", "test"]
    assert "2 captures" in done.stderr
    assert "stopped early: limit of 2 captures" in done.stderr


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["demoo", "-o", "x.jsonl"], "found 'demoo'; allowed: demo. Did you mean 'demo'?"),
        (["{folder}/broken.yaml", "-o", "x.jsonl"], "(syntax)"),
        (["{site}", "-o", "{folder}/absent/x.jsonl"], "cannot be written: No such file or directory"),
        (["{site}", "-o", "{site}"], "holds something that is no capture"),
        (["{site}", "-o", "-", "--state", "{folder}/broken.yaml"], "broken.yaml cannot be used"),
        (["{folder}/outside.yaml", "-o", "-"], "WOODPECKER_CRAWLER_CONTACT: found nothing"),
        (["{folder}/import.yaml", "-o", "-"], "its policy says nothing to crawl (basis import)"),
    ],
)
def test_a_wrong_call_asks_nothing_of_the_site(
    served: Site, woodpecker: Any, tmp_path: Path, call: list[str], message: str
) -> None:
    policy = site_file(served, tmp_path)
    text = policy.read_text("utf-8")
    (tmp_path / "broken.yaml").write_text("title: [")
    (tmp_path / "outside.yaml").write_text(text.replace('"private_hosts_allowed": true', '"enabled": true'))
    (tmp_path / "import.yaml").write_text(
        text.replace('"kind": "owner"', '"kind": "import"').replace('"delay_seconds": 0, ', "")
    )

    done = woodpecker("crawl", *(part.format(site=policy, folder=tmp_path) for part in call), "--json")

    assert done.code == 2
    assert message in done.err
    assert message in done.json["error"]
    assert served.log == []


def test_a_name_that_leads_to_a_private_address_is_refused_when_connecting() -> None:
    """The gate looks a name up before it asks; the resolver looks again when it connects."""
    from crawlers.resolver import PrivateAddress, _checked

    with pytest.raises(PrivateAddress, match=r"host forum\.example has the private address 10\.0\.0\.1"):
        _checked("10.0.0.1", "forum.example")
    assert _checked("1.1.1.1", "forum.example") == "1.1.1.1"


def test_what_failed_is_told_and_ends_with_3(served: Site, crawl: Crawl, tmp_path: Path) -> None:
    served.pages["/t/t1"] = Reply("", 500)
    served.pages["/t/t2"] = "<p>别的版式</p>"
    done = crawl(site_file(served, tmp_path), "-o", "-")

    assert done.returncode == 3
    assert "test: 1 × answered 500" in done.stderr
    assert "nothing was found on 1 pages: they are empty, or the recipe's `items` does not fit" in done.stderr


def test_a_site_that_turns_us_away_ends_with_1(served: Site, crawl: Crawl, tmp_path: Path) -> None:
    served.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /\n", headers={"Content-Type": "text/plain"})
    done = crawl(site_file(served, tmp_path), "-o", "-")

    assert (done.returncode, "1 × robots.txt disallows it" in done.stderr) == (1, True)


def test_a_full_disk_is_told_without_a_traceback(served: Site, crawl: Crawl, tmp_path: Path) -> None:
    done = crawl(site_file(served, tmp_path), "-o", "/dev/full")

    assert done.returncode == 1
    assert (
        done.stderr.strip() == "test: captures cannot be kept: the disk is full; what was written is whole, run again"
    )


def test_captures_without_an_output_go_into_the_inbox(served: Site, crawl: Crawl, tmp_path: Path) -> None:
    done = crawl(site_file(served, tmp_path), "--json")
    status = subprocess.run(
        [sys.executable, "-m", "workers", "status", "--json"], cwd=ROOT, env=environment_of(tmp_path),
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert summary(status)["inbox"] == 5


def test_a_terminal_shows_how_far_it_is(served: Site, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [*COMMAND, str(site_file(served, tmp_path)), "-o", str(tmp_path / "captures.jsonl")]
    environment = environment_of(tmp_path) | {"TERM": "xterm"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=follower) as process:
        os.close(follower)
        shown = b""
        while process.poll() is None or shown[-1:]:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break
            shown += piece
    os.close(leader)

    assert "1 sites, 3 pages, 5 captures" in shown.decode("utf-8", "replace")
    assert "测试站" in shown.decode("utf-8", "replace")


def test_a_site_whose_pages_changed_turns_amber_in_the_status_and_back(
    site: Site,  # noqa: F811
    forum: Forum,  # noqa: F811
    crawl: Crawl,
    tmp_path: Path,
) -> None:
    threads = {f"t{n}": ["一"] for n in range(12)}
    forum(threads, threads_per_page=20)
    policy = site_file(site, tmp_path)
    for _ in range(2):
        assert crawl(policy).returncode == 0
    page = str(site.pages["/list"])
    site.pages["/list"] = page.replace("class=thread", "class=row")

    done = crawl(policy, "--json")
    assert done.returncode == 3
    assert "test: amber since" in done.stderr
    assert "`woodpecker site try test` shows what it finds" in done.stderr
    assert summary(done)["amber"][0]["what"] == "0.0 threads on a list page, usually 12.0"

    def status(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "workers", "status", *options]
        return subprocess.run(
            command, cwd=ROOT, env=environment_of(tmp_path), capture_output=True, text=True, check=True
        )

    assert "amber test: 0.0 threads on a list page, usually 12.0" in status().stdout
    assert summary(status("--json"))["sites"]["amber"][0]["site"] == "test"
    site.pages["/list"] = page
    assert crawl(policy).returncode == 0
    assert summary(status("--json"))["sites"]["amber"] == []


@pytest.fixture
def two_sites(served: Site, tmp_path: Path) -> list[Path]:
    """Two site files of one server, whose requests are a fifth of a second apart."""
    values = json.loads(site_file(served, tmp_path).read_text("utf-8")) | {"delay_seconds": 0.2}
    for name in ("east", "west"):
        (tmp_path / f"{name}.yaml").write_text(json.dumps(values), "utf-8")
    return [tmp_path / "east.yaml", tmp_path / "west.yaml"]


def test_several_sites_are_read_in_one_process_and_each_has_its_report(
    served: Site, two_sites: list[Path], crawl: Crawl, tmp_path: Path
) -> None:
    output = tmp_path / "captures.jsonl"
    done = crawl(*two_sites, "-o", output, "--json")
    told = crawl(*two_sites, "-o", output)

    assert (done.returncode, done.stderr) == (0, "")
    assert summary(done)["captures"] == 10
    assert [(one["site"], one["captures"], one["stopped_early"]) for one in summary(done)["sites"]] == [
        ("east", 5, ""), ("west", 5, "")
    ]  # fmt: skip
    assert re.search(r"east +│ 1 +│ 1 +│ 0 ", told.stdout)
    assert {json.loads(line)["site"] for line in output.read_text("utf-8").splitlines()} == {"east", "west"}
    # one domain: the two took turns
    assert min(after.at - before.answered for before, after in itertools.pairwise(served.log)) >= 0.198


def test_the_first_site_is_read_before_the_last_one_is_set_up_and_an_interrupt_begins_none(
    served: Site, tmp_path: Path
) -> None:
    values = json.loads(site_file(served, tmp_path).read_text("utf-8")) | {"delay_seconds": 0}
    files = [tmp_path / f"site{n}.yaml" for n in range(60)]
    for file in files:
        file.write_text(json.dumps(values), "utf-8")
    command = [*COMMAND, "--state", str(tmp_path / "state"), "-o", "/dev/null", "--json", *map(str, files)]
    with subprocess.Popen(command, cwd=ROOT, env=environment_of(tmp_path), stdout=subprocess.PIPE) as running:
        while not served.log:
            time.sleep(0.002)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=60)

    sites = json.loads(said.splitlines()[-1])["sites"]
    assert [one["site"] for one in sites] == [file.stem for file in files]
    ended = [one["stopped_early"] for one in sites]
    assert not ended[0]
    assert ended[-1] == "interrupted before it began"


def test_two_processes_take_turns_at_one_domain(served: Site, two_sites: list[Path], tmp_path: Path) -> None:
    command = [*COMMAND, "--state", str(tmp_path / "state"), "-o", "/dev/null"]
    running = [
        subprocess.Popen([*command, str(file)], cwd=ROOT, env=environment_of(tmp_path), stdout=subprocess.DEVNULL)
        for file in two_sites
    ]
    assert [process.wait(60) for process in running] == [0, 0]

    assert len(served.asked()) == 6
    assert max(one.in_flight for one in served.log) == 1
    assert min(after.at - before.answered for before, after in itertools.pairwise(served.log)) >= 0.198


def test_a_site_that_fails_does_not_hold_up_the_others(
    served: Site, two_sites: list[Path], crawl: Crawl, tmp_path: Path
) -> None:
    from crawlers.state import State

    held = State(tmp_path / "state", "east")
    done = crawl(*two_sites, "-o", "-", "--json", "--state", tmp_path / "state")
    held.close()

    assert done.returncode == 3
    assert "east: another crawl of east is using" in done.stderr
    assert [(one["captures"], "error" in one) for one in summary(done)["sites"]] == [(0, True), (5, False)]


def test_all_means_every_configured_site_that_is_on_and_wrong_ones_are_named(
    served: Site, two_sites: list[Path], crawl: Crawl, tmp_path: Path
) -> None:
    folder = tmp_path / "policies" / "sites"
    folder.mkdir(parents=True)
    east = json.loads(two_sites[0].read_text("utf-8"))
    off = east | {"enabled": False}
    for name, values in {"east": east, "off": off, "wrong": {"title": 5}, "demo": off}.items():
        (folder / f"{name}.yaml").write_text(json.dumps(values), "utf-8")
    done = crawl("--all", "-o", "-", "--json", WOODPECKER_POLICY_DIR=str(tmp_path / "policies"))

    assert done.returncode == 3
    assert [(one["site"], one["captures"]) for one in summary(done)["sites"]] == [("east", 5), ("wrong", 0)]
    assert "wrong: " in done.stderr


@pytest.mark.parametrize("call", [[], ["demo", "--all"], ["--site", "demo"]])
def test_a_call_that_names_no_site_or_too_many_is_told(woodpecker: Any, call: list[str]) -> None:
    done = woodpecker("crawl", *call, "-o", "-")

    assert (done.code, "SITE: found" in done.err) == (2, True)
