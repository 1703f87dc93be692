"""Values out of pages: the first alternative that finds something counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector
from pydantic import TypeAdapter, ValidationError

from config.recipe import FieldRecipe, Finder
from crawlers import fields

PAGE = Selector(
    '<div class=post data-id="p7"><a href="/u/1">小满</a><div class=text>早<br>上好 <i>呀</i>'
    "<blockquote>引用的话</blockquote><script>x()</script></div><span class=n>1.2万</span><time>昨天 04:08</time></div>"
)
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def recipe(value: Any) -> tuple[Finder, ...]:
    return TypeAdapter(FieldRecipe).validate_python(value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (".post::attr(data-id)", "p7"),
        ("a", "小满"),
        ({"css": ".text"}, "早\n上好 呀\n引用的话"),
        ({"css": ".text", "drop": ["blockquote"]}, "早\n上好 呀"),
        ({"xpath": "//a/@href", "as": "url"}, "https://forum.example/u/1"),
        ({"css": ".post::attr(data-id)", "regex": r"\d+"}, "7"),
        ({"css": ".post::attr(data-id)", "regex": r"p(\d+)"}, "7"),
        ({"css": ".post::attr(data-id)", "regex": r"q(\d+)"}, None),
        ({"css": ".post::attr(data-id)", "regex": r"p(\d+)", "template": "/t/{}/x", "as": "url"}, "https://forum.example/t/7/x"),
        ({"css": ".n", "as": "int"}, "12000"),
        ({"css": "a", "as": "int"}, None),
        ({"const": "固定"}, "固定"),
        ([{"css": ".absent"}, {"css": "a"}], "小满"),
        ({"jmespath": "id"}, None),
        (".absent", None),
    ],
)  # fmt: skip
def test_a_field_of_a_page_is_found(value: Any, found: str | None) -> None:
    assert fields.text(recipe(value), PAGE, "https://forum.example/t/1") == found


def test_half_a_character_in_json_is_replaced() -> None:
    assert fields.text(recipe({"jmespath": "text"}), {"text": "好\ud83d"}) == "好?"
    assert fields.text(recipe({"jmespath": "text"}), {"text": "好\U0001f600"}) == "好\U0001f600"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"jmespath": "user.name"}, "小满"),
        ({"jmespath": "html", "as": "html-text"}, "甲\n乙"),
        ({"jmespath": "id"}, "7"),
        ({"jmespath": "user"}, None),
        ({"css": "a"}, None),
    ],
)
def test_a_field_of_a_json_item_is_found(value: Any, found: str | None) -> None:
    item = {"id": 7, "user": {"name": "小满"}, "html": "<p>甲</p><p>乙</p>"}
    assert fields.text(recipe(value), item) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234", 1234),
        ("1.2万", 12000),
        ("3k 次", 3000),
        ("回复 (17)", 17),
        ("无", None),
        ("1.1万", 11000),
        ("1234567890123456789", 1234567890123456789),
        ("9223372036854775807万", None),
        ("9" * 400, None),
    ],
)
def test_a_number_is_read_as_it_is_written(text: str, number: int | None) -> None:
    assert fields.number(recipe({"const": text}), PAGE) == number


def test_a_moment_is_read_by_its_conversion() -> None:
    assert (
        str(fields.moment(recipe({"css": "time", "as": "zh-datetime"}), PAGE, now=NOW)) == "2026-11-23 04:08:00+08:00"
    )
    unix = recipe([{"jmespath": "absent", "as": "unix-time"}, {"jmespath": "at", "as": "unix-time"}])
    assert fields.moment(unix, {"at": 1790000000}, now=NOW) == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert fields.moment(None, PAGE, now=NOW) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"css": "div[", "as": "text"}, "not a CSS selector"),
        ({"xpath": "//["}, "not an XPath"),
        ({"jmespath": "a..b"}, "not a JMESPath"),
        ({"css": "a", "regex": "("}, "not a regular expression"),
        ({"css": "a", "xpath": "//a"}, "exactly one of css, xpath, jmespath, const"),
        ({"regex": "a"}, "exactly one of css, xpath, jmespath, const"),
        ({"css": "a", "as": "date"}, "zh-datetime"),
        ({"css": "a", "template": "/t/"}, "template"),
        ([], "at least 1 item"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        recipe(value)


@given(st.text())
def test_plain_text_holds_no_blank_lines_and_no_markup_of_ours(markup: str) -> None:
    lines = fields.plain_text(f"<p>前</p>{markup}<p>后</p>").split("\n")
    assert all(line == line.strip(" \t\r\f\v\u00a0") and line for line in lines)


@given(
    st.sampled_from(["p", "time", "textarea", "title", "pre", "script", "style", "noscript"]),
    st.lists(
        st.text() | st.sampled_from(["&amp;lt;b>", "<br>", "<!-- c -->", "<i>x</i>", "\r\n", "&#13;"]), max_size=4
    ),
)
def test_the_text_of_an_element_is_the_same_whether_it_is_taken_from_the_tree_or_out_of_its_markup(
    tag: str, parts: list[str]
) -> None:
    page = Selector(f"<body><{tag} class=x>{''.join(parts)}</{tag}></body>", type="html")
    for node in page.css(".x"):
        assert fields.text(recipe({"css": ".x"}), page) == (fields.plain_text(node.get()).strip() or None)


@pytest.mark.parametrize("form", ["html", "xml"])
def test_what_nobody_sees_is_no_text(form: str) -> None:
    page = Selector("<item><script>x()</script><b/></item>", type=form)
    assert fields.text(recipe([{"css": "script"}, {"css": "b"}]), page) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_breaks_a_field(item: Any) -> None:
    for value in ({"jmespath": "@"}, {"jmespath": "a.b || c"}, {"jmespath": "[].text", "as": "html-text"}):
        found = fields.text(recipe(value), item)
        assert found is None or isinstance(found, str)
        assert isinstance(fields.nodes(recipe(value), item), list)
