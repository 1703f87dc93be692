"""Bad input and failing parts: a clear message, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchmarks.captures import rows
from tests.servers.installations import Installation

Install = Callable[[str], Installation]


@pytest.fixture
def here(install: Install) -> Installation:
    return install("embedded")


def lines(*found: dict[str, Any] | bytes) -> bytes:
    return b"".join(
        one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in found
    )


def ingest(here: Installation, content: bytes, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Ingest a file with this content; return the exit code, the summary, and what was said."""
    file = here.folder / "captures.jsonl"
    file.write_bytes(content)
    done = here.run("ingest", str(file), "--json", *arguments)
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_every_kind_of_bad_row_is_named_and_the_good_rows_around_it_are_taken(here: Installation) -> None:
    good = list(rows(12))
    without = {key: value for key, value in good[8].items() if key != "captured_at"}
    content = lines(
        good[0],
        without,
        good[1] | {"text": "前\x00后"},
        json.dumps(good[2], ensure_ascii=False).encode("gb18030") + b"\n",
        good[3] | {"captured_at": "2026-11-24T10:00:00"},
        good[4] | {"site": "demmo"},
        b'{"id": "' + b"a" * 300_000 + b'"}\n',
        b"\x00\x00\x00\n",
        b"[]\n",
        good[5] | {"inclusion_probability": 1.4},
        good[6] | {"flags": ["kid_zone"] * 21},
        good[7],
    )
    code, summary, said = ingest(here, content)

    assert code == 3
    assert (summary["accepted"], summary["rejected"]) == (2, 10)
    for expected in (
        "line 2, field captured_at: found nothing; allowed: Field required",
        "line 3, field text: found a str; allowed: Value error, text holds a NUL character",
        "line 4, field (line): found a byte that is not UTF-8 at offset",
        "line 5, field captured_at: found '2026-11-24T10:00:00'; allowed: Input should have timezone info",
        "line 6, field site: found demmo; allowed: demo",
        "line 7, field (line): found more than 262144 bytes; allowed: a shorter line",
        "line 8, field (line): found not JSON",
        "line 9, field (line): found a JSON list; allowed: one JSON object",
        "line 10, field inclusion_probability: found 1.4",
        "line 11, field flags:",
    ):
        assert expected in said
    assert "前" not in said
    status = here.status()
    assert status["inbox"] == 2
    assert status["captures"] == {"accepted": 2, "duplicate": 0, "rejected": 10}


def test_a_line_of_a_hundred_megabytes_takes_little_memory_and_no_other_row(here: Installation) -> None:
    first, last = rows(2)
    file = here.folder / "long.jsonl"
    with file.open("wb") as out:
        out.write(lines(first) + b'{"text": "')
        for _ in range(100):
            out.write(b"a" * 1_000_000)
        out.write(b'"}\n' + lines(last))
    here.run("status")

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (600_000_000, 600_000_000))

    done = here.run("ingest", str(file), "--json", preexec_fn=little)

    assert done.returncode == 3, done.stderr
    assert "line 2, field (line): found more than 262144 bytes" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["accepted"] == 2


def test_a_directory_as_input_changes_nothing(here: Installation) -> None:
    done = here.run("ingest", str(here.folder), "--json")
    assert done.returncode == 2
    assert f"{here.folder}: Is a directory" in done.stderr
    assert "Is a directory" in json.loads(done.stdout)["error"]


POLICY = """\
title: 东校论坛
class: forum_qa
basis: {kind: owner, document: 校方同意}
base_url: https://forum.example/
sections: [{slug: talk, title: 闲谈, start: [/]}]
extends: isso
"""


def test_wrong_policies_are_named_with_file_line_and_what_is_allowed(here: Installation) -> None:
    changes = {
        "syntax": ("sections: [", "sections: [["),
        "class": ("class: forum_qa", "class: forum_qq"),
        "basis": ("basis: {kind: owner, document: 校方同意}\n", ""),
        "category": ("extends:", "overrides: [{category: bullyng, value: 0.4, reason: 多}]\nextends:"),
        "threshold": ("extends:", "overrides: [{category: bullying, value: 1.4, reason: 多}]\nextends:"),
        "reason": ("extends:", "overrides: [{category: bullying, value: 0.4}]\nextends:"),
    }
    for name, change in changes.items():
        assert change[0] in POLICY
        (here.folder / f"{name}.yaml").write_text(POLICY.replace(*change), "utf-8")
    done = here.run("config", "check", *(str(here.folder / f"{name}.yaml") for name in changes), "--json")
    assert done.returncode == 2
    said = {name: [one for one in done.stderr.splitlines() if f"/{name}.yaml" in one] for name in changes}
    assert "syntax.yaml:6" in said["syntax"][0]
    assert "class.yaml:2" in said["class"][0]
    assert "forum_qa" in said["class"][0]
    assert "basis" in said["basis"][0]
    assert "bullying" in said["category"][0]
    assert "1.4" in said["threshold"][0]
    assert "reason" in said["reason"][0]
    assert len(json.loads(done.stdout)["problems"]) >= len(changes)


def test_a_policy_that_breaks_stops_its_own_site_only(here: Installation) -> None:
    sites = here.folder / "policy" / "sites"
    sites.mkdir(parents=True)
    (sites / "east.yaml").write_text("title: [", "utf-8")
    here.environment["WOODPECKER_POLICY_DIR"] = str(sites.parent)
    mine, other = next(rows(1, site="east", section="talk")), next(rows(1))

    code, summary, said = ingest(here, lines(mine, other))

    assert (code, summary["accepted"], summary["rejected"]) == (3, 1, 1)
    assert "see `woodpecker config check east`" in said
    assert here.run("crawl", "east").returncode == 2


RULES = """\
category: gambling
author: 巡查组
date: 2026-11-24
rules:
  - {name: invented, any: [榕树下见面词], strength: certain, reason: 试验}
"""


def test_workers_that_start_while_the_word_rules_are_wrong_go_on_with_the_last_right_ones(here: Installation) -> None:
    file = here.folder / "policy" / "rules" / "ours.yaml"
    file.parent.mkdir(parents=True)
    here.environment["WOODPECKER_POLICY_DIR"] = str(file.parent.parent)
    wrong = RULES.replace("certain", "sure")
    texts = [one | {"text": f"{one['text']}，榕树下见面词"} for one in rows(3)]

    file.write_text(wrong, "utf-8")
    code, summary, said = ingest(here, lines(texts[0]))
    assert (code, f"{file}:5: rule invented, rules.0.strength: found 'sure'; allowed: " in said) == (2, True), said
    assert "ours.yaml:5" in summary["error"]
    assert here.run("work").returncode == 2
    assert here.status()["inbox"] == 0

    file.write_text(RULES, "utf-8")
    here.start("work")
    assert ingest(here, lines(texts[0]))[0] == 0
    first = here.until(lambda status: status["cases"]["total"] == 1)
    here.stop()

    file.write_text(wrong, "utf-8")
    here.start("work")
    assert ingest(here, lines(texts[1]))[0] == 0
    then = here.until(lambda status: status["cases"]["total"] == 2 and "rules/" in status["wrong_policies"])
    assert "rules/ours.yaml:5" in then["wrong_policies"]["rules/"][0]
    assert then["model"] == first["model"]


@pytest.fixture
def full_disk(here: Installation, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Options under which a command has no room: a small disk as its data folder, or a limit on its files."""
    here.run("status")
    data = Path(here.environment["WOODPECKER_DATA_DIR"])
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)]
    if shutil.which("mount") and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            shutil.copytree(data, small / "data")
            here.environment["WOODPECKER_DATA_DIR"] = str(small / "data")
            yield {}
        finally:
            subprocess.run(["umount", "--lazy", str(small)], check=True)
        return

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    yield {"preexec_fn": no_room}


def test_a_full_disk_is_named_and_the_same_command_finishes_when_there_is_room(
    here: Installation, full_disk: dict[str, Any], tmp_path: Path
) -> None:
    file = here.folder / "captures.jsonl"
    file.write_bytes(lines(*rows(6000)))

    done = here.run("ingest", str(file), "--json", **full_disk)

    assert done.returncode == 1, done.stdout
    summary = json.loads(done.stdout.splitlines()[-1])
    assert 0 < summary.get("accepted", 0) < 6000, done.stderr
    assert f"{summary['accepted']} captures are safe; run the same command again" in done.stderr
    assert "disk" in done.stderr

    roomy = here.folder / "roomy"
    shutil.copytree(here.environment["WOODPECKER_DATA_DIR"], roomy)
    here.environment["WOODPECKER_DATA_DIR"] = str(roomy)
    again = here.run("ingest", str(file), "--json")
    assert again.returncode == 0, again.stderr
    summary_again = json.loads(again.stdout.splitlines()[-1])
    assert summary_again["accepted"] + summary["accepted"] == 6000
    assert here.status()["inbox"] == 6000


def test_a_data_folder_that_cannot_be_written_is_named(here: Installation) -> None:
    file = here.folder / "a-file"
    file.write_text("")
    here.environment["WOODPECKER_DATA_DIR"] = str(file / "data")
    done = here.run("status", "--json")
    assert done.returncode == 1
    assert "WOODPECKER_DATA_DIR names another" in done.stderr
    assert "WOODPECKER_DATA_DIR" in json.loads(done.stdout)["error"]


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"DATABASE_URL": "mysql://x", "HTTP_PORT": "x"}, 2, "WOODPECKER_DATABASE_URL: Value error, must start with"),
        ({"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, 2, "WOODPECKER_SECRET_KEY is required"),
        (
            {"DATABASE_URL": "postgresql://x:hush@127.0.0.1:1/x", "SECRET_KEY": "k" * 50},
            1,
            "the database cannot be used (services mode): connection failed",
        ),
    ],
)
def test_a_wrong_setting_or_an_absent_database_is_named(
    here: Installation, settings: dict[str, str], code: int, said: str
) -> None:
    here.environment |= {f"WOODPECKER_{name}": value for name, value in settings.items()}
    done = here.run("sweep", "--json")
    assert done.returncode == code
    assert said in done.stderr
    assert json.loads(done.stdout)["error"]
    assert "hush" not in done.stderr + done.stdout


def test_an_elasticsearch_that_is_away_at_the_start_loses_nothing(install: Install) -> None:
    here = install("services")
    there = here.environment["WOODPECKER_ELASTICSEARCH_URL"]
    here.environment["WOODPECKER_ELASTICSEARCH_URL"] = "http://elastic:hush@127.0.0.1:1"
    code, _, said = ingest(here, lines(*rows(400, one_in=2)))
    assert code == 0, said

    here.start("work")
    status = here.until(lambda status: status["inbox"] == 0)
    assert status["cases"]["total"] + status["cases"]["copies"] >= 200
    assert "does not answer" in status["search"]["error"]
    swept = here.run("sweep", "--json")
    assert swept.returncode == 3
    assert "127.0.0.1:1 does not answer" in swept.stderr
    assert here.run("reindex").returncode == 1
    assert "hush" not in here.log("work") + swept.stderr + json.dumps(status)
    here.stop()

    here.environment["WOODPECKER_ELASTICSEARCH_URL"] = there
    assert here.run("reindex").returncode == 0
    at_rest = here.status()
    assert at_rest["search"]["documents"] == at_rest["cases"]["total"]
    assert at_rest["search"]["behind"] == 0


def test_a_database_that_goes_in_the_middle_is_named_and_the_file_can_be_ingested_again(install: Install) -> None:
    here = install("services")
    here.run("status")
    content = lines(*rows(4000))
    file = here.folder / "captures.jsonl"
    file.write_bytes(content)
    with psycopg.connect(here.environment["WOODPECKER_DATABASE_URL"], autocommit=True) as connection:
        command = here.start("ingest", str(file), "--json")
        while connection.execute("SELECT count(*) FROM casework_batch").fetchone() == (0,):
            assert command.poll() is None
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert command.wait(60) == 1
    assert "captures are safe; run the same command again" in here.log("ingest")
    done = here.run("ingest", str(file), "--json")
    assert done.returncode == 0
    assert here.status()["inbox"] == 4000
