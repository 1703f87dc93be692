"""Real threads with real connections, started together."""

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """Run `act(0)` … `act(count - 1)` in threads that start together; return what they returned, in order.

    An error in any of them is raised here.
    """
    gate, failures, results = threading.Barrier(count), [], dict[int, T]()

    def run(number: int) -> None:
        try:
            gate.wait()
            results[number] = act(number)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [results[number] for number in range(count)]
