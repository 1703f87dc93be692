"""What a crawl finds goes into the inbox, and what it no longer finds onto the cases."""

from __future__ import annotations

import pytest

from casework import intake
from casework.models import Batch, Case, InboxItem
from crawlers.report import CrawlReport
from tests.casework.factories import make_assessment, make_capture
from workers.cli import crawl_sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


def test_a_text_that_is_gone_is_noted_when_the_crawl_remembers_it() -> None:
    captures = [make_capture(site="demo", section="books") for _ in range(2)]
    report = CrawlReport("demo")
    with crawl_sink.opened(None, as_json=False) as (keep, flush):
        for capture in captures:
            keep(capture)
        flush(report)
        assert InboxItem.objects.count() == 2
        batch_id = Batch.objects.get().pk
        intake.complete(batch_id, [(one, make_assessment({"bullying": 0.99})) for one in captures])

        report.gone.append(captures[0].id)
        flush(report)
        gone = [bool(one.gone_at) for one in Case.objects.order_by("id")]
        assert sorted(gone) == [False, True]
        report.gone.append(captures[1].id)
        flush(report)

    assert all(one.gone_at for one in Case.objects.all())
    assert {one.version for one in Case.objects.all()} == {2}
