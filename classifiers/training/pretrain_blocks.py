"""Blocks of ids, drawn on the run's device from packed streams by weight.

On a GPU the streams lie in its memory, two bytes an id; on a processor they stay mapped, so that a corpus may be larger
than memory. Which blocks are drawn depends on the generator alone.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from classifiers.training.pretrain_corpus import Mixture
from classifiers.training.tokens import Ids


class Blocks:
    """Draws from a mixture."""

    def __init__(self, mixture: Mixture, device: torch.device) -> None:
        lengths = np.array([len(ids) for ids in mixture.streams])
        self._device = device
        self._ends = torch.from_numpy(np.cumsum(mixture.shares)).to(device)
        self._lengths = torch.from_numpy(lengths).to(device)
        self._offsets = torch.from_numpy(np.cumsum(lengths) - lengths).to(device)
        self._streams = [_as_tensor(ids) for ids in mixture.streams]
        self._together = None if device.type == "cpu" else _joined(self._streams, device)

    def draw(self, batch: int, length: int, generator: torch.Generator) -> Tensor:
        """Blocks of consecutive ids from random places of the streams, int64 (batch × length)."""
        lots = torch.rand((2, batch), dtype=torch.float64, device=self._device, generator=generator)
        stream = torch.searchsorted(self._ends, lots[0], right=True).clamp(max=len(self._streams) - 1)
        begin = (lots[1] * (self._lengths[stream] - length)).long()
        return self._read(stream, begin, length).long() & 0xFFFF

    def _read(self, stream: Tensor, begin: Tensor, length: int) -> Tensor:
        if self._together is not None:
            first = self._offsets[stream] + begin
            return self._together[first[:, None] + torch.arange(length, device=self._device)]
        rows = zip(stream.tolist(), begin.tolist(), strict=True)
        return torch.stack([self._streams[number][low : low + length] for number, low in rows])


def _as_tensor(ids: Ids) -> Tensor:
    """Ids as signed integers of the same two bytes: tensors know few operations on unsigned ones."""
    return torch.from_numpy(np.asarray(ids).view(np.int16))


def _joined(streams: list[Tensor], device: torch.device) -> Tensor:
    whole = torch.empty(sum(map(len, streams)), dtype=torch.int16, device=device)
    for part, ids in zip(whole.split([len(ids) for ids in streams]), streams, strict=True):
        part.copy_(ids)
    return whole
