"""How a site is read: list → thread → comments, declared in YAML and carried out by the one generic spider.

A field is an ordered list of alternatives; the first that finds something counts. Each alternative names one way of
finding (`css`, `xpath`, `jmespath`, `const`), then what is done to the finding, always in this order: `drop`,
`as: html-text`, `regex`, `template`, the other conversions of `as`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from config.documents import Strict


def _css(value: str) -> str:
    from parsel.csstranslator import HTMLTranslator  # here: it takes a tenth of a second, and no class has a selector

    try:
        HTMLTranslator().css_to_xpath(value)
    except Exception as error:
        raise ValueError(f"not a CSS selector; allowed: a CSS selector ({error})") from error
    return value


def _xpath(value: str) -> str:
    from lxml import etree

    try:
        etree.XPath(value)
    except etree.XPathError as error:
        raise ValueError(f"not an XPath; allowed: an XPath ({error})") from error
    return value


def _jmespath(value: str) -> str:
    try:
        jmespath.compile(value)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath; allowed: a JMESPath ({error})") from error
    return value


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression; allowed: a regular expression ({error})") from error
    return value


Css = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_css)]
XPath = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_xpath)]
JmesPath = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_jmespath)]
Regex = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_regex)]
UnitKind = Literal["title", "post", "comment", "danmaku", "description", "other"]
Conversion = Literal["text", "html-text", "int", "url", "zh-datetime", "iso-datetime", "unix-time", "digest"]
Format = Literal["html", "json", "feed", "sitemap", "schema-org", "article"]
Accept = Annotated[str, Field(max_length=100, pattern=r'^[\w.+-]+/[\w.+*-]+(; ?\w+="?[^"\r\n]*"?)?$')]
ReaderName = Annotated[str, Field(max_length=100, pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")]


class Finder(Strict):
    """One way of finding a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    css: Css | None = Field(None, description="CSS selector; `::text` and `::attr(name)` as in parsel")
    xpath: XPath | None = Field(None, description="XPath")
    jmespath: JmesPath | None = Field(None, description="JMESPath into a JSON item")
    const: str | None = Field(None, description="a fixed value")
    regex: Regex | None = Field(None, description="keeps the first group, or the whole match")
    template: Annotated[str, Field(max_length=300, pattern=r"\{\}")] | None = Field(
        None, description="puts the finding in place of {}, e.g. to make an address of a number"
    )
    drop: tuple[Css, ...] = Field((), description="elements removed before the text is taken, e.g. quotations")
    convert: Conversion = Field("text", alias="as", description="what the finding is turned into")

    @model_validator(mode="after")
    def _exactly_one_way(self) -> Finder:
        named = [name for name in ("css", "xpath", "jmespath", "const") if getattr(self, name) is not None]
        if len(named) != 1:
            found = ", ".join(named) or "none"
            raise ValueError(f"found {found}; allowed: exactly one of css, xpath, jmespath, const")
        return self


def _as_render(value: Any) -> Any:
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


def _as_list(value: Any) -> Any:
    if isinstance(value, dict):
        return [value]
    if isinstance(value, str):
        return [{"css": value}]
    if isinstance(value, list):
        return [{"css": one} if isinstance(one, str) else one for one in value]
    return value


FieldRecipe = Annotated[
    tuple[Finder, ...],
    Field(min_length=1, max_length=10),
    BeforeValidator(_as_list, json_schema_input_type=str | Finder | tuple[str | Finder, ...]),
]
"""Alternatives in order; a bare string is a CSS selector, alone or in the list, a mapping is a single alternative."""


class Paging(Strict):
    """How the next page is found. Without it a page stands alone."""

    kind: Literal["next_link", "page_number", "offset", "cursor", "link_header"] = Field(description="how a site pages")
    next: FieldRecipe | None = Field(None, description="next_link: where the address of the next page stands")
    param: str = Field("page", description="page_number, offset, cursor: name of the query parameter")
    first: int = Field(1, ge=0, description="page_number: number of the first page; offset: first offset")
    size: int = Field(20, ge=1, le=1000, description="offset, and with `count`: items on a page")
    total: FieldRecipe | None = Field(None, description="page_number: where the number of pages stands")
    count: FieldRecipe | None = Field(
        None, description="page_number, offset: where the number of all items stands, which with `size` gives the pages"
    )
    cursor: FieldRecipe | None = Field(None, description="cursor: where the next cursor stands")
    last_known: bool = Field(
        True,
        description="whether the newest items stand on the last page, as in most forum threads; false where they stand "
        "first, as in most timelines",
    )
    at_most: int | None = Field(None, ge=1, description="most pages of one list or thread that are read in one run")

    @model_validator(mode="after")
    def _complete(self) -> Paging:
        needed = {"next_link": "next", "cursor": "cursor"}.get(self.kind)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"found kind {self.kind} without `{needed}`; allowed: {self.kind} with `{needed}`")
        return self


class Render(Strict):
    """How a page is brought to show what only its scripts bring. Needs the extra `render` and chromium."""

    until: Css | None = Field(None, description="what stands on the page once its scripts have done their work")
    more: Css | None = Field(None, description="button that brings more, pressed as long as it is there")
    at_most: int = Field(20, ge=1, le=500, description="most times that it is pressed on one page")


class PageRecipe(Strict):
    """What a page is, before anything is looked for on it."""

    format: Format = Field("html", description="what the page is")
    inside: FieldRecipe | None = Field(
        None, description="where the page itself stands inside the answer: HTML in JSON, JSON in a script, JSONP"
    )
    reader: ReaderName | None = Field(
        None, description="FILE.FUNCTION in readers/ of the policy folder, which turns the answer into JSON-like data"
    )
    accept: Accept | None = Field(None, description="media type that is asked for, where the site answers by it")
    render: Annotated[Render | None, BeforeValidator(_as_render)] = Field(
        None, description="true, or how: the page's scripts are run in chromium, under the same gate"
    )


class FurtherLists(Strict):
    """List pages that a list page leads to: boards of a front page, sitemaps of an index."""

    items: FieldRecipe = Field(description="each further list on the page")
    url: FieldRecipe = Field(description="its address")
    moved_at: FieldRecipe | None = Field(None, description="when it last changed; one that did not is not asked for")


class ListRecipe(PageRecipe):
    """A page that lists threads."""

    items: FieldRecipe = Field(description="each thread on the page")
    url: FieldRecipe = Field(description="address of the thread")
    key: FieldRecipe | None = Field(None, description="the site's own key of the thread; default: its address")
    title: FieldRecipe | None = Field(None, description="title of the thread, captured as kind `title`")
    replies: FieldRecipe | None = Field(
        None, description="number of replies; a thread whose number stays is not opened"
    )
    moved_at: FieldRecipe | None = Field(None, description="time of the last reply; likewise")
    lists: FurtherLists | None = Field(None, description="further list pages that this one leads to")
    paging: Paging | None = Field(None, description="where the next page is; without it a page stands alone")


class ThreadRecipe(PageRecipe):
    """A page that holds units: the post and its comments."""

    items: FieldRecipe = Field(description="each unit on the page")
    key: FieldRecipe = Field(
        description="the site's own key of the unit; a unit without one is passed over and counted"
    )
    text: FieldRecipe = Field(description="what somebody wrote; required, a unit without it is passed over and counted")
    published_at: FieldRecipe | None = Field(None, description="when it was written")
    link: FieldRecipe | None = Field(
        None, description="address at which people see the unit, where the page is one for programs; default: the page"
    )
    thread: FieldRecipe | None = Field(
        None, description="key of the unit's thread, where a page shows units of many threads; default: the page's own"
    )
    children: JmesPath | None = Field(None, description="JSON: where the answers to a unit stand, nested alike")
    first_is_post: bool = Field(False, description="whether the first unit of the first page is the opening post")
    is_post: FieldRecipe | None = Field(None, description="found where a unit is an opening post, wherever it stands")
    kind: UnitKind = Field("comment", description="what a unit is; a section may say otherwise")
    truncated: FieldRecipe | None = Field(None, description="set when the page says that it hides units")
    paging: Paging | None = Field(None, description="where the next page is; without it a page stands alone")

    @property
    def pages_are_counted(self) -> bool:
        """Whether a page says how many there are, and each has an address that can be made."""
        plan = self.paging
        return plan is not None and plan.kind in {"page_number", "offset"} and bool(plan.total or plan.count)


class Recipe(Strict):
    """How a kind of site is read. Without `list`, the sections' start pages are threads themselves."""

    list: ListRecipe | None = Field(None, description="pages that list threads")
    thread: ThreadRecipe = Field(description="pages that hold what people wrote")
