"""What somebody supplies, whatever its form, on its way into the inbox; and a folder from which files are taken."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import structlog

from config.import_recipe import Column, Encoding
from config.policy import PolicyError, SitePolicy, list_sites, load_site
from config.settings import get_settings
from crawlers.capture import Capture
from crawlers.evidence import Damaged, EvidenceStore, Keys, Missing, WrongKey, beside, take_along
from crawlers.importers import archive, jsonl, table
from crawlers.importers.jsonl import NotReadable, Row
from workers import ingestion

log = structlog.get_logger(__name__)

Form = Literal["jsonl", "csv", "warc", "wacz"]
SUFFIXES: Mapping[str, Form] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "csv", ".warc": "warc",
    ".warc.gz": "warc", ".wacz": "wacz",
}  # fmt: skip
SETTLED_SECONDS = 2.0
"""A file in a watched folder is taken when it has not changed for so long: its supplier may still be writing it."""


@dataclass(frozen=True)
class Supply:
    """How a file is read: its form (None: by its name), its site, and for tables their columns and encoding."""

    form: Form | None = None
    site: str | None = None
    section: str | None = None
    columns: Mapping[Column, str] = field(default_factory=dict)
    encoding: Encoding | None = None


def form_of(name: str) -> Form:
    """Return the form of a file by its name.

    Raises:
        NotReadable: the name ends in none that we know.
    """
    for suffix, form in SUFFIXES.items():
        if name.lower().endswith(suffix):
            return form
    if "." not in name:
        return "jsonl"
    raise NotReadable(
        f"found {Path(name).suffix!r}; allowed: {', '.join(SUFFIXES)}, or --format {'|'.join(get_args(Form))}"
    )


def rows(stream: BinaryIO, name: str, supply: Supply) -> Iterator[tuple[int, Row]]:
    """Yield what a file holds, row by row.

    Raises:
        NotReadable: the file is not what it is taken for, or its site or section is not known.
    """
    form = supply.form or form_of(name)
    if form == "jsonl":
        yield from jsonl.read(stream)
        return
    key = get_settings().effective_redaction_key()
    policy = _policy(supply) if supply.site else None
    if form == "csv":
        if policy is None:
            raise NotReadable(f"found a table without a site; allowed: --site with one of {', '.join(list_sites())}")
        options = {"columns": supply.columns, "encoding": supply.encoding, "section": supply.section}
        yield from table.read(stream, policy, key=key, **options)  # type: ignore[arg-type]
        return
    read = archive.read_warc if form == "warc" else archive.read_wacz
    sites = [policy] if policy else list(_sites())
    yield from read(stream, sites, key=key, section=supply.section, evidence=_evidence(key))


def _evidence(key: bytes) -> EvidenceStore:
    settings = get_settings()
    try:
        keys = Keys.of(settings.evidence_key.get_secret_value())
    except WrongKey as error:
        raise NotReadable(str(error)) from error
    return EvidenceStore(settings.path("files", "responses"), keys, settings.crawler_contact, key)


class Evidence:
    """Brings the stored responses along that lie beside a file of captures, each once; says of how many it could not.

    Args:
        source: the file of captures.
    """

    def __init__(self, source: Path) -> None:
        self._source = beside(source)
        self._seen: set[str] = set()
        self.missing: Counter[str] = Counter()

    def bring(self, capture: Capture) -> None:
        """Bring the response behind a capture; one that cannot be brought is counted."""
        if self._source is None or not self._source.is_dir() or not capture.evidence or capture.evidence in self._seen:
            return
        self._seen.add(capture.evidence)
        settings = get_settings()
        try:
            keys = Keys.of(settings.evidence_key.get_secret_value())
            folder, mask = settings.path("files", "responses"), settings.effective_redaction_key()
            take_along(self._source, folder, capture.evidence, keys, mask)
        except (Missing, WrongKey, Damaged) as error:
            self.missing[f"{type(error).__name__}: {str(error).partition(': ')[2]}"] += 1
        except OSError as error:
            self.missing[f"it cannot be written: {error.strerror}"] += 1


def _policy(supply: Supply) -> SitePolicy:
    assert supply.site is not None
    try:
        policy = load_site(supply.site)
    except PolicyError as error:
        raise NotReadable(f"--site: {error}") from error
    slugs = [one.slug for one in policy.sections]
    if supply.section and supply.section not in slugs:
        raise NotReadable(f"--section: found {supply.section!r}; allowed: {', '.join(slugs)}")
    return policy


def _sites() -> Iterator[SitePolicy]:
    for name in list_sites():
        try:
            yield load_site(name)
        except PolicyError as error:
            log.error("policy_wrong", site=name, problems=[str(problem) for problem in error.problems])


def watch(
    folder: Path,
    supply: Supply,
    *,
    chunk: int,
    once: bool,
    told: Callable[[str, dict[str, object]], None],
    seconds: float = 5.0,
) -> None:
    """Take files from a folder as they come, each once, and move them to done/ or failed/ with a report beside.

    A file in a sub-folder that is named as a site belongs to that site. Killed half-way, a file is taken again, and
    nothing of it twice.

    Args:
        folder: where files are put.
        supply: how they are read.
        chunk: captures that go into the inbox together.
        once: end when no file is left.
        told: takes the name of each file and what became of it.
        seconds: time between looks.

    Raises:
        OSError: the folder cannot be read or written.
        ingestion.Interrupted: the inbox cannot be written; the file stays.
    """
    while True:
        for path in _waiting(folder, settled=0.0 if once else SETTLED_SECONDS):
            told(str(path.relative_to(folder)), _take(folder, path, supply, chunk))
        if once:
            return
        time.sleep(seconds)


def _waiting(folder: Path, settled: float) -> list[Path]:
    sites = [folder / name for name in list_sites() if (folder / name).is_dir()]
    files = [path for place in (folder, *sites) for path in sorted(place.iterdir()) if path.is_file()]
    now = time.time()
    return [path for path in files if path.name[0] not in "._" and now - path.stat().st_mtime >= settled]


def _take(folder: Path, path: Path, supply: Supply, chunk: int) -> dict[str, object]:
    own = (
        supply
        if path.parent == folder
        else Supply(supply.form, path.parent.name, supply.section, supply.columns, supply.encoding)
    )
    try:
        with path.open("rb") as stream:
            outcome = ingestion.run_rows(rows(stream, path.name, own), chunk=chunk)
        report: dict[str, object] = {"file": path.name, **outcome.as_dict()}
        place = "done"
    except NotReadable as error:
        report, place = {"file": path.name, "error": str(error)}, "failed"
    target = _free(folder / place / path.relative_to(folder))
    target.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps(report, ensure_ascii=False, indent=2)
    target.with_name(f"{target.name}.report.json").write_text(content, "utf-8")
    os.replace(path, target)
    return {"place": place, **report}


def _free(path: Path) -> Path:
    """Return a path that nothing has yet: a file of the same name may have been taken before."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{number}-{path.name}")
    return free
