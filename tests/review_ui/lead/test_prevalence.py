"""The lead's page of how common harmful content is: estimates where they are allowed, and plain words where not."""

from __future__ import annotations

from datetime import date

import pytest

from casework.models import Role, SampleCount
from config.taxonomy import load_taxonomy
from tests.casework.factories import SITE
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 20)


def draw(section: str = "talk", threads: int = 40) -> None:
    """Note threads of ten units that were drawn with a tenth's probability; in every fourth one is a hit."""
    for number in range(threads):
        hits = {"any": 1, "gambling": 1} if number % 4 == 0 else {}
        for category, units in {"": 10, **hits}.items():
            SampleCount.objects.create(
                day=DAY, site=SITE, section=section, stratum="", thread=f"{number:016x}", category=category,
                units=units, weight=units * 10.0, drawn=10.0, frame=400,
            )  # fmt: skip


def test_each_category_has_its_share_its_interval_and_its_place_in_the_plot(enter: Enter) -> None:
    draw()
    page = enter(Role.LEAD).get(f"/lead/prevalence/?site={SITE}")
    rows = [row.css("th, td").xpath("string()").getall() for row in read(page).css(".shares tr:not(.plot)")]
    assert rows[1][:2] == ["任一类别", "2.50%"]
    assert rows[2][:2] == [load_taxonomy().categories["gambling"].name, "2.50%"]
    low, high = (float(value.rstrip("%")) for value in rows[1][2].split("–"))
    assert low < 2.5 < high
    assert rows[1][3] == "10"
    interval = read(page).css(".plot rect:not(.ground):not(.middle)")[0].attrib
    assert float(interval["x"]) + float(interval["width"]) == pytest.approx(100, abs=0.1)
    assert "2026-11-20 至 2026-11-20：按已知概率抽取 40 个主题、400 条" in words(page)


def test_where_nothing_was_drawn_that_is_said_and_what_was_read_is_told(enter: Enter) -> None:
    page = enter(Role.LEAD).get(f"/lead/prevalence/?site={SITE}")
    assert "还不能估计" in words(page)
    assert read(page).css(".shares") == []
    assert read(page).css("table.list tbody tr")


def test_days_that_are_none_and_sites_that_are_none_are_told(enter: Enter) -> None:
    draw()
    client = enter(Role.LEAD)
    assert messages(client.get("/lead/prevalence/?since=gestern")) == ["日期应写作 2026-11-01"]
    assert messages(client.get("/lead/prevalence/?site=elsewhere")) == ["没有这个平台：elsewhere"]
    late = client.get(f"/lead/prevalence/?site={SITE}&since=2026-11-21&until=2026-11-20")
    assert messages(late) == ["结束日期早于开始日期"]
    assert "还不能估计" in words(client.get(f"/lead/prevalence/?site={SITE}&since=2026-11-21"))


def test_sections_are_told_apart_where_there_are_several(enter: Enter) -> None:
    draw("talk")
    draw("other")
    page = enter(Role.LEAD).get(f"/lead/prevalence/?site={SITE}")
    assert len(read(page).css(".shares")) == 2
