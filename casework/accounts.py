"""Accounts: one role each, no default password, entered through one-time links."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.http import base36_to_int, urlsafe_base64_decode, urlsafe_base64_encode

from casework import audit, chains
from casework.errors import InvalidInput, NotAllowed
from casework.models import Role, User

SET_PASSWORD_PATH = "/set-password/{uid}/{token}/"  # noqa: S105 - a path
SIGN_IN_PATH = "/sign-in/{uid}/{token}/"
SIGN_IN_LINK_VALID = timedelta(hours=12)
USERNAME_CHARACTERS = 150


class _OnceTokens(PasswordResetTokenGenerator):
    """A token that dies with the next sign-in or password, to the microsecond."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        last = user.last_login.isoformat() if user.last_login else ""
        return f"{user.pk}{user.password}{last}{user.is_active}{timestamp}"


class _SetPasswordTokens(_OnceTokens):
    key_salt = "casework.accounts.set_password"


class _SignInTokens(_OnceTokens):
    key_salt = "casework.accounts.sign_in"

    def check_token(self, user: User | None, token: str | None) -> bool:
        if not super().check_token(user, token) or not token:
            return False
        age = self._num_seconds(self._now()) - base36_to_int(token.split("-")[0])
        return bool(age <= SIGN_IN_LINK_VALID.total_seconds())


_set_password_tokens = _SetPasswordTokens()
_sign_in_tokens = _SignInTokens()


@transaction.atomic
def create(username: str, role: Role | str, *, actor: User | str = audit.SYSTEM) -> User:
    """Add an account without a password; the person enters through `set_password_link`.

    Raises:
        InvalidInput: the name is taken or holds a forbidden character, or there is no such role.
    """
    try:
        given = Role(role)
    except ValueError:
        raise InvalidInput("role", role, ", ".join(Role.values)) from None
    username = User.normalize_username(username)
    _check_username(username)
    head = chains.lock("staff_no")
    user = User(username=username, role=given, staff_no=f"SW{chains.advance(head):04d}")
    user.set_unusable_password()
    user.save(force_insert=True)
    audit.record("account.create", actor, _subject(user), role=str(given))
    return user


@transaction.atomic
def set_active(user: User, active: bool, *, actor: User | str = audit.SYSTEM) -> None:
    """Close an account or open it again; what it did stays in the audit log."""
    User.objects.filter(pk=user.pk).update(is_active=active)
    user.is_active = active
    audit.record("account.open" if active else "account.close", actor, _subject(user))


def set_password_link(user: User) -> str:
    """Return the path under which this person chooses a password, once, within `PASSWORD_RESET_TIMEOUT`."""
    return SET_PASSWORD_PATH.format(uid=_uid(user), token=_set_password_tokens.make_token(user))


@transaction.atomic
def issue_link(user: User, *, actor: User | str = audit.SYSTEM) -> str:
    """Return a fresh set-password link for somebody who has forgotten theirs, and record who asked for it.

    Raises:
        NotAllowed: the account is closed.
    """
    if not user.is_active:
        raise NotAllowed("账号已停用，须先启用")
    audit.record("account.link", actor, _subject(user))
    return set_password_link(user)


def sign_in_link(user: User) -> str:
    """Return the path that signs this person in, once, within `SIGN_IN_LINK_VALID`."""
    return SIGN_IN_PATH.format(uid=_uid(user), token=_sign_in_tokens.make_token(user))


def holder_of_set_password_link(uid: str, token: str) -> User | None:
    """Return whose link this is while it may be used; None when it is wrong, used or too old."""
    user = _user(uid)
    return user if user is not None and _set_password_tokens.check_token(user, token) else None


@transaction.atomic
def set_password(uid: str, token: str, password: str) -> User:
    """Set the password of whoever holds this link; the link is used up.

    Raises:
        NotAllowed: the link is wrong, used or too old.
        InvalidInput: the password is too weak; says how.
    """
    user = _user(uid, lock=True)
    if user is None or not _set_password_tokens.check_token(user, token):
        raise NotAllowed("链接无效、已使用或已过期，请向管理员索取新的链接")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput("password", "（不显示）", " ".join(error.messages)) from None
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record("account.set_password", user, _subject(user))
    return user


@transaction.atomic
def use_sign_in_link(uid: str, token: str) -> User | None:
    """Use a sign-in link up and return whose it is; None when it is wrong, used or too old.

    Of two uses at the same instant one succeeds: the row is locked, and the use itself outdates the token.
    """
    user = _user(uid, lock=True)
    if user is None or not _sign_in_tokens.check_token(user, token):
        return None
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])
    audit.record("account.sign_in_link", user, _subject(user))
    return user


def _check_username(username: str) -> None:
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError:
        raise InvalidInput("username", username, "字母、数字与 @ . + - _") from None
    if len(username) > USERNAME_CHARACTERS:
        raise InvalidInput("username", f"{len(username)} 字", f"不超过 {USERNAME_CHARACTERS} 字")
    if User.objects.filter(username__iexact=username).exists():
        raise InvalidInput("username", username, "未被使用的名称")


def _user(uid: str, *, lock: bool = False) -> User | None:
    try:
        key = int(urlsafe_base64_decode(uid).decode("ascii"))
    except ValueError:
        return None
    users = User.objects.select_for_update() if lock else User.objects.all()
    return users.filter(pk=key, is_active=True).first()


def _uid(user: User) -> str:
    return urlsafe_base64_encode(str(user.pk).encode("ascii"))


def _subject(user: User) -> str:
    return f"user:{user.staff_no}"
