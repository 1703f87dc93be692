"""Who may open which page, where each role begins, and how errors become answers that help."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from casework import errors
from casework.models import Role, User
from casework.roles import Action, may, roles_that_may
from review_ui.errors import in_words

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
        @functools.wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            if not may(person(request), action):
                return _refused(request, action)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def person(request: HttpRequest) -> User:
    """Return who is signed in."""
    return cast(User, request.user)


def problem(request: HttpRequest, status: int, reason: str) -> HttpResponse:
    """Say in a page, or in a message for htmx, what did not go and where to go on."""
    template = "review_ui/fragment_error.html" if _is_htmx(request) else "review_ui/error.html"
    return render(request, template, {"status": status, "reason": reason}, status=status)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer for a form that was opened before the last sign-in, or that another site sent (`CSRF_FAILURE_VIEW`)."""
    return problem(request, 403, _("这一页打开得太久了，或是在别处重新登录过。请回到首页，再做一次。"))


def back_to(request: HttpRequest) -> str:
    """Return the page that a form names in `back`, if it is one of ours, else the person's first page."""
    return _ours(request.POST.get("back", "")) or reverse("home")


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
        errors.HeldByOther: 409,
        errors.NothingToUndo: 409,
    }

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # No database keeps a NUL in a text, and no keyboard makes one.
        if any("\0" in value for given in (request.GET, request.POST) for _name, value in _values(given)):
            return problem(request, 400, _("收到的文字里有不能使用的字符。"))
        response = self._get_response(request)
        if response.status_code == 405 and not response.content:
            return problem(request, 405, _("这个地址只用来提交，不能直接打开。"))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for an error of casework; everything else is left alone."""
        if not isinstance(error, errors.CaseworkError):
            return None
        if request.method == "POST" and not _is_htmx(request):
            messages.error(request, in_words(error))
            return HttpResponseRedirect(back_to(request))
        return problem(request, self.status(error), in_words(error))

    @classmethod
    def status(cls, error: errors.CaseworkError) -> int:
        """Return the HTTP status that says what kind of error this is."""
        return next(code for kind, code in cls.STATUS.items() if isinstance(error, kind))


def _refused(request: HttpRequest, action: Action) -> HttpResponse:
    user = person(request)
    others = [_(role.label) for role in roles_that_may(action)]
    return problem(
        request,
        403,
        _("“%(role)s”不能%(action)s；可由%(others)s办理。")
        % {"role": _(Role(user.role).label), "action": _(action.value), "others": _("、").join(others)},
    )


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in page, and from there back to the page on which the person was, never to a mere act."""
    if _is_htmx(request):
        here = urlsplit(request.headers.get("HX-Current-URL", ""))._replace(scheme="", netloc="", fragment="")
        return HttpResponseClientRedirect(redirect_to_login(_ours(here.geturl()) or reverse("home")).url)
    return redirect_to_login(request.get_full_path() if request.method == "GET" else back_to(request))


def _is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _ours(address: str) -> str:
    return address if address and url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""


def _values(given: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, values in given.lists() for value in values]
