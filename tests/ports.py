"""Ports for servers that a test starts: outside the range from which the system gives its own.

A port that was free when asked for can be taken before it is listened on, by any outgoing
connection of any test that runs at the same time, if it lies in that range.
"""

from __future__ import annotations

import random
import socket
from typing import Final

FIRST: Final = 15_000
LAST: Final = 32_000  # Linux gives 32,768 to 60,999 to outgoing connections
# Not the seeded one: every process of a run must draw others.
_random = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port on loopback that nobody listens on; each is given once in this process."""
    return free_ports_in_a_row(1)


def free_ports_in_a_row(count: int) -> int:
    """The first of so many, one after the other."""
    for _ in range(500):
        first = _random.randrange(FIRST, LAST - count)
        wanted = range(first, first + count)
        if _given.isdisjoint(wanted) and all(map(_is_free, wanted)):
            _given.update(wanted)
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
