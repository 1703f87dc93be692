"""docs/pages.md names what the pages have."""

import re
from pathlib import Path

from casework.models import Role
from review_ui.access import HOME

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "docs" / "pages.md").read_text("utf-8")


def test_every_key_is_described() -> None:
    templates = "".join(path.read_text("utf-8") for path in (ROOT / "review_ui" / "templates").rglob("*.html"))
    keys = set(re.findall(r'data-key="(.)"', templates)) | {"j", "k"}
    assert {key for key in keys if f"`{key.upper()}`" not in PAGES} == set()


def test_every_role_and_where_it_begins_is_described() -> None:
    for role in Role:
        row = next(line for line in PAGES.splitlines() if f"{role.label} `{role.value}`" in line)
        assert f"`/{HOME[role]}/`" in row


def test_its_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"images/([a-z]+\.png)", PAGES)
    assert pictures == ["queue.png", "volunteer.png"]
    assert all((ROOT / "docs" / "images" / name).stat().st_size < 300_000 for name in pictures)
