"""Signing in and out, one-time links, and where each role begins."""

from __future__ import annotations

from axes.utils import reset
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from casework import accounts
from casework.errors import CaseworkError
from review_ui.access import home_of, person, problem
from review_ui.errors import in_words


class SignIn(LoginView):
    """Sign in with name and password."""

    template_name = "review_ui/sign_in.html"
    redirect_authenticated_user = True


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Lead each role to its own work."""
    return redirect(home_of(person(request)))


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_link(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Sign in by a one-time link; only the button uses it up, so that a preview of the link does not."""
    if request.method == "GET":
        return render(request, "review_ui/sign_in_link.html")
    user = accounts.use_sign_in_link(uid, token)
    if user is None:
        return problem(request, 403, _("链接无效、已使用或已过期。请向管理员要一条新的。"))
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect(home_of(user))


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def set_password(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Choose a password by a one-time link."""
    holder = accounts.holder_of_set_password_link(uid, token)
    if holder is None:
        return problem(request, 403, _("链接无效、已使用或已过期。请向管理员要一条新的。"))
    wrong = ""
    if request.method == "POST":
        password = request.POST.get("password", "")
        if password != request.POST.get("again", ""):
            wrong = _("两次输入的密码不一致")
        else:
            try:
                accounts.set_password(uid, token, password)
            except CaseworkError as error:
                wrong = in_words(error)
            else:
                # Whoever holds the link is the person: wrong passwords of before, theirs or another's, are forgiven.
                reset(username=holder.username)
                messages.success(request, _("密码已设置，请登录"))
                return redirect("sign-in")
    return render(request, "review_ui/set_password.html", {"holder": holder, "problem": wrong})


def locked_out(request: HttpRequest, *_given: object, **_named: object) -> HttpResponse:
    """Say that there were too many attempts, and how long to wait."""
    return render(request, "review_ui/locked_out.html", status=429)
