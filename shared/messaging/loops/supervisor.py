"""One thread per loop, kept going: a loop that fails is logged and asked again after a pause.

A broker or a database that is away is waited for calmly. What the loops do is their own business.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.kernel.errors import Transient
from shared.log import get
from shared.messaging.loops.heaps import collect_seldom, share_heaps
from shared.messaging.loops.linger import APART, Pace, Rests
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.signals import told_to_stop

_log = get("supervisor")

# The longest a loop sleeps without a wake; also what bounds how late a lost wake is noticed.
WAIT_SECONDS = 1.0
_PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
# A step that takes so long has hung: a batch takes milliseconds, a time-out seconds.
STUCK_SECONDS = 120.0
_OK: Final = "ok"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A loop that is not well: kind of failure (or `stuck`, `dead`), and for how many seconds."""

    loop: str
    kind: str
    seconds: float


class _Runner:
    """The thread of one loop and what is known of it."""

    def __init__(self, loop: Loop, stopping: threading.Event, pace: Pace) -> None:
        self.loop = loop
        self.failure: str | None = None  # kind of what goes wrong now
        self.failed_at: float | None = None  # since when, whatever its kind
        self.stepped_at = time.monotonic()
        self._stopping = stopping
        self._failures = 0
        self._rests = Rests(pace)
        self._rest = 0.0  # seconds rested after the last step
        self.thread = threading.Thread(target=self._run, name=loop.name, daemon=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.stepped_at = time.monotonic()
            began = self._spent()
            try:
                # After a rest only a look: was there work waiting, or is the loop idle?
                done = self.loop.step(0.0 if self._rest else WAIT_SECONDS)
            except Transient as exc:
                self._note(exc, away=True)
            # Whatever a step raises, its transaction is rolled back and its messages are not
            # acknowledged: asking again is safe, and a thread that dies would be silence.
            except Exception as exc:  # noqa: BLE001
                self._note(exc, away=False)
            else:
                self._recovered()
                self._pause(done, self._spent() - began)

    def _spent(self) -> float:
        """Seconds by the clock, slow disks included; of CPU alone where a step may wait for work."""
        return time.monotonic() if self._rest else time.thread_time()

    def _pause(self, done: int, cost: float) -> None:
        """Let work gather where much of it comes; `cost` in seconds."""
        self._rest = self._rests.after(done, cost, time.monotonic())
        if self._rest:
            self._stopping.wait(self._rest)

    def _note(self, exc: Exception, *, away: bool) -> None:
        kind = type(exc).__name__
        if kind != self.failure:
            if away:
                _log.warning("loop.waiting", loop=self.loop.name, kind=kind, reason=str(exc))
            else:
                _log.error("loop.failed", loop=self.loop.name, kind=kind, exc_info=exc)
        self.failure = kind
        self.failed_at = time.monotonic() if self.failed_at is None else self.failed_at
        pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        self._stopping.wait(pause)

    def _recovered(self) -> None:
        if self.failure is not None:
            _log.info("loop.recovered", loop=self.loop.name, kind=self.failure)
        self.failure, self.failed_at, self._failures = None, None, 0

    @property
    def stuck(self) -> bool:
        return time.monotonic() - self.stepped_at > STUCK_SECONDS


class Supervisor:
    """Runs loops until told to stop; `drain_seconds` is how long a step may take to finish then.

    `pace` says how they rest under load.
    """

    def __init__(
        self, loops: Sequence[Loop], *, drain_seconds: float = 8.0, pace: Pace = APART
    ) -> None:
        self._drain_seconds = drain_seconds
        self._stopping = threading.Event()
        self._runners = [_Runner(loop, self._stopping, pace) for loop in loops]
        self._started = False

    def start(self) -> None:
        """Start a thread for each loop and return."""
        self._started = True
        share_heaps()
        collect_seldom()
        for runner in self._runners:
            runner.thread.start()

    def stop(self) -> bool:
        """Let every loop finish its step, close them; False when one did not finish in time.

        What an unfinished step held is rolled back by its database and comes again by its broker.
        """
        self._stopping.set()
        deadline = time.monotonic() + self._drain_seconds
        for runner in self._runners:
            runner.loop.wake()
        for runner in self._runners:
            if runner.thread.is_alive():
                runner.thread.join(max(0.0, deadline - time.monotonic()))
        unfinished = [runner.loop.name for runner in self._runners if runner.thread.is_alive()]
        for runner in self._runners:
            if not runner.thread.is_alive():
                _close(runner.loop)
        if unfinished:
            _log.error("supervisor.unfinished", loops=unfinished)
        return not unfinished

    def run(self) -> bool:
        """Run in the main thread until SIGTERM or SIGINT, then stop; False as for `stop`."""
        with told_to_stop() as wait:
            self.start()
            _log.info("supervisor.started", loops=[runner.loop.name for runner in self._runners])
            wait(None)
            _log.info("supervisor.stopping")
            return self.stop()

    def healthy(self) -> bool:
        """Every loop is alive and moves; one that waits for a broker or database is healthy."""
        return self._started and all(
            runner.thread.is_alive() and not runner.stuck for runner in self._runners
        )

    def ready(self) -> bool:
        """Healthy, and no loop fails."""
        return self.healthy() and all(runner.failure is None for runner in self._runners)

    def failing(self) -> list[Trouble]:
        """What is wrong with which loop, and since when."""
        now = time.monotonic()
        return [
            Trouble(runner.loop.name, state, now - (runner.failed_at or runner.stepped_at))
            for runner in self._runners
            if (state := _state(runner)) != _OK
        ]

    def report(self) -> dict[str, str]:
        """Each loop's name with "ok", or the kind of failure that it waits out."""
        return {runner.loop.name: _state(runner) for runner in self._runners}


def _state(runner: _Runner) -> str:
    if not runner.thread.is_alive():
        return "dead"
    if runner.stuck:
        return "stuck"
    return runner.failure or _OK


def _close(loop: Loop) -> None:
    try:
        loop.close()
    # Everything is committed by now; a connection that will not close must not keep us here.
    except Exception as exc:  # noqa: BLE001
        _log.warning("loop.close_failed", loop=loop.name, kind=type(exc).__name__)
