"""Putting a backup in place of what stands here; what stood here is kept, so that it can be taken back."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from casework import anchors, audit, status
from casework.backups import (
    ANCHORS,
    CHUNK,
    DATABASE,
    FILES,
    KEY,
    TABLES,
    BackupError,
    Manifest,
    listed,
    make,
    quoted,
    stored,
    unpack,
)
from casework.models import AuditEntry, Batch, Case, Heartbeat, Outbox, User
from casework.search import get_search, outbox
from config.settings import get_settings


@dataclass(frozen=True)
class Restored:
    """What was put back, and where what stood here before was kept (None: there was nothing)."""

    manifest: Manifest
    kept: Path | None


def restore(path: Path, *, replace: bool = False) -> Restored:
    """Put a backup in place of this installation's database, files and key.

    Every other part must be stopped. What stood here before is kept as a backup in the data folder. Afterwards the
    database is brought to this program's migration, every case is behind in the index, and what waits is sent again.

    Args:
        path: the backup.
        replace: also where there are cases, accounts or acts already.

    Raises:
        BackupError: it is not whole or does not fit, parts are running, or `replace` is needed. Nothing was changed.
        OSError, django.db.DatabaseError: it could not be put in place; run the same command again.
    """
    with tempfile.TemporaryDirectory(dir=get_settings().path("x").parent) as scratch:
        manifest = unpack(path, Path(scratch))
        _must_fit(manifest)
        kept = _keep_present(replace=replace)
        _put_database(manifest, Path(scratch))
        _put_files(manifest, Path(scratch))
        call_command("migrate", interactive=False, verbosity=0)
        _settle(manifest)
    return Restored(manifest, kept)


def _must_fit(manifest: Manifest) -> None:
    if manifest.vendor != connection.vendor:
        raise BackupError(f"the backup is of {manifest.vendor}; this installation runs on {connection.vendor}")
    known = MigrationExecutor(connection).loader.graph.nodes
    unknown = [
        f"{app}.{name}" for app, names in manifest.migrations.items() for name in names if (app, name) not in known
    ]
    if unknown:
        raise BackupError(f"the backup is of a newer version of this program: {unknown[-1]} is not known here")
    if working := status.alive(status.WORK):
        raise BackupError(f"{working} processes of `woodpecker work` are running; stop every part first")


def _keep_present(*, replace: bool) -> Path | None:
    """Keep what stands here as a backup; None when there is nothing."""
    if not any(model.objects.exists() for model in (Case, User, AuditEntry)):
        return None
    if not replace:
        raise BackupError("this installation is not empty; --replace puts the backup in its place and keeps a copy")
    kept = get_settings().path("before-restore", f"{timezone.localtime():%Y%m%d-%H%M%S}.tgz")
    make(kept)
    return kept


def _put_database(manifest: Manifest, scratch: Path) -> None:
    if connection.vendor == "sqlite":
        connection.close()
        name = connection.settings_dict["NAME"]
        with closing(sqlite3.connect(scratch / DATABASE)) as source, closing(sqlite3.connect(name)) as live:
            source.backup(live)
        return
    _empty_postgresql()
    executor = MigrationExecutor(connection)
    executor.migrate(_newest(manifest, executor))
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        tables = [table for table in manifest.rows if table != MigrationRecorder.Migration._meta.db_table]
        cursor.execute(f"TRUNCATE {', '.join(map(quoted, tables))}")
        for table in tables:
            into = f"COPY {listed(table, manifest.columns)} FROM STDIN"
            with (scratch / f"{TABLES}{table}.copy").open("rb") as source, cursor.copy(into) as copy:
                while data := source.read(CHUNK):
                    copy.write(data)
        for statement in connection.ops.sequence_reset_sql(
            no_style(), list(apps.get_models(include_auto_created=True))
        ):
            cursor.execute(statement)


def _newest(manifest: Manifest, executor: MigrationExecutor) -> list[tuple[str, str]]:
    """Return the migrations of the backup after which none of the same app follows in it."""
    done = {(app, name) for app, names in manifest.migrations.items() for name in names}
    nodes = executor.loader.graph.node_map
    return [
        one
        for one in sorted(done)
        if not any(child.key in done and child.key[0] == one[0] for child in nodes[one].children)
    ]


def _empty_postgresql() -> None:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"DROP TABLE {quoted(table)} CASCADE")
        cursor.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace "
            "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        for (function,) in cursor.fetchall():
            cursor.execute(f"DROP FUNCTION {function} CASCADE")


def _put_files(manifest: Manifest, scratch: Path) -> None:
    for name in list(stored("")):
        default_storage.delete(name)
    with suppress(OSError):  # where nobody here may change the anchors, they say what was lost
        anchors.set_aside(manifest.audit_sequence)
    for one in manifest.members:
        if one.name.startswith(FILES):
            with (scratch / one.name).open("rb") as file:
                default_storage.save(one.name.removeprefix(FILES), File(file))
        elif one.name.startswith(ANCHORS):
            target = anchors.folder() / one.name.removeprefix(ANCHORS)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                target.write_bytes((scratch / one.name).read_bytes())
    if manifest.has(KEY):
        descriptor = os.open(get_settings().path(KEY), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write((scratch / KEY).read_bytes())


def _settle(manifest: Manifest) -> None:
    """Forget what was running, let everything be indexed and sent again, and write the act down."""
    Heartbeat.objects.exclude(kind="crawl").delete()
    Outbox.objects.all().delete()
    if get_search().is_index:
        outbox.put_all()
    Batch.objects.filter(failed_at__isnull=True).update(sent_at=None)
    audit.record("backup.restore", audit.SYSTEM, "backup", made_at=manifest.made_at, entry=manifest.audit_sequence)
