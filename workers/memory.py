"""How much memory a process of a worker may take, so that one text cannot take the machine's."""

from __future__ import annotations

import resource
import sys

import psutil

MEGABYTE = 2**20


def limit(megabytes: int) -> None:
    """Let this process take so much more than it has now; beyond, Python raises MemoryError (Linux; elsewhere nothing).

    The limit is one of private writable memory (RLIMIT_DATA, setrlimit(2)): what a process asks for, whether or not it
    has touched it. RLIMIT_AS would also count the model's files and libraries, of which all processes share one copy.

    Args:
        megabytes: 0: as much as there is.
    """
    if not megabytes or sys.platform != "linux":
        return
    most = psutil.Process().memory_info().data + megabytes * MEGABYTE
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
