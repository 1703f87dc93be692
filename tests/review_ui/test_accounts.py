"""Signing in, one-time links, and the page on which accounts are kept."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from casework import accounts
from casework.models import AuditEntry, Role, User
from tests.casework.factories import make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db
PASSWORD = "啄木鸟在老树上敲了三下"


def with_password(role: Role = Role.REVIEWER) -> User:
    user = make_user(role)
    uid, token = accounts.set_password_link(user).strip("/").split("/")[1:]
    return accounts.set_password(uid, token, PASSWORD)


def test_a_password_opens_the_door_and_a_wrong_one_does_not(client: Client) -> None:
    user = with_password()
    wrong = client.post("/sign-in/", {"username": user.username, "password": "not this one"})
    assert "用户名或密码不对" in words(wrong)
    right = client.post("/sign-in/", {"username": user.username, "password": PASSWORD}, follow=True)
    assert right.redirect_chain[-1][0] == "/queue/"


def test_five_wrong_passwords_close_the_door_for_a_while(client: Client) -> None:
    user = with_password()
    for _attempt in range(5):
        answer = client.post("/sign-in/", {"username": user.username, "password": "not this one"})
    assert answer.status_code == 429
    assert "十五分钟" in words(answer)
    right = client.post("/sign-in/", {"username": user.username, "password": PASSWORD})
    assert right.status_code == 429
    another = with_password()
    assert client.post("/sign-in/", {"username": another.username, "password": PASSWORD}).status_code == 302


def test_whoever_was_locked_out_is_let_in_by_a_new_one_time_link(client: Client) -> None:
    user = with_password()
    for _attempt in range(5):
        client.post("/sign-in/", {"username": user.username, "password": "not this one"})
    client.post(accounts.issue_link(user), {"password": PASSWORD + "又三下", "again": PASSWORD + "又三下"})
    answer = client.post("/sign-in/", {"username": user.username, "password": PASSWORD + "又三下"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/queue/"


def test_a_sign_in_leads_to_the_page_that_was_wanted_but_never_off_the_site(client: Client) -> None:
    user = with_password()
    for wanted, reached in (("/queue/?sort=newest", "/queue/?sort=newest"), ("https://elsewhere.example/", "/")):
        client.logout()
        answer = client.post("/sign-in/", {"username": user.username, "password": PASSWORD, "next": wanted})
        assert answer.headers["Location"] == reached


def test_looking_at_a_sign_in_link_does_not_use_it_up(client: Client) -> None:
    link = accounts.sign_in_link(make_user())
    assert client.get(link).status_code == 200
    assert client.get("/queue/").status_code == 302
    assert client.post(link).status_code == 302
    assert client.get("/queue/").status_code == 200
    again = Client().post(link)
    assert again.status_code == 403
    assert "已使用" in words(again)


def test_a_password_is_set_once_and_opens_the_door(client: Client) -> None:
    user = make_user(Role.VOLUNTEER)
    link = accounts.set_password_link(user)
    assert user.username in words(client.get(link))
    differing = client.post(link, {"password": PASSWORD, "again": "another"})
    assert messages(differing) == ["两次输入的密码不一致"]
    weak = client.post(link, {"password": "12345", "again": "12345"})
    assert "密码" in messages(weak)[0]
    assert "12345" not in words(weak)
    done = client.post(link, {"password": PASSWORD, "again": PASSWORD})
    assert done.headers["Location"] == "/sign-in/"
    assert client.get(link).status_code == 403
    signed_in = client.post("/sign-in/", {"username": user.username, "password": PASSWORD}, follow=True)
    assert signed_in.redirect_chain[-1][0] == "/volunteer/"


def test_signing_out_is_an_act_and_not_a_link(enter: Enter) -> None:
    client = enter(Role.REVIEWER)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert client.get("/queue/").status_code == 302


def test_a_closed_account_is_out_at_once(enter: Enter) -> None:
    user = make_user()
    client = enter(user)
    accounts.set_active(user, False)
    assert client.get("/queue/").status_code == 302


def test_an_administrator_makes_an_account_and_hands_its_link_over(enter: Enter) -> None:
    admin = enter(Role.ADMIN)
    page = admin.post("/lead/people/", {"name": "wang.li", "role": "volunteer"})
    link = read(page).css("code.hash::text").get("")
    user = User.objects.get(username="wang.li")
    assert user.role == Role.VOLUNTEER
    assert "wang.li" in messages(page)[0]
    assert Client().get(link.removeprefix("http://testserver")).status_code == 200
    assert link not in admin.get("/lead/people/").content.decode()


def test_a_wrong_name_is_refused_in_words(enter: Enter) -> None:
    make_user()
    page = enter(Role.ADMIN).post(
        "/lead/people/", {"name": "wang li", "role": "lead", "back": "/lead/people/"}, follow=True
    )
    assert messages(page) == ["用户名“wang li”不可用。允许：字母、数字与 @ . + - _"]


def test_whoever_forgot_the_password_gets_a_new_link_and_it_is_recorded(enter: Enter) -> None:
    user, boss = with_password(), make_user(Role.ADMIN)
    page = enter(boss).post(f"/lead/people/{user.pk}/link/")
    link = read(page).css("code.hash::text").get("").removeprefix("http://testserver")
    assert Client().get(link).status_code == 200
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.action, entry.actor, entry.subject) == ("account.link", boss.staff_no, f"user:{user.staff_no}")


def test_an_account_is_closed_and_opened_but_nobody_closes_their_own(enter: Enter) -> None:
    user, boss = make_user(), make_user(Role.ADMIN)
    admin = enter(boss)
    for active in (False, True):
        admin.post(f"/lead/people/{user.pk}/switch/")
        user.refresh_from_db()
        assert user.is_active is active
    answer = admin.post(f"/lead/people/{boss.pk}/switch/")
    assert [str(one) for one in get_messages(answer.wsgi_request)] == ["不能停用自己的账号"]
    boss.refresh_from_db()
    assert boss.is_active


def test_a_closed_account_gets_no_link(enter: Enter) -> None:
    user = make_user()
    accounts.set_active(user, False)
    admin = enter(Role.ADMIN)
    answer = admin.post(f"/lead/people/{user.pk}/link/", {"back": "/lead/people/"}, follow=True)
    assert messages(answer) == ["账号已停用，须先启用"]
