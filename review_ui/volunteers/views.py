"""One item a screen, three big answers, and a way out that asks for no reason."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from casework import annotations, exposure, sightings
from casework.errors import InvalidInput, NothingToUndo
from casework.models import Answer, Case
from casework.roles import Action
from casework.sightings import Where
from config.taxonomy import load_taxonomy
from review_ui.access import allowed, back_to, person
from review_ui.context import SIZES, TEXT_SIZE
from review_ui.errors import in_words

REST_AFTER_MINUTES = 25


@allowed(Action.ANNOTATE)
@never_cache
@require_GET
def item(request: HttpRequest) -> HttpResponse:
    """Show the item that lies before this volunteer."""
    user = person(request)
    case = annotations.next_case(user)
    if case is None:
        return render(request, "review_ui/volunteer_done.html", _common(request))
    return render(request, "review_ui/volunteer.html", {**_common(request), **_shown(case, request)})


@allowed(Action.ANNOTATE)
@require_POST
def show(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show the masked text: one tap, recorded."""
    user = person(request)
    case = annotations.next_case(user)
    if case is None or case.pk != case_id:
        return redirect("volunteer")
    exposure.reveal(case, user)
    request.session["volunteer_shown"] = case_id
    return redirect("volunteer")


@allowed(Action.ANNOTATE)
@require_POST
def answer(request: HttpRequest, case_id: int) -> HttpResponse:
    """Record an answer; after 有害 ask which kind."""
    user = person(request)
    given = request.POST.get("answer", "")
    annotations.answer(case_id, user, given)
    if given == Answer.HARMFUL:
        return redirect("volunteer-category", case_id=case_id)
    messages.success(request, _("已记下，谢谢您"))
    return redirect("volunteer")


@allowed(Action.ANNOTATE)
@never_cache
@require_http_methods(["GET", "POST"])
def category(request: HttpRequest, case_id: int) -> HttpResponse:
    """Ask which kind of harm it is; "说不清" is an answer too."""
    user = person(request)
    if request.method == "POST":
        slug = request.POST.get("category", "")
        if slug:
            annotations.answer(case_id, user, Answer.HARMFUL, category=slug)
        messages.success(request, _("已记下，谢谢您"))
        return redirect("volunteer")
    context = {**_common(request), "case_id": case_id, "cards": _cards()}
    return render(request, "review_ui/volunteer_category.html", context)


@allowed(Action.ANNOTATE)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Put the last item before the volunteer again."""
    try:
        annotations.undo_last(person(request))
    except NothingToUndo as nothing:
        messages.info(request, in_words(nothing))
    else:
        messages.success(request, _("已退回上一条，请重新回答"))
    return redirect("volunteer")


@allowed(Action.ANNOTATE)
@require_GET
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain the work in plain words."""
    return render(request, "review_ui/volunteer_help.html", {**_common(request), "cards": _cards()})


@allowed(Action.ANNOTATE)
@require_POST
def text_size(request: HttpRequest) -> HttpResponse:
    """Keep the text size that this person reads well."""
    size = request.POST.get("size", "")
    if size not in SIZES:
        raise InvalidInput("size", size, ", ".join(SIZES))
    request.session[TEXT_SIZE] = size
    return HttpResponseRedirect(back_to(request))


def _cards() -> list[object]:
    """Return the categories that a volunteer may be asked about."""
    return [one for one in load_taxonomy().categories.values() if one.volunteers != "never"]


def _shown(case: Case, request: HttpRequest) -> dict[str, object]:
    """Return what the page shows of the item; that it was seen is recorded."""
    user = person(request)
    revealed = request.session.get("volunteer_shown") == case.pk
    view = exposure.present(case, user, revealed=revealed)
    sightings.note_case(user, Where.VOLUNTEER, view)
    return {"case": case, "view": view}


def _common(request: HttpRequest) -> dict[str, object]:
    """Return what every page of a volunteer shows: the day's work, the text sizes, and whether to offer a rest."""
    done = annotations.work_done(person(request))
    return {
        "done": done,
        "sizes": [(size, label) for size, label in zip(SIZES, (_("大"), _("更大"), _("最大")), strict=True)],
        "offer_rest": annotations.minutes_at_work(person(request)) >= REST_AFTER_MINUTES,
    }
