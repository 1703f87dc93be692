"""`woodpecker prevalence`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casework import intake
from tests.casework.factories import make_assessment, make_capture

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


@pytest.fixture
def sampled() -> None:
    """Thirty threads of the demonstration, drawn with probability a tenth; three of a hundred and fifty are hits."""
    pairs = []
    for number in range(150):
        capture = make_capture(
            site="demo", section="books", thread=f"t{number % 30}", method="reservoir", inclusion_probability=0.1,
            frame=300,
        )  # fmt: skip
        pairs.append((capture, make_assessment({"bullying": 0.99} if number in {3, 40, 77} else {})))
    for batch_id in intake.receive([one for one, _ in pairs], batch_size=500).batch_ids:
        intake.complete(batch_id, pairs)


@pytest.mark.usefixtures("sampled")
def test_the_share_and_its_interval_are_told_to_people_and_machines(woodpecker: Any) -> None:
    done = woodpecker("prevalence", "--site", "demo", "--json")
    assert done.code == 0
    overall = done.json["overall"]
    assert overall["rate"] == pytest.approx(0.02)
    assert overall["low"] < 0.02 < overall["high"]
    assert (overall["units"], overall["found"], overall["threads"]) == (150, 3, 30)
    assert done.json["categories"].keys() == {"bullying"}
    books = next(one for one in done.json["coverage"] if one["section"] == "books")
    assert (books["assessed"], books["sampled"], books["flagged"]) == (150, 150, 3)

    told = woodpecker("prevalence", "--site", "demo").out
    assert "2.00%" in told
    assert "bullying" in told
    assert "●" in told


@pytest.mark.usefixtures("sampled")
def test_the_figure_is_written(woodpecker: Any, tmp_path: Path) -> None:
    done = woodpecker("prevalence", "--site", "demo", "--plot", str(tmp_path / "a.svg"))
    assert done.code == 0
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg")
    gone = woodpecker("prevalence", "--site", "demo", "--plot", str(tmp_path / "none" / "a.svg"))
    assert gone.code == 1
    assert "cannot be written" in gone.err


def test_where_nothing_was_drawn_it_says_how_to_draw(woodpecker: Any) -> None:
    done = woodpecker("prevalence", "--site", "demo")
    assert done.code == 0
    assert "nothing was drawn with a known probability" in done.out
    assert woodpecker("prevalence", "--site", "demo", "--json").json["overall"] is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--site", "dem"), "found 'dem'; allowed: demo; did you mean demo?"),
        (("--site", "demo", "--since", "soon"), "--since: found 'soon'; allowed: a date such as 2026-11-01"),
        (
            ("--site", "demo", "--since", "2026-11-02", "--until", "2026-11-01"),
            "--until: found 2026-11-01; allowed: 2026-11-02",
        ),
        (("--site", "demo", "--plot", "a.png"), "--plot: found a.png; allowed: a name that ends in .svg"),
    ],
)
def test_a_wrong_call_is_told_and_changes_nothing(woodpecker: Any, arguments: tuple[str, ...], told: str) -> None:
    done = woodpecker("prevalence", *arguments)
    assert done.code == 2
    assert told in done.err
