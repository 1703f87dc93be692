"""Answers opened as their recipe says: by a reader of one's own, from inside another page, or as one of the formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from importlib import util
from pathlib import Path
from typing import Any

from parsel import Selector
from scrapy.http import Response, TextResponse
from scrapy.utils.gz import gunzip

from config.recipe import PageRecipe
from config.settings import get_settings
from crawlers import fields, pages, structured

GZIP = b"\x1f\x8b"
MAX_UNPACKED = 50 * 1024 * 1024
"""What a sitemap may be at most, unpacked (sitemaps.org)."""


class NoReader(Exception):
    """A reader that a site file names is not there."""


def opened(response: Response, recipe: PageRecipe) -> Selector | Any:
    """Return a page as a selector or as JSON-like data.

    Raises:
        Unreadable: it is not what the recipe says, or the reader failed on it.
    """
    if recipe.reader is not None:
        return _read(response, recipe.reader)
    if recipe.inside is not None:
        return _inside(response, recipe)
    return _parsed(response, recipe)


def _parsed(response: Response, recipe: PageRecipe) -> Selector | Any:
    match recipe.format:
        case "sitemap":
            return _sitemap(response)
        case "schema-org":
            return structured.postings(pages.parse(response, "html"), response.url)
        case "article":
            return _article(response)
        case form:
            return pages.parse(response, form)


@lru_cache(maxsize=32)
def reader(name: str) -> Callable[[str, str], Any]:
    """Return the function that a site file names.

    Raises:
        NoReader: its file or the function is missing, or the file cannot be run.
    """
    module, _, function = name.partition(".")
    folder = get_settings().policy_dir
    path = (folder or Path()) / "readers" / f"{module}.py"
    if folder is None or not path.is_file():
        raise NoReader(f"reader {name}: found no file {path}; allowed: a file in readers/ of WOODPECKER_POLICY_DIR")
    spec = util.spec_from_file_location(f"woodpecker_reader_{module}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = util.module_from_spec(spec)
    try:
        spec.loader.exec_module(loaded)
    except Exception as error:
        raise NoReader(f"reader {name}: {path} cannot be run: {type(error).__name__}: {error}") from error
    if not callable(found := getattr(loaded, function, None)):
        raise NoReader(f"reader {name}: found no function {function!r} in {path}")
    return found  # type: ignore[no-any-return]


def _read(response: Response, name: str) -> Any:
    if not isinstance(response, TextResponse):
        raise pages.Unreadable("not a text page")
    try:
        return reader(name)(response.text, response.url)
    except NoReader as error:
        raise pages.Unreadable(str(error)) from error
    except Exception as error:
        raise pages.Unreadable(f"reader {name}: {type(error).__name__}") from error


def _inside(response: Response, recipe: PageRecipe) -> fields.Nested:
    """Return a page that stands inside another, with that other; what stands there may be empty, but not missing."""
    assert recipe.inside is not None
    outer = pages.parse(response, "json" if recipe.inside[0].jmespath else "html")
    found = fields.text(recipe.inside, outer)
    if found is None and recipe.inside[0].jmespath and fields.search_json(recipe.inside[0].jmespath, outer) == "":
        return fields.Nested(Selector("<p></p>", type="html"), outer)
    if found is None:
        raise pages.Unreadable("nothing is found `inside`")
    assert isinstance(response, TextResponse)
    return fields.Nested(_parsed(response.replace(body=found.encode(), encoding="utf-8"), recipe), outer)


def _sitemap(response: Response) -> dict[str, list[dict[str, str]]]:
    """Return the pages (newest first) and the further sitemaps that a sitemap names, packed or not."""
    body = gunzip(response.body, max_size=MAX_UNPACKED) if response.body.startswith(GZIP) else response.body
    if not body.strip():
        raise pages.Unreadable("not a sitemap")
    root = Selector(body=body, type="xml", encoding="utf-8")
    root.remove_namespaces()
    if root.root is None or not root.xpath("/urlset | /sitemapindex"):
        raise pages.Unreadable("not a sitemap")
    found = {name: [_entry(node) for node in root.xpath(f"/*/{name}[loc]")] for name in ("url", "sitemap")}
    return {name: sorted(entries, key=lambda one: one["lastmod"], reverse=True) for name, entries in found.items()}


def _entry(node: Selector) -> dict[str, str]:
    return {name: (node.xpath(f"normalize-space({name})").get() or "") for name in ("loc", "lastmod")}


def _article(response: Response) -> dict[str, Any]:
    """Return the article of a page: title, text and day, without what stands around it."""
    if not isinstance(response, TextResponse) or not response.body:
        raise pages.Unreadable("not a text page")
    import trafilatura

    said = trafilatura.extract(
        response.text, url=response.url, output_format="json", with_metadata=True, include_comments=False
    )
    if not said:
        return {"items": []}
    found = json.loads(said)
    return {"items": [{name: found.get(name) or "" for name in ("title", "text", "date")}]}
