"""Accounts, and the one-time links through which people enter."""

from datetime import datetime, timedelta

import pytest

from casework import accounts
from casework.errors import InvalidInput, NotAllowed
from casework.models import AuditEntry, Role, User
from tests.casework.factories import make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
PASSWORD = "啄木鸟在老树上敲了三下"


def parts(link: str) -> tuple[str, str]:
    uid, token = link.strip("/").split("/")[1:]
    return uid, token


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    for generator in (accounts._sign_in_tokens, accounts._set_password_tokens):
        monkeypatch.setattr(generator, "_now", lambda: datetime.now() + by)  # noqa: DTZ005 - as Django's own


def test_an_account_has_a_role_a_number_and_no_password() -> None:
    first, second = accounts.create("wang.li", "reviewer"), accounts.create("李芳", Role.LEAD)
    assert (first.staff_no, second.staff_no) == ("SW0001", "SW0002")
    assert not first.has_usable_password()
    assert (first.role, first.is_staff, first.is_superuser) == (Role.REVIEWER, False, False)
    assert AuditEntry.objects.filter(action="account.create").count() == 2


@pytest.mark.parametrize(
    ("field", "username", "role"),
    [
        ("role", "wang", "boss"),
        ("username", "", "lead"),
        ("username", "wang li", "lead"),
        ("username", "x" * 151, "lead"),
        ("username", "TAKEN", "lead"),
    ],
)
def test_a_wrong_name_or_role_is_named_and_nothing_is_made(field: str, username: str, role: str) -> None:
    accounts.create("taken", "lead")
    with pytest.raises(InvalidInput) as caught:
        accounts.create(username, role)
    assert caught.value.field == field
    assert User.objects.count() == 1
    assert accounts.create("next", "lead").staff_no == "SW0002"


def test_a_sign_in_link_works_once() -> None:
    user = make_user()
    link = parts(accounts.sign_in_link(user))
    assert accounts.use_sign_in_link(*link) == user
    assert accounts.use_sign_in_link(*link) is None
    again = parts(accounts.sign_in_link(User.objects.get(pk=user.pk)))
    assert accounts.use_sign_in_link(*again) == user
    assert accounts.use_sign_in_link(*again) is None


def test_a_sign_in_link_lasts_twelve_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    link = parts(accounts.sign_in_link(user))
    later(monkeypatch, timedelta(hours=12, seconds=5))
    assert accounts.use_sign_in_link(*link) is None
    later(monkeypatch, timedelta(hours=11, minutes=59))
    assert accounts.use_sign_in_link(*link) == user


def test_a_password_is_set_once_and_ends_every_link() -> None:
    user = make_user()
    link, sign_in = parts(accounts.set_password_link(user)), parts(accounts.sign_in_link(user))
    assert accounts.holder_of_set_password_link(*link) == user
    accounts.set_password(*link, PASSWORD)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert accounts.holder_of_set_password_link(*link) is None
    assert accounts.use_sign_in_link(*sign_in) is None
    with pytest.raises(NotAllowed):
        accounts.set_password(*link, PASSWORD)


def test_a_weak_password_is_refused_and_the_link_stays() -> None:
    user = make_user()
    link = parts(accounts.set_password_link(user))
    with pytest.raises(InvalidInput) as caught:
        accounts.set_password(*link, "12345")
    assert "12345" not in str(caught.value)
    assert accounts.holder_of_set_password_link(*link) == user


def test_one_kind_of_link_is_not_the_other() -> None:
    user = make_user()
    assert accounts.use_sign_in_link(*parts(accounts.set_password_link(user))) is None
    assert accounts.holder_of_set_password_link(*parts(accounts.sign_in_link(user))) is None


def test_a_closed_account_enters_by_no_link() -> None:
    user = make_user()
    link = parts(accounts.sign_in_link(user))
    accounts.set_active(user, False)
    assert accounts.use_sign_in_link(*link) is None
    accounts.set_active(user, True)
    assert accounts.use_sign_in_link(*link) == user


@pytest.mark.parametrize("uid", ["", "x", "!!", "OTk5OTk5", "5ZWK"])
def test_nonsense_opens_nothing(uid: str) -> None:
    token = parts(accounts.sign_in_link(make_user()))[1]
    assert accounts.use_sign_in_link(uid, token) is None
    assert accounts.holder_of_set_password_link(uid, "x-y") is None
    assert accounts.use_sign_in_link(uid, "") is None


@pytest.mark.django_db(transaction=True)
def test_of_two_uses_at_the_same_instant_one_succeeds() -> None:
    link = parts(accounts.sign_in_link(make_user()))
    found = at_once(4, lambda _: accounts.use_sign_in_link(*link))
    assert sum(user is not None for user in found) == 1


@pytest.mark.django_db(transaction=True)
def test_accounts_made_at_once_get_numbers_of_their_own() -> None:
    made = at_once(4, lambda number: accounts.create(f"person-{number}", Role.VOLUNTEER))
    assert sorted(user.staff_no for user in made) == ["SW0001", "SW0002", "SW0003", "SW0004"]
