"""Migrations that are interrupted, wherever that was, are done when they are run again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg
import pytest

from tests.servers.installations import ROOT, Installation

AGAIN_AND_AGAIN = """
import json
from workers import django; django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

def begin(migration, operations):
    # As a process does that is killed after so many operations.
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state(migration.dependencies)
    with connection.schema_editor(atomic=False) as editor:
        for operation in operations:
            before = state.clone()
            operation.state_forwards("casework", state)
            operation.database_forwards("casework", editor, before, state)

executor = MigrationExecutor(connection)
plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
online = []
for migration, _ in plan:
    if not migration.atomic:
        assert migration.app_label == "casework"
        online.append(migration.name)
        for done in range(len(migration.operations)):
            begin(migration, migration.operations[:done + 1])
    executor = MigrationExecutor(connection)
    executor.migrate([(migration.app_label, migration.name)])
django.migrate()
with connection.cursor() as cursor:
    indexes = set(connection.introspection.get_constraints(cursor, "casework_case"))
print(json.dumps([online, sorted(indexes)]))
"""


@pytest.mark.parametrize("mode", ["embedded", "services"])
def test_a_migration_without_a_transaction_may_be_interrupted_after_every_operation(
    install: Callable[..., Installation], mode: str
) -> None:
    environment = install(mode).environment
    done = subprocess.run(
        [sys.executable, "-c", AGAIN_AND_AGAIN],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    online, indexes = json.loads(done.stdout.splitlines()[-1])
    assert len(online) >= 3
    assert {"case_thread", "case_due", "case_counted", "case_newest"} <= set(indexes)
    assert "case_facets" not in indexes


def test_migrating_postgresql_is_killed_again_and_again_and_then_done(install: Callable[..., Installation]) -> None:
    here = install("services")
    address = here.environment["WOODPECKER_DATABASE_URL"]
    for wanted in (1, 20, 45):
        process = here.start("sweep")
        while _applied(address) < wanted and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.wait()
    before = _applied(address)

    done = here.run("sweep", "--json")

    assert done.returncode == 0, done.stderr
    assert 1 <= before <= _applied(address)
    assert here.status()["inbox"] == 0
    with psycopg.connect(address) as server:
        assert server.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def _applied(address: str) -> int:
    with psycopg.connect(address) as server:
        if server.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
            return 0
        row = server.execute("SELECT count(*) FROM django_migrations").fetchone()
    return int(row[0]) if row else 0
