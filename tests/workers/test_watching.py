"""The state on the terminal moves, and says what is wrong."""

from __future__ import annotations

import pytest
from django.db import DatabaseError
from rich.console import Console, RenderableType

from casework import intake, status
from tests.casework.factories import make_capture
from workers import watching

pytestmark = pytest.mark.django_db


def text(page: RenderableType) -> str:
    console = Console(width=80, file=None, record=True, force_terminal=False)
    with console.capture() as shown:
        console.print(page)
    return " ".join(shown.get().split())


def test_each_look_shows_what_is_there_now_and_how_fast_it_moves() -> None:
    pages = watching.pages(lambda: None)
    assert "inbox 0" in text(next(pages))
    intake.receive([make_capture(), make_capture()])
    status.beat(status.WORK, "stand-in-1")
    status.beat(status.CLOCK)
    shown = text(next(pages))
    assert "inbox 2" in shown
    assert "model stand-in-1" in shown
    accepted = shown.split("captures accepted ")[1].split()
    assert (accepted[0], float(accepted[1].replace(",", "")) > 0) == ("2", True)
    assert "every part answers" in shown


def test_a_part_that_is_away_is_named_and_an_absent_database_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = watching.pages(lambda: None)
    assert "workers: 0 alive" in text(next(pages))

    def gone() -> None:
        raise DatabaseError("the server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(status, "snapshot", gone)
        assert "the server closed the connection" in text(next(pages))
    assert "inbox 0" in text(next(pages))


def test_a_machine_is_told_each_look_until_somebody_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_pause", lambda _seconds: None)
    told: list[int] = []

    def tell(snapshot: dict[str, object]) -> None:
        told.append(int(str(snapshot["inbox"])))
        if len(told) == 2:
            raise KeyboardInterrupt
        intake.receive([make_capture()])

    watching.lines(2, tell)
    assert told == [0, 1]
