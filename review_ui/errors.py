"""Errors of casework as the person at the screen reads them, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext as _

from casework import errors
from review_ui import words

_NOTHING = frozenset({"", "0", "（不显示）"})
"""What casework says was found where there is nothing that a person would want to read."""


def in_words(error: errors.CaseworkError) -> str:
    """Return what went wrong and what is allowed; the names of fields are those of the page."""
    match error:
        case errors.NotFound():
            return _("没有%(what)s %(key)s，或无权查看") % {"what": _(error.what), "key": error.key}
        case errors.InvalidInput():
            return _invalid(error)
        case errors.StaleCase() if error.holder:
            return _("%(holder)s 刚刚已作出决定：%(finding)s。请看最新状态后再决定。") % {
                "holder": error.holder,
                "finding": _(error.finding),
            }
        case errors.StaleCase():
            return _("案件在您查看后有变化，请看最新状态后再决定。")
        case errors.HeldByOther():
            return _("%(holder)s 正在处理这一案件，请先看别的案件。") % {"holder": error.holder}
        case _other:
            return _(str(error))


def _invalid(error: errors.InvalidInput) -> str:
    field, allowed = _(words.FIELDS.get(error.field, error.field)), _(error.allowed)
    found = str(error.found if error.found is not None else "").strip()
    if found in _NOTHING:
        return _("%(field)s：%(allowed)s") % {"field": field, "allowed": allowed}
    if "\n" in found or error.field == "lines":
        return f"{allowed}\n{found}"
    return _("%(field)s“%(found)s”不可用。允许：%(allowed)s") % {"field": field, "found": found, "allowed": allowed}
