"""`woodpecker status --watch`: the state on the terminal, live, with how fast it moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from casework import status
from workers.cli.output import console


def run(every: float) -> None:
    """Show the state until Ctrl-C; a database that is away is said and waited for."""
    with Live(Text("…"), console=console, screen=console.is_terminal, auto_refresh=False) as live:
        try:
            for page in pages(lambda: _pause(every)):
                live.update(page, refresh=True)
        except KeyboardInterrupt:
            return


def lines(every: float, tell: Callable[[dict[str, Any]], None]) -> None:
    """Tell the state until Ctrl-C, for machines; a database that is away ends it.

    Raises:
        DatabaseError: the database cannot be read.
    """
    try:
        while True:
            tell(status.report())
            _pause(every)
    except KeyboardInterrupt:
        return


def pages(wait: Callable[[], None]) -> Iterator[RenderableType]:
    """Yield the state again and again, with the rates since the look before."""
    before: dict[str, float] = {}
    looked = time.monotonic()
    while True:
        try:
            found = status.snapshot()
            parts = status.parts()
        except DatabaseError as error:
            yield Text(f"the database cannot be read: {str(error).splitlines()[0]}", "bold red")
        else:
            now = time.monotonic()
            moving = {"accepted": found["captures"]["accepted"], "assessed": found["assessed"]}
            moving["cases"] = found["cases"]["total"]
            moving["assessed again"] = (found["reassessment"] or {}).get("assessed", 0)
            rates = {name: (n - before[name]) / max(now - looked, 1e-3) for name, n in moving.items() if name in before}
            before, looked = moving, now
            yield _page(found, parts, rates)
        wait()


def _pause(seconds: float) -> None:
    time.sleep(seconds)
    close_old_connections()  # one that broke is opened anew


def _page(found: Mapping[str, Any], parts: list[status.Part], rates: Mapping[str, float]) -> RenderableType:
    search = found["search"]
    table = Table("", "now", "per second", box=None, pad_edge=False)

    def row(name: str, value: object, rate: str = "", *, wrong: bool = False) -> None:
        table.add_row(
            name, Text(str(value), "bold red" if wrong else ""), f"{rates[rate]:,.1f}" if rate in rates else ""
        )

    row("captures accepted", f"{found['captures']['accepted']:,}", "accepted")
    row("assessed", f"{found['assessed']:,}", "assessed")
    row("inbox", f"{found['inbox']:,}")
    row("oldest waits", f"{found['oldest_inbox_seconds']:,.0f} s", wrong=found["oldest_inbox_seconds"] > 600)
    held = found["backpressure"]["crawls_held"]
    row("crawls held by a full inbox", held, wrong=held > 0)
    row("could not be assessed", f"{found['failed']:,}", wrong=found["failed"] > 0)
    row("cases", f"{found['cases']['total']:,}", "cases")
    for state, n in found["cases"]["by_state"].items():
        row(f"  {state}", f"{n:,}")
    row(f"search ({search['backend']})", search["documents"], wrong=search["documents"] is None)
    row("  behind", search["behind"], wrong=bool(search["behind"] is None or search["behind"] > 1000))
    row("workers", found["workers"], wrong=found["workers"] == 0)
    row("model", found["model"] or "–")
    if wrong := found["wrong_policies"]:
        row("wrong policy files", ", ".join(wrong), wrong=True)
    if (again := found["reassessment"]) and (again["left"] or again["failed"]):
        row(f"assessed again by {again['model']}", f"{again['assessed']:,}", "assessed again")
        row("  left", f"{again['left']:,}")
        row("  could not be assessed", f"{again['failed']:,}", wrong=again["failed"] > 0)
    down = [f"{part.name}: {part.detail}" for part in parts if not part.ok]
    state = Text("; ".join(down), "bold red") if down else Text("every part answers", "green")
    head = Text.assemble("Silver Woodpecker  ", f"{timezone.localtime():%Y-%m-%d %H:%M:%S}  ", (found["mode"], "dim"))
    return Group(head, state, Text(), table, Text("\nCtrl-C ends it", "dim"))
