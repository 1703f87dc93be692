"""sexual_exploitation: through the real parts, from file to index, its text is left nowhere.

The text is neutral, an invented word that a rule of this installation's own names, and a mark after it that stands in
the text alone (the rule itself is on record); another, ordinary word with a mark is planted beside it and must be found
wherever texts are kept, or the search would prove nothing.
"""

from __future__ import annotations

import json
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from benchmarks.captures import rows
from tests.servers.installations import Installation

PLANTED, ORDINARY = "独有标记甲乙丙丁戊", "平常标记己庚辛壬癸"
MARK, ORDINARY_MARK = "后缀子丑寅卯辰", "后缀巳午未申酉"
RULE = """\
category: {category}
author: tests
date: 2026-11-27
rules:
  - name: planted
    any: [{word}]
    strength: strong
    reason: an invented word
    examples: {{hit: [], miss: []}}
"""


def captures(folder: Path) -> Path:
    """Forty captures; in one stands the planted word, in one the ordinary."""
    file = folder / "captures.jsonl"
    lines = []
    for number, row in enumerate(rows(40, one_in=50, seed=3)):
        word = {7: PLANTED + MARK, 8: ORDINARY + ORDINARY_MARK}.get(number, "")
        lines.append(json.dumps(row | {"text": row["text"] + word}, ensure_ascii=False))
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def everything(here: Installation) -> Iterator[tuple[str, str]]:
    """Yield (place, content) of whatever this installation has written."""
    url = here.environment.get("WOODPECKER_DATABASE_URL")
    if url:
        with psycopg.connect(url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                yield f"table {table}", repr(connection.execute(f'SELECT * FROM "{table}"').fetchall())  # type: ignore[call-overload]
        broker = redis.Redis.from_url(here.environment["WOODPECKER_BROKER_URL"])
        for key in broker.scan_iter():
            yield f"broker {key!r}", repr(broker.dump(key))
        yield "index", _indexed(here)
    else:
        with sqlite3.connect(here.folder / "data" / "woodpecker.sqlite3") as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                yield f"table {table}", repr(connection.execute(f'SELECT * FROM "{table}"').fetchall())
    for path in (here.folder).rglob("*"):
        if path.is_file() and path.name != "captures.jsonl":
            yield f"file {path.name}", path.read_bytes().decode("utf-8", "replace")


def _indexed(here: Installation) -> str:
    address, index = (here.environment[f"WOODPECKER_{name}"] for name in ("ELASTICSEARCH_URL", "SEARCH_INDEX"))
    from elasticsearch import Elasticsearch

    with Elasticsearch(address) as client:
        client.indices.refresh(index=index)
        words = client.terms_enum(index=index, field="folded", string=MARK[:3])
        found = client.search(index=index, size=100)
    return json.dumps([found.body, words.body], ensure_ascii=False)


def holding(here: Installation, word: str) -> set[str]:
    escaped = word.encode("unicode_escape").decode("ascii")
    spellings = (word, escaped, escaped.replace("\\", "\\\\"), repr(word.encode())[2:-1])
    return {place for place, content in everything(here) if any(one in content for one in spellings)}


@pytest.mark.parametrize("mode", ["embedded", "services"])
def test_the_planted_text_is_in_no_table_index_message_file_log_export_nor_backup(
    install: Callable[..., Installation], tmp_path: Path, mode: str
) -> None:
    policy = tmp_path / "policy"
    (policy / "rules").mkdir(parents=True)
    for category, word in (("sexual_exploitation", PLANTED), ("illicit_ads", ORDINARY)):
        (policy / "rules" / f"{category}.yaml").write_text(RULE.format(category=category, word=word), "utf-8")
    here = install(mode, policy_dir=str(policy), log_level="DEBUG", audit_rate="0")
    here.start("work")
    assert here.run("ingest", str(captures(here.folder))).returncode == 0
    status = here.rest()
    here.stop()
    assert status["cases"]["total"] >= 2
    answers = [here.run(*one) for one in (("sweep", "--json"), ("audit", "list", "--json"), ("dead", "list", "--json"))]
    said = "".join(one.stdout + one.stderr for one in answers)
    assert here.run("backup", str(here.folder / "backup.tgz")).returncode == 0
    with tarfile.open(here.folder / "backup.tgz") as backup:
        backup.extractall(here.folder / "unpacked", filter="data")
    (here.folder / "said.txt").write_text(said, "utf-8")

    kept = holding(here, ORDINARY_MARK)
    assert {"table casework_case"} <= kept
    assert any(place.startswith("file") for place in kept)  # the unpacked backup
    assert ("index" in kept) == (mode == "services")
    assert holding(here, MARK) == set()
