"""`woodpecker user`: accounts without default passwords."""

from __future__ import annotations

from typing import Any

import pytest

from casework.models import Role, User

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


@pytest.mark.parametrize("role", list(Role))
def test_an_account_is_added_with_a_link_and_without_a_password(woodpecker: Any, role: Role) -> None:
    done = woodpecker("user", "add", "somebody", "--role", role, "--json")
    assert done.code == 0
    assert done.json["set_password_link"].startswith("http://127.0.0.1:8000/")
    assert not User.objects.get(username="somebody").has_usable_password()


def test_a_person_gets_the_link_in_words(woodpecker: Any) -> None:
    done = woodpecker("user", "add", "somebody", "--role", "lead")
    assert "somebody (lead) sets a password here, once, within three days:" in done.out


@pytest.mark.parametrize(("name", "role", "field"), [("somebody", "king", "role"), ("with space", "lead", "name")])
def test_what_cannot_be_an_account_is_refused(woodpecker: Any, name: str, role: str, field: str) -> None:
    done = woodpecker("user", "add", name, "--role", role, "--json")
    assert done.code == 2
    assert field in done.json["error"]
    assert User.objects.count() == 0


def test_a_name_is_taken_once(woodpecker: Any) -> None:
    woodpecker("user", "add", "somebody", "--role", "lead")
    done = woodpecker("user", "add", "somebody", "--role", "reviewer")
    assert done.code == 2
    assert User.objects.get().role == "lead"


def test_accounts_are_listed_closed_and_opened(woodpecker: Any) -> None:
    woodpecker("user", "add", "somebody", "--role", "lead")
    assert woodpecker("user", "disable", "somebody", "--json").json == {"user": "somebody", "active": False}
    assert woodpecker("user", "list", "--json").json["users"][0]["is_active"] is False
    assert "somebody is open." in woodpecker("user", "enable", "somebody").out
    assert "somebody" in woodpecker("user", "list").out


def test_somebody_unknown_is_answered_with_who_there_is(woodpecker: Any) -> None:
    woodpecker("user", "add", "somebody", "--role", "lead")
    for call in ("link", "disable", "enable"):
        done = woodpecker("user", call, "somebdy")
        assert done.code == 2
        assert "no account is named 'somebdy'; there are: somebody" in done.err
    assert woodpecker("user", "link", "somebody", "--json").json["set_password_link"]
