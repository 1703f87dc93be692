"""What tests of the pages share: plain static files, a folder of their own, and people who are signed in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client

from casework import policies, status
from casework.models import Role, User
from tests.casework.factories import make_user

BACKEND = "django.contrib.auth.backends.ModelBackend"
Enter = Callable[..., Client]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: object) -> Path:
    """Evidence goes into a folder of the test; static files are served as they lie in the repository."""
    folder = tmp_path / "files"
    storages = dict(django_settings.STORAGES)
    storages["default"] = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder)},
    }
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages  # type: ignore[attr-defined]
    policies.forget()
    return folder


@pytest.fixture
def enter(db: None) -> Enter:
    """Sign somebody in: a person, or a new one of a role."""

    def enter_(who: User | Role | str, **options: object) -> Client:
        client = Client(**options)  # type: ignore[arg-type]
        client.force_login(who if isinstance(who, User) else make_user(who), backend=BACKEND)
        return client

    return enter_


@pytest.fixture
def at_work(db: None) -> None:
    """A worker and a clock that were alive a moment ago."""
    status.beat(status.WORK, "stand-in-1")
    status.beat(status.CLOCK)
