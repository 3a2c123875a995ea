"""Waiting to be told to stop: SIGTERM and SIGINT, heard by the main thread without a lock.

A handler runs in the main thread between any two of its steps. If that thread is inside
`threading.Event.wait` just then, a handler that sets the event waits for a lock its own thread
holds, for ever. So the handler writes a byte to a socket, and the wait is for that byte. And the
system may give a signal to any thread: then nothing would end the main thread's wait, so that the
interpreter itself writes to a second socket as soon as a signal comes, wherever.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator

Wait = Callable[[float | None], bool]
#: Signals that came to `leave_when_told`.
_told_early: list[bool] = []


def leave_when_told() -> None:
    """From now until `told_to_stop`, SIGTERM ends the process at once with exit 0.

    For the main thread of what is still being built: what was begun is closed on the way out. A
    library that catches everything may swallow that; then `told_to_stop` knows of it.
    """

    def leave(_signum: int, _frame: object) -> None:
        _told_early.append(True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


@contextlib.contextmanager
def told_to_stop() -> Iterator[Wait]:
    """Within the block `wait(seconds)` is True once a signal came; None waits without end.

    To be used in the main thread; a second signal changes nothing.
    """
    ear, mouth = socket.socketpair()
    woken, waker = socket.socketpair()
    for end_of_pair in (mouth, woken, waker):
        end_of_pair.setblocking(False)

    def told(_signum: int, _frame: object) -> None:
        with contextlib.suppress(BlockingIOError):  # full: it was told often enough
            mouth.send(b"!")

    def wait(seconds: float | None) -> bool:
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            ready = select.select([ear, woken], [], [], left)[0]
            # The byte stays unread: who was told once stays told.
            if ear in ready or not ready:
                return bool(ready)
            with contextlib.suppress(BlockingIOError):  # here the handler runs, if it has not yet
                woken.recv(1024)

    before = {each: signal.signal(each, told) for each in (signal.SIGTERM, signal.SIGINT)}
    woke_before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    if _told_early:
        mouth.send(b"!")
    try:
        yield wait
    finally:
        signal.set_wakeup_fd(woke_before)
        for each, handler in before.items():
            signal.signal(each, handler)
        for end_of_pair in (ear, mouth, woken, waker):
            end_of_pair.close()
