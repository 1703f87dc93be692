"""Where tensors are computed, and drawing ahead, so that a GPU does not wait for what is drawn on the processor."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

Drawn = TypeVar("Drawn")
AHEAD = 3  # drawn before they are asked for


def best_device() -> torch.device:
    """A CUDA device where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """What a manifest says of a device."""
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else str(device.type)


def moved(state: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Tensors of an optimiser's state, copied to a device."""
    return {key: value.clone().to(device) for key, value in state.items()}


def seeded(device: torch.device, *numbers: int) -> torch.Generator:
    """A generator on a device whose state depends on these numbers alone, all of them at least 0.

    A GPU's and a processor's draw differently from the same numbers.
    """
    state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state) >> 1)


def ahead(draw: Callable[[int], Drawn], steps: Iterable[int], threads: int | None = None) -> Iterator[Drawn]:
    """What `draw` gives for each step, in order; on a GPU drawn by a thread before it is asked for.

    `draw` depends on the step alone, so drawing ahead changes nothing but the time.
    """
    threads = (1 if torch.cuda.is_available() else 0) if threads is None else threads
    if threads == 0:
        yield from map(draw, steps)
        return
    left = iter(steps)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Any]] = deque(pool.submit(draw, step) for step in islice(left, AHEAD))
        try:
            while waiting:
                drawn: Any = waiting.popleft().result()
                waiting.extend(pool.submit(draw, step) for step in islice(left, 1))
                yield drawn
        finally:
            for one in waiting:
                one.cancel()
