"""An approved list as a PDF to be printed, stamped and sent: one block for each line, its digest on every page."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string

from casework.errors import NotAllowed

NEEDED = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk"
"""System packages of Debian and its kin by which pages are set in Chinese."""


def to_pdf(sealed: Mapping[str, Any], instrument: str, manifest_sha256: str) -> bytes:
    """Return the sealed list as A4 pages; nothing outside it is asked for.

    Raises:
        NotAllowed: the system libraries that set pages are missing; names them.
    """
    try:
        import weasyprint
    except OSError as error:
        raise NotAllowed(
            f"本机缺少生成 PDF 的系统库，请安装：{NEEDED}（{str(error).splitlines()[0][:120]}）"
        ) from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it tells of every page that it sets
    context = {
        "list": sealed,
        "instrument": instrument,
        "manifest": manifest_sha256,
        "rows": [[(name, value) for name, value in row.items() if value] for row in sealed["rows"]],
    }
    html = render_to_string("casework/notice.html", context)
    return bytes(weasyprint.HTML(string=html, url_fetcher=_nothing).write_pdf())


def _nothing(url: str, *arguments: Any, **options: Any) -> Any:
    """Fetch nothing: addresses in a list are shown, never followed."""
    raise ValueError("nothing is fetched for a list")
