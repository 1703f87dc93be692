"""Migrations that are interrupted, wherever that was, are done when they are run again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection, transaction

from casework import online
from tests.casework.threads import at_once
from tests.servers.installations import ROOT, Installation

AGAIN_AND_AGAIN = """
import json
from workers import django; django.setup()
from django.db import connection
from django.utils import timezone
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

def make_cases():
    # One that the index held, one that it held as it was before, one that it did not hold.
    executor = MigrationExecutor(connection)
    Case = executor.loader.project_state(("casework", "0020_gravest_index")).apps.get_model("casework", "Case")
    for number, (held, seen) in enumerate([(2, now), (1, now), (0, None)]):
        values = {"version": 2, "indexed_version": held, "visible_at": seen, "captured_at": now, "score": 0.5}
        Case.objects.create(capture_id=str(number), **values)

now = timezone.now()
executor = MigrationExecutor(connection)
plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
online = []
for migration, _ in plan:
    if migration.name == "0021_outbox":
        make_cases()
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
    columns = {one.name for one in connection.introspection.get_table_description(cursor, "casework_case")}
    cursor.execute("SELECT c.capture_id FROM casework_outbox o JOIN casework_case c ON c.id = o.case_id ORDER BY 1")
    behind = [row[0] for row in cursor.fetchall()]
    cursor.execute("SELECT c.capture_id FROM casework_visible v JOIN casework_case c ON c.id = v.case_id ORDER BY 1")
    visible = [row[0] for row in cursor.fetchall()]
print(json.dumps([online, sorted(indexes), sorted(columns), behind, visible]))
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
    names, indexes, columns, behind, visible = json.loads(done.stdout.splitlines()[-1])
    assert len(names) >= 3
    assert {"case_thread", "case_due", "case_counted", "case_newest"} <= set(indexes)
    assert not {"case_facets", "case_behind"} & set(indexes)
    assert not {"indexed_version", "visible_at"} & set(columns)
    assert (behind, visible) == (["1", "2"], ["0", "1"])


@pytest.mark.modes
@pytest.mark.django_db(transaction=True)
def test_a_change_that_needs_a_table_for_itself_lets_others_go_first_and_is_then_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection.vendor == "sqlite":  # it has one writer: nobody queues
        return
    monkeypatch.setattr(online, "PATIENCE_SECONDS", 0.1)
    held, tried = threading.Event(), list[bool]()

    def change() -> None:
        tried.append(True)
        with connection.cursor() as cursor:
            cursor.execute("COMMENT ON TABLE casework_switch IS 'rules'")

    def hold(number: int) -> None:
        if number:
            held.wait()
            online._at_once(connection, change)
            return
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE casework_switch IN ACCESS EXCLUSIVE MODE")
            held.set()
            deadline = time.monotonic() + 20
            while len(tried) < 2 and time.monotonic() < deadline:
                time.sleep(0.05)

    at_once(2, hold)
    assert len(tried) >= 2
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


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
