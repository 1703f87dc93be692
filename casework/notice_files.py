"""Files of an approved list: CSV, XLSX and JSON of the same sealed rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

BOM = "\ufeff"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_WIDE = {"信息URL": 40, "脱敏摘要": 50, "法律依据": 50, "建议处置": 36, "建议时限": 34, "SHA-256": 24, "SM3": 24}


def to_csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return RFC 4180 CSV in UTF-8 with a byte order mark, so that a spreadsheet opens it as Chinese.

    A cell that a spreadsheet would take for a formula gets a leading apostrophe.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, dialect="excel")
    writer.writerow(columns)
    writer.writerows([_harmless(row[column]) for column in columns] for row in rows)
    return (BOM + buffer.getvalue()).encode("utf-8")


def to_xlsx(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, str]], made_at: datetime) -> bytes:
    """Return an XLSX workbook: every cell is text, the header row stays in sight."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": title, "created": made_at.replace(tzinfo=None)})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1, "bg_color": "#EDE7DC"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "border": 1})
        sheet = book.add_worksheet("清单")
        for at, column in enumerate(columns):
            sheet.set_column(at, at, _WIDE.get(column, 16))
            sheet.write_string(0, at, column, head)
            for line, row in enumerate(rows, start=1):
                sheet.write_string(line, at, row[column], text)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        sheet.set_landscape()
        sheet.repeat_rows(0)
    return buffer.getvalue()


def to_json(sealed: Mapping[str, Any], manifest_sha256: str) -> bytes:
    """Return the sealed list with its digest as indented JSON in UTF-8."""
    return json.dumps({**sealed, "manifest_sha256": manifest_sha256}, ensure_ascii=False, indent=2).encode("utf-8")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
