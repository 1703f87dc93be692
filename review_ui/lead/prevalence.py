"""How common harmful content is on a site: shares with their intervals, and how much of what was read they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from casework import policies, prevalence
from casework.estimation import Estimate
from casework.roles import Action
from config.policy import list_sites
from review_ui import words
from review_ui.access import allowed
from review_ui.staff.facets import category_name


@dataclass(frozen=True)
class Row:
    """A share and its interval, each in per cent, and where they stand in a plot as wide as the largest of them."""

    title: str
    estimate: Estimate
    top: float

    @property
    def low(self) -> float:
        """Where the interval begins, of 100."""
        return round(100 * self.estimate.low / self.top, 2)

    @property
    def middle(self) -> float:
        """Where the share stands, of 100."""
        return round(100 * self.estimate.rate / self.top, 2)

    @property
    def width(self) -> float:
        """How wide the interval is, of 100."""
        return round(100 * (self.estimate.high - self.estimate.low) / self.top, 2)


@allowed(Action.SEE_STATUS)
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Show what `woodpecker prevalence` tells of one site, by default the first of which anything was drawn."""
    drawn = prevalence.sites()
    names = sorted({*list_sites(), *drawn})
    asked = request.GET.get("site", "")
    if asked and asked not in names:
        messages.error(request, _("没有这个平台：%(name)s") % {"name": asked[:63]})
    site = asked if asked in names else next(iter(drawn or names), "")
    since, until = _day(request, "since"), _day(request, "until")
    if since and until and since > until:
        messages.error(request, _("结束日期早于开始日期"))
        until = None
    told = prevalence.of_site(site, since, until) if site else None
    context = {
        "sites": [(name, policies.site_title(name)) for name in names],
        "site": site,
        "since": since,
        "until": until,
        "told": told,
        "categories": _rows(_by_category(told)) if told else [],
        "sections": _rows({policies.section_title(site, one): told.sections[one] for one in told.sections})
        if told and len(told.sections) > 1
        else [],
        "coverage": [
            (policies.section_title(site, one.section), _(words.METHODS.get(one.method, one.method)), one)
            for one in told.coverage
        ]
        if told
        else [],
    }
    return render(request, "review_ui/prevalence.html", context)


def _by_category(told: prevalence.Prevalence) -> dict[str, Estimate]:
    """Return every estimate of a site by its title: of any category first, then the commonest."""
    if told.overall is None:
        return {}
    ranked = sorted(told.categories.items(), key=lambda pair: (-pair[1].rate, pair[0]))
    return {_("任一类别"): told.overall, **{category_name(slug): one for slug, one in ranked}}


def _rows(estimates: Mapping[str, Estimate]) -> list[Row]:
    top = max((one.high for one in estimates.values()), default=0.0) or 1.0
    return [Row(title, one, top) for title, one in estimates.items()]


def _day(request: HttpRequest, name: str) -> date | None:
    """Return a day of the question; one that is none is told and left out."""
    value = request.GET.get(name, "")
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        messages.error(request, _("日期应写作 2026-11-01"))
        return None
