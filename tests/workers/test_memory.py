"""A process of a worker that takes too much gets an error that it can survive."""

from __future__ import annotations

import subprocess
import sys

import pytest

TAKES = """
import sys
from workers import memory
memory.limit(int(sys.argv[1]))
try:
    taken = bytearray(int(sys.argv[2]) * memory.MEGABYTE)
    print("taken")
except MemoryError:
    print("refused")
print(len([0] * 1000), "and on it goes")
"""


@pytest.mark.parametrize(
    ("limit", "wanted", "becomes"),
    [(100, 50, "taken"), (100, 150, "refused"), (0, 150, "taken")],
)
def test_what_goes_beyond_the_limit_is_refused_and_the_process_lives(limit: int, wanted: int, becomes: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKES, str(limit), str(wanted)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [becomes, "1000 and on it goes"]
