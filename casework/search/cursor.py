"""Cursors: where a page ended, in the values it was sorted by, signed so that nobody makes one up."""

from __future__ import annotations

from typing import Any

from django.core import signing

from casework.errors import InvalidInput

_SALT = "casework.search.cursor"


def write(sort: str, values: list[Any]) -> str:
    """Return the cursor of a place."""
    return signing.dumps([sort, values], salt=_SALT, compress=True)


def read(cursor: str, sort: str, length: int) -> list[Any]:
    """Return the place that a cursor names.

    Raises:
        InvalidInput: it is not ours, or belongs to another order.
    """
    try:
        made_for, values = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidInput("after", "一个无效的翻页标记", "上一页给出的标记") from None
    if made_for != sort or len(values) != length:
        raise InvalidInput("after", f"按“{made_for}”排序的翻页标记", f"按“{sort}”排序的标记")
    return list(values)
