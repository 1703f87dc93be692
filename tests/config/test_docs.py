"""What a policy may hold is in the documents; a key, conversion, class or preset that is missing there fails here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from config.policy import list_classes, list_presets, load_site
from config.recipe import (
    Conversion,
    Finder,
    Format,
    FurtherLists,
    ListRecipe,
    PageRecipe,
    Paging,
    Render,
    ThreadRecipe,
    UnitKind,
)
from config.recognition import Marker, Recognition
from config.section import Section
from config.site_policy import Basis, Contact, PlatformClass, SitePolicy
from config.thresholds import Aim, AtThreshold, Measured, Override, Thresholds
from crawlers.capture import Capture, Redaction
from crawlers.redaction import MARKERS
from crawlers.report import CrawlReport

METHODS = get_args(Section.model_fields["method"].annotation)
DOCS = Path(__file__).resolve().parents[2] / "docs"


def section(document: str, heading: str) -> str:
    """Return the part of a document from the heading that begins so to the next one of its level or above."""
    text = (DOCS / document).read_text("utf-8")
    own = re.search(rf"^(#+) {re.escape(heading)}", text, re.MULTILINE)
    assert own, heading
    following = re.search(rf"^#{{1,{len(own[1])}}} ", text[own.end() :], re.MULTILINE)
    return text[own.start() : own.end() + following.start() if following else None]


def keys(model: type[BaseModel]) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}


def told(text: str) -> set[str]:
    """Names in code marks."""
    return set(re.findall(r"`([a-z][a-z_-]*)`", text))


@pytest.mark.parametrize(
    ("document", "heading", "names"),
    [
        ("add-a-site.md", "Keys of a site file", keys(SitePolicy) - {"platform_class"} | {"class", "extends"}),
        ("add-a-site.md", "Keys of a site file", keys(Contact)),
        ("add-a-site.md", "Keys of `crawl.list`", keys(ListRecipe)),
        ("add-a-site.md", "Keys of `crawl.thread`", keys(ThreadRecipe)),
        ("add-a-site.md", "Keys of `crawl.thread`", set(get_args(UnitKind))),
        ("add-a-site.md", "Keys of `crawl.list`", keys(FurtherLists)),
        ("add-a-site.md", "What a page is", keys(PageRecipe) | set(get_args(Format))),
        ("add-a-site.md", "Pages that only exist in a browser", keys(Render)),
        ("add-a-site.md", "Fields", keys(Finder) | set(get_args(Conversion))),
        ("add-a-site.md", "Paging", keys(Paging) | set(get_args(Paging.model_fields["kind"].annotation))),
        ("add-a-site.md", "The four bases", keys(Basis) | set(get_args(Basis.model_fields["kind"].annotation))),
        ("add-a-site.md", "In three steps", set(list_presets())),
        ("add-a-site.md", "Presets of your own", keys(Recognition) | keys(Marker)),
        ("policies.md", "Platform classes", set(list_classes()) | keys(PlatformClass)),
        ("policies.md", "Thresholds", keys(Thresholds) | keys(Override)),
        ("policies.md", "How the shipped thresholds", keys(Aim) | keys(Measured) | keys(AtThreshold)),
        ("policies.md", "Sections and sampling", keys(Section) | set(METHODS)),
        ("formats.md", "Capture", set(Capture.model_fields) | set(Redaction.model_fields) | set(MARKERS)),
        ("crawling.md", "The report", {"barren_pages", "incomplete_units", "truncated_threads", "withheld_pages",
                                       "gone_threads", "refused", "failed", "requests", "stopped_by_site"}),
    ],
)  # fmt: skip
def test_every_name_is_explained(document: str, heading: str, names: set[str]) -> None:
    assert names - told(section(document, heading)) == set()


def test_the_report_still_has_what_the_document_speaks_of() -> None:
    # `error` is added where a crawl of several sites ends one of them.
    assert told(section("crawling.md", "The report")) - CrawlReport("x").as_dict().keys() - {"error"} == set()


def test_the_files_in_the_documents_are_right(tmp_path: Path) -> None:
    text = (DOCS / "add-a-site.md").read_text("utf-8")
    files = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "basis:" in block]
    assert len(files) == 2
    for number, content in enumerate(files):
        path = tmp_path / f"site{number}.yaml"
        path.write_text(re.sub(r"^   ", "", content, flags=re.MULTILINE) if content.startswith("   ") else content)
        assert load_site(path).crawl is not None


@pytest.mark.parametrize("document", ["add-a-site.md", "crawling.md", "policies.md", "formats.md"])
def test_every_place_that_a_document_names_is_there(document: str) -> None:
    root = DOCS.parent
    text = (DOCS / document).read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (DOCS / target).exists(), target
    for name in re.findall(r"`((?:config|crawlers|tests|docs)/[\w/.-]*\w)`", text):
        assert (root / name).exists() or "NAME" in name, name
    for name, symbols in re.findall(r"`(\w+\.py)` ((?:`\w+`(?:, )?)+)", text):
        source = (root / "crawlers" / name).read_text("utf-8")
        for symbol in re.findall(r"`(\w+)`", symbols):
            assert re.search(rf"\b{symbol}\b", source), (name, symbol)
