"""`woodpecker dead`."""

from __future__ import annotations

from typing import Any

import pytest

from casework import dead_letters, intake
from casework.models import DeadLetter, InboxItem, Stage
from tests.casework.factories import SITE, make_capture

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
TEXT = "这句话哪里也不许印出来"


@pytest.fixture
def letters() -> list[int]:
    """Two letters, the second without its text."""
    for restricted in (False, True):
        (batch_id,) = intake.receive([make_capture(TEXT)]).batch_ids
        dead_letters.isolate(batch_id, Stage.ASSESS, ValueError(TEXT), restricted=restricted)
    return list(DeadLetter.objects.order_by("id").values_list("id", flat=True))


def test_what_was_set_aside_is_listed_and_shown_without_its_text(woodpecker: Any, letters: list[int]) -> None:
    told, machine = woodpecker("dead", "list"), woodpecker("dead", "list", "--json", "--limit", "1")
    one = woodpecker("dead", "show", str(letters[0]), "--json")
    assert SITE in told.out
    assert [row["number"] for row in machine.json["letters"]] == [letters[1]]
    assert (machine.json["total"], machine.json["full"]) == (2, False)
    assert (one.json["error"], one.json["can_be_retried"]) == ("ValueError", True)
    assert "can be retried" in woodpecker("dead", "show", str(letters[1])).out
    assert TEXT not in told.out + machine.out + one.out


def test_letters_go_back_and_one_without_its_text_is_named(woodpecker: Any, letters: list[int]) -> None:
    done = woodpecker("dead", "retry", "--all", "--json")
    assert (done.code, done.json) == (3, {"done": [letters[0]], "left": [letters[1]]})
    assert f"{letters[1]}: its text is gone" in done.err
    assert InboxItem.objects.count() == 1


def test_a_letter_is_dropped(woodpecker: Any, letters: list[int]) -> None:
    done = woodpecker("dead", "drop", str(letters[0]), "--again")
    assert (done.code, done.out.strip()) == (0, "1 dropped")
    assert list(DeadLetter.objects.values_list("id", flat=True)) == [letters[1]]


@pytest.mark.parametrize("arguments", [["retry"], ["drop"], ["retry", "1", "--all"]])
def test_a_call_without_a_choice_or_with_two_changes_nothing(
    woodpecker: Any, letters: list[int], arguments: list[str]
) -> None:
    done = woodpecker("dead", *arguments)
    assert (done.code, DeadLetter.objects.count()) == (2, 2)
    assert "allowed: numbers of letters, or --all" in done.err


def test_an_unknown_number_is_named_and_nothing_is_changed(woodpecker: Any, letters: list[int]) -> None:
    done = woodpecker("dead", "drop", str(letters[0]), "4711", "--json")
    assert (done.code, DeadLetter.objects.count()) == (2, 2)
    assert "4711" in done.json["error"]
    assert woodpecker("dead", "show", "4711").code == 2


def test_a_full_table_is_said(woodpecker: Any, letters: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "full", lambda: True)
    assert "WOODPECKER_DEAD_LETTERS_MAX" in woodpecker("dead", "list").err
