"""What a crawler remembers: what was committed survives, and sites of one folder share one clock."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from crawlers.recheck import Seen
from crawlers.state import HELD_SECONDS, AlreadyRunning, Robots, State, ThreadState


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_what_was_not_committed_is_forgotten(folder: Path) -> None:
    state = State(folder, "a")
    state.note_unit("t1", "p1", "x")
    state.commit()
    state.note_unit("t1", "p2", "y")
    state.close()

    assert State(folder, "a").known("t1", ["p1", "p2", "p3"]) == {"p1": "x"}


def test_a_unit_is_known_within_its_thread(folder: Path) -> None:
    state = State(folder, "a")
    state.note_unit("t1", "p1", "x")

    assert state.known("t2", ["p1"]) == {}
    state.note_unit("t1", "p1", "edited")
    assert state.known("t1", ["p1"]) == {"p1": "edited"}


@pytest.mark.parametrize("secret", [b"", b"only-for-tests"], ids=["plain", "sealed"])
def test_the_units_of_a_page_are_looked_up_at_once_whatever_their_keys_are(folder: Path, secret: bytes) -> None:
    state = State(folder, "a", key=secret)
    keys = ["1", "01", "1.0", "a'b", '"', "键", "null", "[1]", '["a/b",1]', *map(str, range(10, 1500))]
    keys.append(f"{'[' * 5000}/{']' * 5000}")
    for key in keys:
        state.note_unit("t", key, f"id of {key}")

    assert state.known("t", [*keys, "other"]) == {key: f"id of {key}" for key in keys}


def test_a_robots_file_that_another_crawl_has_read_anew_is_the_one_that_counts(folder: Path) -> None:
    ours, theirs = State(folder, "a"), State(folder, "b")
    ours.note_robots("https://forum.example", Robots(1.0, 200, "Disallow: /a"))
    first = ours.robots("https://forum.example")

    assert first == Robots(1.0, 200, "Disallow: /a")
    assert ours.robots("https://forum.example") is first  # its text is read once

    theirs.note_robots("https://forum.example", Robots(2.0, 200, "Disallow: /b"))
    assert ours.robots("https://forum.example") == Robots(2.0, 200, "Disallow: /b")
    assert ours.robots("https://other.example") is None


def test_a_thread_is_remembered_as_it_was_left(folder: Path) -> None:
    state = State(folder, "a")
    left = ThreadState("7|2026", "http://forum.example/t/1?page=2", 20.0, 10.0, 15)
    state.note_thread("t1", left)

    assert state.thread("t1") == left
    assert state.thread("t2") is None


def test_one_site_is_held_by_one_crawl_and_others_are_free(folder: Path) -> None:
    held = State(folder, "a")
    with pytest.raises(AlreadyRunning, match="another crawl of a is using"):
        State(folder, "a")
    State(folder, "b").close()
    held.close()
    State(folder, "a").close()


def test_all_sites_of_a_thread_share_one_connection_to_what_their_gates_note(folder: Path) -> None:
    def connections() -> int:
        files = [path.resolve() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return files.count((folder / "gate.sqlite3").resolve())

    states = [State(folder, f"site{n}") for n in range(5)]
    assert connections() == 1
    for state in states[1:]:
        state.close()
    states[0].note_next_at("forum.example", 5.0)  # the others took nothing away
    states[0].close()
    assert connections() == 0
    assert State(folder, "site1").next_at("forum.example") == 5.0


def test_a_stop_is_of_one_site_and_ends(folder: Path) -> None:
    a, b = State(folder, "a"), State(folder, "b")
    a.note_stop(100.0, "answered 403")

    assert (a.stopped(99.0) or "").startswith("answered 403, until ")
    assert a.stopped(100.0) is None
    assert b.stopped(99.0) is None


def test_pages_are_counted_by_site_and_day(folder: Path) -> None:
    a, b = State(folder, "a"), State(folder, "b")
    for _ in range(3):
        a.count_page("2026-11-24")
    a.count_page("2026-11-25")

    assert (a.pages_on("2026-11-24"), a.pages_on("2026-11-25"), b.pages_on("2026-11-24")) == (3, 1, 0)


def test_several_crawls_never_take_one_turn_twice(folder: Path) -> None:
    taken: list[float] = []
    clock = [1000.0]

    def take(name: str) -> None:
        state = State(folder, name)
        dice = random.Random(name)
        for _ in range(50):
            now = clock[0] = clock[0] + dice.random() * 0.2
            if state.take_turn("forum.example", now, 1.0) == 0:
                taken.append(now)
                state.end_turn("forum.example", now + 1.0)
        state.close()

    threads = [threading.Thread(target=take, args=(f"site{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    taken.sort()
    assert len(taken) > 5
    assert min(after - before for before, after in zip(taken, taken[1:], strict=False)) >= 1.0


def test_a_turn_is_held_until_it_is_given_back_or_its_holder_is_gone(folder: Path) -> None:
    a, b = State(folder, "a"), State(folder, "b")

    assert a.take_turn("forum.example", 1000.0, 1.0) == 0
    assert b.take_turn("forum.example", 1009.0, 1.0) == HELD_SECONDS  # the answer is slow: nobody else asks
    assert b.take_turn("other.example", 1009.0, 1.0) == 0
    a.end_turn("forum.example", 1010.0)
    assert b.take_turn("forum.example", 1009.0, 1.0) == 1.0
    assert b.take_turn("forum.example", 1010.0, 1.0) == 0
    b.close()
    assert a.take_turn("forum.example", 1011.0, 1.0) == 0


def test_nothing_that_somebody_wrote_is_remembered(folder: Path) -> None:
    state = State(folder, "a")
    columns = [
        row[1]
        for table in ("unit", "thread", "validator", "section")
        for row in state._db.execute(f"PRAGMA table_info({table})")
    ]
    state.close()

    assert not {"text", "title", "author"} & set(columns)


def test_an_address_with_personal_data_is_remembered_sealed_and_found_again(tmp_path: Path) -> None:
    key, url = b"only-for-tests", "https://forum.example/t/call-13800001234/55"
    state = State(tmp_path, "test", key=key)
    state.note_thread(url, ThreadState("3", f"{url}?page=2", 1.0, 1.0))
    state.note_unit(url, f"{url}#title", "a" * 64)
    state.note_unit(url, "7", "b" * 64)
    state.past.note_page(url, Seen(url, 0), 1.0)
    state.commit()

    found = state.thread(url)
    assert found
    assert found.last_url == f"{url}?page=2"
    assert state.known(url, [f"{url}#title", "7"]) == {f"{url}#title": "a" * 64, "7": "b" * 64}
    assert state.units_of(url) == 1
    assert state.past.pages(url) == [Seen(url, 0)]
    assert state.past.missing(url, []) == {"7": "b" * 64}
    state.close()
    assert not any(b"13800001234" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
