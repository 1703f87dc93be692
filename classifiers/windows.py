"""Texts cut into windows short enough for an encoder to read at once, and batches of windows of like length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST = 126  # ids in a window; with one at either end, 128
MOST_WINDOWS = 8
BATCH_IDS = 384  # ids read at once: more of them spare calls, but cost as much again in filling up and in cache
FILLED = 20  # ids that only fill a batch up, at most: as many as a call costs


class Frame(NamedTuple):
    """The ids before and after every window, and the one that fills a matrix up."""

    first: int
    last: int
    pad: int


@dataclass(frozen=True, slots=True)
class Windows:
    """Parts of texts, each short enough to be read at once: `ids[starts[k]:ends[k]]` is a part of text `owner[k]`.
    A text of at most as many ids as a window holds is one window, an empty one too; a longer one has up to
    `MOST_WINDOWS`, evenly spread, the first and the last always among them."""

    ids: NDArray[np.integer]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    owner: NDArray[np.int64]
    frame: Frame

    def padded(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Some windows as a matrix, framed and filled up."""
        lengths = self.ends[chosen] - self.starts[chosen]
        place = np.arange(int(lengths.max(initial=0)) + 2)[None, :] - 1
        inside = (place >= 0) & (place < lengths[:, None])
        rows = np.where(place == lengths[:, None], self.frame.last, self.frame.pad).astype(np.int64)
        rows[:, 0] = self.frame.first
        rows[inside] = self.ids[(self.starts[chosen][:, None] + place)[inside]]
        return rows

    def batches(
        self, ids: int = BATCH_IDS, among: NDArray[np.int64] | None = None, filling: int | None = None
    ) -> Iterator[NDArray[np.int64]]:
        """Numbers of windows of like length, all or some, together at most `ids` ids where padded, of which at most
        `filling` are padding."""
        chosen = np.arange(len(self.owner)) if among is None else among
        for part in alike((self.ends - self.starts + 2)[chosen], ids, filling):
            yield chosen[part]


def alike(lengths: NDArray[np.int64], room: int, filling: int | None = None) -> Iterator[NDArray[np.int64]]:
    """Numbers of rows of like length, the shortest first, together at most `room` where filled up, of which at most
    `filling` fills up; or one alone."""
    order = np.argsort(lengths, kind="stable")
    ordered = lengths[order].tolist()
    most = room if filling is None else filling
    begin = 0
    while begin < len(ordered):
        end, filled = begin + 1, 0
        while end < len(ordered):
            longer = filled + (ordered[end] - ordered[end - 1]) * (end - begin)
            if longer > most or ordered[end] * (end + 1 - begin) > room:
                break
            end, filled = end + 1, longer
        yield order[begin:end]
        begin = end


def cut(ids: NDArray[np.integer], bounds: NDArray[np.int64], frame: Frame, longest: int = LONGEST) -> Windows:
    """Cut texts into windows of at most `longest` ids; text k is `ids[bounds[k]:bounds[k + 1]]`."""
    lengths = np.diff(bounds)
    parts = np.minimum(MOST_WINDOWS, 1 + np.maximum(0, lengths - 1) // longest)
    owner = np.repeat(np.arange(len(lengths)), parts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    room = np.maximum(0, lengths - longest)[owner]
    starts = bounds[owner] + number * room // np.maximum(1, parts[owner] - 1)
    ends = np.minimum(starts + longest, bounds[owner + 1])
    return Windows(ids, starts, ends, owner, frame)
