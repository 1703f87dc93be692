"""Each test of casework writes its files into a folder of its own."""

from pathlib import Path

import pytest
from django.conf import settings as django_settings

from casework import policies


@pytest.fixture(autouse=True)
def files_folder(tmp_path: Path, settings: object) -> Path:
    folder = tmp_path / "files"
    storages = dict(django_settings.STORAGES)
    storages["default"] = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder), "file_permissions_mode": 0o600},
    }
    settings.STORAGES = storages  # type: ignore[attr-defined]
    return folder


@pytest.fixture(autouse=True)
def fresh_policies() -> None:
    policies.forget()
