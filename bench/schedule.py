"""When dossiers are submitted: as fast as they are accepted, or at a rate come what may.

Times are of the machine's monotonic clock in seconds, which all processes share.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Order:
    """How many dossiers, from which number on; `rate` a second, None for as fast as can be."""

    first: int
    count: int
    rate: float | None = None
    threads: int = 2


@dataclass(slots=True)
class Accepted:
    """When each dossier was due to be submitted, and when the last one was on disk."""

    due: Sheet = field(default_factory=Sheet)
    done: float = 0.0

    def take(self, code: str, due: float) -> None:
        """One more, on disk now."""
        self.due.note(code, due)
        self.done = time.monotonic()


def carry_out(order: Order, submit: Callable[[int], str]) -> list[Accepted]:
    """Submit what is ordered, told by thread; `submit` takes a number and returns the code.

    At a rate the loop is open: a late one does not move the next, and its lateness counts.
    """
    parts = [Accepted() for _ in range(order.threads)]
    failures: list[BaseException] = []

    began = time.monotonic() + 0.05

    def work(index: int) -> None:
        try:
            for place in range(index, order.count, order.threads):
                due = time.monotonic()
                if order.rate is not None:
                    due = began + place / order.rate
                    time.sleep(max(0.0, due - time.monotonic()))
                parts[index].take(submit(order.first + place), due)
        except BaseException as exc:
            failures.append(exc)
            raise

    threads = [threading.Thread(target=work, args=(index,)) for index in range(order.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return parts
