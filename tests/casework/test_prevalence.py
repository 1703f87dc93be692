"""The prevalence of a site: estimated from what was drawn, and plain about the rest."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from casework import counts, figure, prevalence
from casework.models import CaseState, SampleCount
from tests.casework.factories import SITE, make_case

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 20)


def put(thread: int, units: int, hits: int = 0, *, section: str = "talk", stratum: str = "", **values: object) -> None:
    """Note a thread of which `units` were read, drawn with probability a tenth."""
    common = {"day": DAY, "site": SITE, "section": section, "stratum": stratum, "thread": f"{thread:016x}"}
    for category, count in (("", units), ("any", hits), ("gambling", hits)):
        if count:
            row = {"category": category, "units": count, "weight": count * 10.0, "drawn": 10.0, "frame": 400}
            SampleCount.objects.create(**common | row | values)


def forty(**values: object) -> None:
    for number in range(40):
        put(number, 10, number % 4 == 0, **values)  # type: ignore[arg-type]


def test_the_share_is_estimated_for_any_category_for_each_and_for_each_section() -> None:
    forty()
    forty(section="other")
    found = prevalence.of_site(SITE)
    assert found.overall
    assert found.overall.rate == pytest.approx(0.025)
    assert found.overall.low < 0.025 < found.overall.high
    assert (found.overall.units, found.overall.found, found.overall.threads) == (800, 20, 80)
    assert found.categories.keys() == {"gambling"}
    assert found.sections.keys() == {"talk", "other"}
    assert (found.since, found.until) == (DAY, DAY)


def test_days_outside_the_bounds_do_not_count_and_the_bounds_do() -> None:
    forty()
    put(99, 500, 500, day=date(2026, 11, 19))
    put(98, 500, 500, day=date(2026, 11, 21))
    found = prevalence.of_site(SITE, DAY, DAY)
    assert found.overall
    assert found.overall.threads == 40
    assert prevalence.of_site(SITE, date(2026, 12, 1)).overall is None


def test_a_thread_that_was_read_on_several_days_counts_once() -> None:
    forty()
    forty(day=date(2026, 11, 21))
    found = prevalence.of_site(SITE).overall
    assert found
    assert (found.threads, found.units) == (40, 800)


def test_what_was_read_without_a_probability_is_told_and_nothing_is_claimed_of_it() -> None:
    counts.add({(SITE, "hot"): {"assessed": 50, "flagged": 20}})
    forty()
    found = prevalence.of_site(SITE)
    assert found.overall
    assert found.overall.units == 400
    rows = {one.section: (one.assessed, one.sampled, one.flagged) for one in found.coverage}
    assert rows == {"hot": (50, 0, 20), "talk": (0, 400, 0)}


def test_other_sites_do_not_count() -> None:
    forty(site="elsewhere")
    assert prevalence.of_site(SITE).overall is None
    assert prevalence.sites() == ["elsewhere"]


def test_the_next_draw_learns_where_threads_differ_and_where_something_was_found() -> None:
    today = timezone.localdate()
    for number in range(30):
        put(number, 10, 0, stratum="1d-to20", day=today)
        put(number, 10, 5 * (number % 2), stratum="older-to20", day=today)
        put(number, 10, 0, section="calm", day=today)
    told = prevalence.past_spreads(SITE)
    assert told["talk", "older-to20"] > told["talk", "1d-to20"]
    assert told["talk", ""] > told["calm", ""]

    now = timezone.now()
    make_case(thread="t1", captured_at=now)
    make_case(thread="t1", captured_at=now)
    make_case(thread="t2", captured_at=now, state=CaseState.DISMISSED)
    assert prevalence.past_finds(SITE) == {"t1": 2.0}


def test_the_figure_is_svg_with_a_row_for_each_category() -> None:
    forty()
    root = ElementTree.fromstring(figure.svg(prevalence.of_site(SITE)))  # noqa: S314 - our own
    text = " ".join(root.itertext())
    assert "赌博" in text
    assert "任一类别" in text
    assert len([one for one in root.iter() if one.tag.endswith("circle")]) == 2


def test_a_figure_of_nothing_says_so() -> None:
    assert "没有按已知概率抽取的样本" in figure.svg(prevalence.of_site(SITE))
