"""What must behave alike on SQLite and on PostgreSQL is run again on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(600)  # some hundreds of tests, one after another, beside the rest of the suite
def test_every_test_that_is_marked_modes_passes_on_postgresql(services: dict[str, str]) -> None:
    """Django reads its database once in a process, so the other database needs a process of its own."""
    database = urlsplit(services["DATABASE_URL"])._replace(path=f"/modes_{uuid.uuid4().hex[:12]}")
    environment = {**os.environ, "WOODPECKER_DATABASE_URL": urlunsplit(database)}
    # A command that ran in this process may have named Django's settings; pytest-django would then read them before
    # tests/conftest.py has named the tests' own data folder.
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    environment |= {f"WOODPECKER_TEST_{name}": address for name, address in services.items()}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "modes", "-p", "no:cacheprovider", "tests"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=580,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
