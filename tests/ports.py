"""Ports for servers that a test starts: chosen by the system, and held until the server listens.

A port that was only looked at may be somebody else's a moment later. One that is held is given to
nobody by the system and cannot be taken by accident; the server it is meant for can still listen on
it, as every server does that sets SO_REUSEADDR (ours, PostgreSQL, RabbitMQ and its name service),
because a socket that is bound and does not listen stands in no such server's way. Until then
whoever calls is refused, as where nobody listens.
"""

from __future__ import annotations

import socket
from collections import deque
from contextlib import suppress
from typing import Final

LOOPBACK: Final = "127.0.0.1"
LAST: Final = 65_535
# The oldest are let go: their servers listen, or are gone with their tests.
_MOST: Final = 200
_held: deque[socket.socket] = deque()


def free_port() -> int:
    """A port on loopback that nobody else gets as long as this process lives."""
    return free_ports_in_a_row(1)


def free_ports_in_a_row(count: int) -> int:
    """The first of so many, one after the other."""
    for _ in range(500):
        row = _row(count)
        if row:
            break
    else:
        raise AssertionError("no free ports")
    for each in row:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.extend(row)
    while len(_held) > _MOST:
        _held.popleft().close()
    first: int = row[0].getsockname()[1]
    return first


def _row(count: int) -> list[socket.socket]:
    """Sockets bound to so many ports in a row, the first of them the system's choice; or none.

    They are bound without SO_REUSEADDR, so that a port which another process holds is a taken one.
    """
    row = [_bound(0)]
    first = row[0].getsockname()[1]
    with suppress(OSError):
        for port in range(first + 1, min(first + count, LAST)):
            row.append(_bound(port))  # noqa: PERF401 - what was bound before a failure is closed
    if len(row) == count:
        return row
    for each in row:
        each.close()
    return []


def _bound(port: int) -> socket.socket:
    held = socket.socket()
    try:
        held.bind((LOOPBACK, port))
    except OSError:
        held.close()
        raise
    return held
