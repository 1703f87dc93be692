"""The cases that captures must become, worked out without inbox, queue, worker or index, and what differs from them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elasticsearch import Elasticsearch, helpers

from benchmarks.system import Installation

EXPECTED = """
from workers import django; django.setup()
import json, sys
from casework import hits
from casework.policies import placement
from classifiers.cascade import load
from config.settings import get_settings
from crawlers.capture import Capture
from crawlers.redaction import redact_capture
key, assessor = get_settings().effective_redaction_key(), load()
found, total = {}, set()
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        captures = [redact_capture(Capture.model_validate_json(line), key=key) for line in file]
    total |= {one.id for one in captures}
    for start in range(0, len(captures), 1000):
        some = captures[start:start + 1000]
        for capture, assessment in zip(some, assessor.assess([one.text for one in some])):
            case = hits.case_of(capture, assessment, placement(capture.site, capture.section))
            if case is not None:
                found[capture.id] = [case.category, case.severity]
print(json.dumps({"captures": len(total), "cases": found}))
"""


@dataclass(frozen=True)
class Expected:
    """How many captures there are, and capture id → category and severity of those that become cases."""

    captures: int
    cases: dict[str, list[str]]


def expected(here: Installation, files: Sequence[Path]) -> Expected:
    """Assess the captures of these files in one process, with the policies of an installation."""
    done = subprocess.run(
        [sys.executable, "-c", EXPECTED, *map(str, files)],
        env=here.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Expected(**json.loads(done.stdout.splitlines()[-1]))


def differences(here: Installation, wanted: Expected) -> dict[str, int]:
    """Compare an installation at rest with what is expected; return what differs → how often, all 0 when it is right.

    Category and severity are compared where nobody has decided, since a decision may change them.
    """
    rows = here.query("SELECT id, capture_id, category, severity, version, copy_of_id, state FROM casework_case")
    found = {row[1]: row for row in rows}
    ((assessed, accepted),) = here.query("SELECT sum(assessed), sum(accepted) FROM casework_dailycount")
    own = {row[0]: row[4] for row in rows if row[5] is None}
    indexed = _indexed(here) if here.environment.get("WOODPECKER_ELASTICSEARCH_URL") else own
    return {
        "missing": len(wanted.cases.keys() - found.keys()),
        "additional": len(found.keys() - wanted.cases.keys()),
        "doubled": len(rows) - len(found),
        "other": sum(
            list(found[one][2:4]) != wanted.cases[one]
            for one in wanted.cases.keys() & found.keys()
            if found[one][6] == "open"
        ),
        "accepted": int(accepted or 0) - wanted.captures,
        "assessed": int(assessed or 0) - wanted.captures,
        "not in the index": len(own.keys() - indexed.keys()),
        "only in the index": len(indexed.keys() - own.keys()),
        "old in the index": sum(indexed[one] != own[one] for one in own.keys() & indexed.keys()),
    }


def _indexed(here: Installation) -> dict[int, int]:
    """Return case → version of what the index holds."""
    environment = here.environment
    with Elasticsearch(environment["WOODPECKER_ELASTICSEARCH_URL"].split(",")) as client:
        alias = environment["WOODPECKER_SEARCH_INDEX"]
        client.indices.refresh(index=alias)
        found = helpers.scan(client, index=alias, query={"version": True, "_source": False}, size=5000)
        return {int(one["_id"]): one["_version"] for one in found}
