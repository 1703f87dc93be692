"""Personal data in addresses is masked, the site's own numbers are not, and two addresses stay two."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.sealing import opened
from crawlers.addresses import mask_capture, masked, masked_key
from crawlers.capture import Capture
from crawlers.sampling import UNKNOWN
from crawlers.units import Unit, UnitReader
from tests.crawlers.conftest import Crawls
from tests.crawlers.importers.test_jsonl import ROW

KEY = b"only-for-tests"

PERSONAL = [
    ("/t/call-13800001234/55", "/t/call-~phone-", "/55"),
    ("/t/13800001234", "/t/~phone-", ""),
    ("/t/138-0000-1234/2", "/t/~phone-", "/2"),
    ("/t/" + quote("一三八〇〇〇〇一二三四") + "/2", "/t/~phone-", "/2"),
    ("/t/" + quote("加微信abc12345领券") + "/2", "/t/" + quote("加微信") + "~wechat-", quote("领券") + "/2"),
    ("/t/" + quote("加微信abc12345", encoding="gb18030"), "/t/", ""),
    ("/search?q=13800001234&page=2", "/search?q=~phone-", "&page=2"),
    ("/x?mobile=5551&a=1", "/x?mobile=~phone-", "&a=1"),
    ("/x?nick_name=lisi&a=1", "/x?nick_name=~handle-", "&a=1"),
    ("/x?mail=li.si%40mail.example", "/x?mail=~email-", ""),
    ("/li.si@mail.example/3", "/~email-", "/3"),
    ("/@zhangsan/109876543210987654", "/@~handle-", "/109876543210987654"),
    ("/users/zhangsan/statuses/1", "/users/~handle-", "/statuses/1"),
    ("/api?path=/u/zhangsan/&n=5", "/api?path=/u/~handle-", "/&n=5"),
    ("/t/11010519491231002X", "/t/~identitynumber-", ""),
    ("/t/1#13800001234", "/t/1#~phone-", ""),
]


@pytest.mark.parametrize(("path", "before", "after"), PERSONAL, ids=[one[0] for one in PERSONAL])
def test_personal_data_gets_a_mark_and_the_rest_stays(path: str, before: str, after: str) -> None:
    found = masked(f"https://forum.example{path}", KEY).removeprefix("https://forum.example")
    assert found.startswith(before)
    assert found.endswith(after)
    assert found != path
    assert masked(found, KEY) == found
    assert masked(path, KEY) == found


@pytest.mark.parametrize(
    "path",
    [
        "/thread-18202764-29-1.html", "/2026/11/27/hello-world/", "/viewtopic.php?t=123456789&start=1500",
        "/api/comment?path=/post/1/&pageSize=50&sortBy=insertedAt_asc", "/iphone-15-pro-max-256gb-5999",
        "/p/550e8400-e29b-41d4-a716-446655440000", "/video/113456789012345", "/status/1791234567890123456",
        "/c/books/5/l/latest.json", "/wp-json/wp/v2/comments?per_page=100&page=2", "/?uri=/post/7/", "/t/t1?page=2",
        "/t/%E6%99%9A%E8%87%AA%E4%B9%A0/12", "/t/%CD%ED%D7%D4%CF%B0", "//[", "/a;b=1?c",
    ],
)  # fmt: skip
def test_the_sites_own_numbers_and_words_stay(path: str) -> None:
    assert masked(path, KEY) == path


def test_a_password_in_an_address_goes() -> None:
    assert masked("https://li:geheim@forum.example/t/12345", KEY) == "https://forum.example/t/12345"


def test_the_same_number_has_the_same_mark_however_written_and_another_key_another() -> None:
    one, two = masked("/t/13800001234", KEY), masked("/t/138-0000-1234", KEY)
    assert one == two
    assert len({one, masked("/t/13800001235", KEY), masked("/t/13800001234", b"another")}) == 3


def test_a_key_of_nothing_but_figures_is_the_sites_own() -> None:
    assert masked_key("13800001234", KEY) == "13800001234"
    assert masked_key("li.si@mail.example", KEY).startswith("~email-")
    assert "13800001234" not in masked_key("https://forum.example/t/13800001234", KEY)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(
        ["/t/{}", "/t/a-{}-b/1", "/s?q={}", "/s?a=1&phone={}", "/x?path=/t/{}/", "/t/1#{}", "/u/{}", "/@{}"]
    ),
    st.booleans(),
)
def test_no_planted_number_survives_in_an_address(number: str, pattern: str, spoken: bool) -> None:
    written = quote(number.translate(str.maketrans("0123456789", "零一二三四五六七八九"))) if spoken else number
    found = masked(f"https://forum.example{pattern.format(written)}", KEY)
    assert written not in found
    assert urlsplit(found).netloc == "forum.example"


def test_a_long_address_of_a_thread_is_masked_before_it_is_cut(crawls: Crawls) -> None:
    thread = f"https://forum.example/t/{'a' * 265}-13800001234/5"
    policy = crawls.policy()
    unit = Unit("7", "comment", "一", None, 0)
    found = UnitReader(policy, KEY).capture(
        unit, policy.sections[0], thread, thread, thread, UNKNOWN, datetime(2026, 11, 27, tzinfo=UTC)
    )
    assert found
    assert found.thread == masked(thread, KEY)[:300]
    assert "1380000" not in found.model_dump_json(exclude={"sealed_url"})


def test_what_somebody_else_supplies_is_masked_and_its_address_kept_sealed() -> None:
    url = "https://forum.example/t/call-13800001234/55"
    given_ = Capture.model_validate(ROW | {"url": url, "canonical_url": url, "thread": url})
    found = mask_capture(given_, key=KEY)
    assert "13800001234" not in found.model_dump_json()
    assert found.sealed_url
    assert opened(found.sealed_url, KEY) == url
    assert found.id == given_.id
    assert mask_capture(found, key=KEY) == found
