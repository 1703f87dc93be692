"""No page, however wrong, breaks a crawl, and each kind of trouble is told; a thousand of them: benchmarks."""

from __future__ import annotations

from tests.crawlers import malformed
from tests.crawlers.conftest import Crawls
from tests.crawlers.site import Site


def test_the_good_pages_between_bad_ones_are_read(site: Site, crawls: Crawls) -> None:
    good = malformed.put(site, 80)

    texts = {one.text for one in crawls.run(patience=120)}

    assert good <= texts
    told = crawls.report
    assert not [reason for reason in told.failed if reason.startswith("unforeseen") or reason[:1].isupper()]
    assert {"the body was cut off", "the compression is broken"} <= told.failed.keys()
