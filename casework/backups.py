"""Backups: one file that holds the database as it was at one instant, the evidence files and the key; and back.

A backup is a gzipped tar: `manifest.json` last, before it the database (`database.sqlite3`, or one `tables/NAME.copy`
per table of PostgreSQL in COPY's text format), `files/…`, `anchors/…` and, where this installation made its own,
`secret_key`. It holds texts that retention takes out of the installation, and the key: its mode is 600, and it is kept
no longer than what it holds may be kept. The index, the broker's messages and the crawl memory are made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from casework import anchors, audit
from config.settings import get_settings

FORMAT = "silver-woodpecker-backup/1"
MANIFEST, DATABASE, KEY = "manifest.json", "database.sqlite3", "secret_key"
TABLES, FILES, ANCHORS = "tables/", "files/", "anchors/"
MAX_MANIFEST = 200_000_000
CHUNK = 1 << 20


class BackupError(Exception):
    """A backup cannot be made, read or put back; the message says why. Nothing was changed."""


class Member(BaseModel):
    """One file inside a backup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a backup holds: its members, the rows of each table, and where the audit log stood."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field(pattern=f"^{FORMAT}$")
    made_at: str
    vendor: str = Field(pattern="^(sqlite|postgresql)$")
    migrations: dict[str, list[str]]
    rows: dict[str, int]
    columns: dict[str, list[str]]
    audit_sequence: int
    audit_hash: str
    members: list[Member]

    def has(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return any(one.name == name for one in self.members)


def make(path: Path, *, with_key: bool = True) -> Manifest:
    """Write a backup; everything may go on running meanwhile.

    Args:
        path: the file; one that is there already is replaced only once the new one is whole.
        with_key: also keep the secret key that this installation made for itself.

    Raises:
        OSError: the file cannot be written.
        django.db.DatabaseError: the database cannot be read.
    """
    audit.record("backup.make", audit.SYSTEM, "backup", with_key=with_key)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as raw, tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3, format=tarfile.PAX_FORMAT) as tar:
                manifest = _Writer(tar, Path(scratch)).write(with_key=with_key)
            raw.flush()
            os.fsync(raw.fileno())
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)
    return manifest


def check(path: Path) -> Manifest:
    """Read a backup to its end and return what it holds; changes nothing.

    Raises:
        BackupError: it is no backup, or not as it was made.
        OSError: it cannot be read.
    """
    with tempfile.TemporaryDirectory(dir=get_settings().path("x").parent) as scratch:
        return unpack(path, Path(scratch))


class _Writer:
    """Writes members one after the other and notes what they were."""

    def __init__(self, tar: tarfile.TarFile, scratch: Path) -> None:
        self._tar, self._scratch = tar, scratch
        self._members: list[Member] = []

    def write(self, *, with_key: bool) -> Manifest:
        database = self._sqlite if connection.vendor == "sqlite" else self._postgresql
        state = database()
        for name in stored(""):
            try:
                file = default_storage.open(name, "rb")
            except FileNotFoundError:
                continue  # taken away since it was listed: retention, or a crawl that had not named it yet, runs on
            with file:
                self._add(FILES + name, file)
        for anchor in sorted(anchors.folder().glob("audit-*.json")):
            self._add_path(ANCHORS + anchor.name, anchor)
        own_key = get_settings().path(KEY)
        if with_key and not get_settings().secret_key.get_secret_value() and own_key.exists():
            self._add_path(KEY, own_key)
        now = timezone.localtime().isoformat(timespec="seconds")
        manifest = Manifest(format=FORMAT, made_at=now, vendor=connection.vendor, members=self._members, **state)
        content = self._scratch / MANIFEST
        content.write_text(manifest.model_dump_json(indent=1), "utf-8")
        self._tar.add(content, MANIFEST, filter=_plain)
        return manifest

    def _sqlite(self) -> dict[str, Any]:
        copy = self._scratch / DATABASE
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as live, closing(sqlite3.connect(copy)) as out:
            live.backup(out)
            state = _state_of(lambda sql: out.execute(sql).fetchall(), _tables())
        self._add_path(DATABASE, copy)
        copy.unlink()
        return state

    def _postgresql(self) -> dict[str, Any]:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

            def ask(sql: str) -> list[Any]:
                cursor.execute(sql)
                return list(cursor.fetchall())

            state = _state_of(ask, _tables())
            for table in state["rows"]:
                file = self._scratch / "table"
                with file.open("wb") as out, cursor.copy(f"COPY {listed(table, state['columns'])} TO STDOUT") as copy:
                    for data in copy:
                        out.write(data)
                self._add_path(f"{TABLES}{table}.copy", file)
        return state

    def _add_path(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self._add(name, file)

    def _add(self, name: str, file: Any) -> None:
        digest = hashlib.sha256()
        info = tarfile.TarInfo(name)
        file.seek(0, os.SEEK_END)
        info.size = file.tell()
        file.seek(0)
        info.mode = 0o600
        self._tar.addfile(info, _Counted(file, digest))
        self._members.append(Member(name=name, size=info.size, sha256=digest.hexdigest()))


class _Counted:
    """A file whose content is hashed while it is read."""

    def __init__(self, file: IO[bytes], digest: Any) -> None:
        self._file, self._digest = file, digest

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mode, info.uid, info.gid, info.uname, info.gname = 0o600, 0, 0, "", ""
    return info


def _tables() -> list[str]:
    return sorted(connection.introspection.table_names())


def _state_of(ask: Any, tables: list[str]) -> dict[str, Any]:
    """Return rows of each table, migrations and the head of the audit log, all of one snapshot."""
    migrations: dict[str, list[str]] = {}
    for app, name in ask("SELECT app, name FROM django_migrations ORDER BY app, name"):
        migrations.setdefault(app, []).append(name)
    head = ask("SELECT sequence, hash FROM casework_chainhead WHERE name = 'audit'")
    return {
        "rows": {table: int(ask(f"SELECT COUNT(*) FROM {quoted(table)}")[0][0]) for table in tables},  # noqa: S608
        "columns": {table: _columns(table) for table in tables},
        "migrations": migrations,
        "audit_sequence": head[0][0] if head else 0,
        "audit_hash": head[0][1] if head else "",
    }


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [one.name for one in connection.introspection.get_table_description(cursor, table)]


def listed(table: str, columns: dict[str, list[str]]) -> str:
    """Name the columns one by one: a table that was migrated step by step may have them in another order."""
    return f"{quoted(table)} ({', '.join(map(quoted, columns[table]))})"


def stored(folder: str) -> Iterator[str]:
    """Yield the names of every file of the storage."""
    if folder and not default_storage.exists(folder):
        return
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    yield from (prefix + name for name in sorted(names))
    for one in sorted(folders):
        yield from stored(prefix + one)


def unpack(path: Path, into: Path) -> Manifest:
    """Unpack a backup and compare every member with the manifest."""
    found: dict[str, Member] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(path, "r:gz") as tar:
            for info in tar:
                source = tar.extractfile(info) if info.isreg() else None
                if source is None or manifest is not None:
                    raise BackupError(f"{path}: found {info.name!r}; allowed: plain files, {MANIFEST} last")
                if info.name == MANIFEST:
                    manifest = _manifest(source.read(MAX_MANIFEST))
                else:
                    found[info.name] = _extract(info.name, source, into)
    except (tarfile.TarError, EOFError, ValidationError, ValueError) as error:
        raise BackupError(f"{path}: not a backup, or not whole ({type(error).__name__})") from error
    if manifest is None:
        raise BackupError(f"{path}: it ends before {MANIFEST}; it was not written to its end")
    for one in manifest.members:
        if found.pop(one.name, None) != one:
            raise BackupError(f"{path}: {one.name} is not as it was when the backup was made")
    if found:
        raise BackupError(f"{path}: {sorted(found)[0]} is not in the manifest")
    return manifest


def _manifest(content: bytes) -> Manifest:
    return Manifest.model_validate(json.loads(content))


def _extract(name: str, source: IO[bytes], into: Path) -> Member:
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts:
        raise BackupError(f"found the name {name!r}; allowed: names below the backup")
    target = into / parts
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        while data := source.read(CHUNK):
            digest.update(data)
            size += len(data)
            out.write(data)
    return Member(name=name, size=size, sha256=digest.hexdigest())
