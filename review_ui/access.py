"""Who may open which page, where each role begins, and how errors of casework become answers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from casework import errors
from casework.models import Role, User
from casework.roles import Action, may

View: TypeAlias = Callable[..., HttpResponse]

HOME: dict[Role, str] = {
    Role.REVIEWER: "queue",
    Role.DUTY: "queue",
    Role.VOLUNTEER: "volunteer",
    Role.LIAISON: "notices",
    Role.LEAD: "lead",
    Role.ADMIN: "lead",
}


def home_of(user: User) -> str:
    """Return the address of the page on which this person begins."""
    return reverse(HOME[Role(user.role)])


def allowed(action: Action) -> Callable[[View], View]:
    """Let only those in who may do this; the others are told who may."""

    def decorate(view: View) -> View:
        @login_required
        @functools.wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            verdict = may(person(request), action)
            if not verdict:
                return refused(request, verdict.reason)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def person(request: HttpRequest) -> User:
    """Return who is signed in."""
    return cast(User, request.user)


def refused(request: HttpRequest, reason: str) -> HttpResponse:
    """Say why a page is not for this person, and where theirs is."""
    return render(request, "review_ui/error.html", {"status": 403, "reason": reason}, status=403)


class CaseworkErrors:
    """One place where errors of casework become HTTP answers.

    A page shows them as a message above the page the person came from, so that nothing they typed into another page
    is lost; htmx gets the message with the right status.
    """

    STATUS: dict[type[errors.CaseworkError], int] = {
        errors.NotFound: 404,
        errors.NotAllowed: 403,
        errors.InvalidInput: 422,
        errors.StaleCase: 409,
        errors.NothingToUndo: 409,
    }

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for an error of casework; everything else is left alone."""
        if not isinstance(error, errors.CaseworkError):
            return None
        status = next(code for kind, code in self.STATUS.items() if isinstance(error, kind))
        if request.method == "POST" and not request.headers.get("HX-Request"):
            messages.error(request, str(error))
            return HttpResponseRedirect(_back(request))
        template = "review_ui/fragment_error.html" if request.headers.get("HX-Request") else "review_ui/error.html"
        return render(request, template, {"status": status, "reason": str(error)}, status=status)


def _back(request: HttpRequest) -> str:
    """Return the page that a form names in `back`, if it is one of ours, else the person's first page."""
    from django.utils.http import url_has_allowed_host_and_scheme

    target = request.POST.get("back", "")
    if target and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return reverse("home")
