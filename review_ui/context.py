"""What every page shows around its content: where this person may go, whom to ask, and how large the words are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from casework.roles import Action, may
from config.settings import get_settings
from review_ui.access import person

# name of the page, words, what one must be allowed to do, beginning of the addresses that belong to it
PLACES = (
    ("queue", "案件队列", Action.SEE_CASES, ("/queue/", "/cases/")),
    ("notices", "处置清单", Action.PREPARE_NOTICE, ("/notices/",)),
    ("lead", "运行概览", Action.SEE_STATUS, ("/lead/",)),
    ("prevalence", "占比", Action.SEE_STATUS, ("/lead/prevalence/",)),
    ("people", "账号", Action.MANAGE_ACCOUNTS, ("/lead/people/",)),
    ("volunteer", "看内容", Action.ANNOTATE, ("/volunteer/",)),
    ("volunteer-help", "帮助", Action.ANNOTATE, ("/volunteer/help/",)),
)


TEXT_SIZE = "text_size"
"""Where a session keeps the text size."""
SIZES = ("large", "larger", "largest")
"""Text sizes of the 长辈版: 20, 26 and 32 pixels."""


@dataclass(frozen=True)
class Place:
    """One entry of the navigation."""

    title: str
    address: str
    current: bool


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Return the navigation of whoever is signed in, the support contact, and whether the pages are the 长辈版."""
    contact = get_settings().support_contact
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {"places": [], "support_contact": contact, "elder": False}
    mine = [place for place in PLACES if may(person(request), place[2])]
    fitting = [(len(start), name) for name, _title, _action, starts in mine for start in starts if _at(request, start)]
    here = max(fitting, default=(0, ""))[1]
    return {
        "places": [Place(_(title), reverse(name), name == here) for name, title, _action, _starts in mine],
        "support_contact": contact,
        "elder": bool(may(person(request), Action.ANNOTATE)),
        "size": request.session.get(TEXT_SIZE, SIZES[0]),
    }


def _at(request: HttpRequest, start: str) -> bool:
    return request.path.startswith(start)
