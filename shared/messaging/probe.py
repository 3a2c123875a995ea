"""Asking what may not answer: in a thread of its own, so that who wants to know never waits long.

A host that vanished answers nobody for as long as a time limit lasts; a health door or a scrape
that waited for it would be silent just when it is needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """The last answer: what was told, or None where it failed or never came; ages in seconds.

    `age` is how old it is, None where there is none; `waiting` how long the next one is awaited.
    """

    told: T | None = None
    age: float | None = None
    waiting: float = 0.0


@dataclass(slots=True)
class _Asking:
    since: float
    answered: threading.Event = field(default_factory=threading.Event)


class Probe(Generic[T]):
    """What `ask` tells, asked anew where the last answer is older than `fresh` seconds.

    Whoever looks waits at most `patience` seconds; one asks at a time, however many look.
    """

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        fresh: float,
        patience: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._fresh = fresh
        self._patience = patience
        self._now = now
        self._lock = threading.Lock()
        self._asking: _Asking | None = None
        self._told: T | None = None
        self._told_at: float | None = None

    def look(self) -> Seen[T]:
        """The newest answer that can be had soon."""
        asking = self._begun()
        if asking is not None:
            # Who has kept us waiting once is not waited for by each that looks.
            asking.answered.wait(self._patience - (self._now() - asking.since))
        with self._lock:
            now, told_at, pending = self._now(), self._told_at, self._asking
            age = None if told_at is None else now - told_at
            return Seen(self._told, age, 0.0 if pending is None else now - pending.since)

    def _begun(self) -> _Asking | None:
        """The question that is being asked, begun now where the last answer is too old."""
        with self._lock:
            now = self._now()
            old = self._told_at is None or now - self._told_at > self._fresh
            if old and self._asking is None:
                self._asking = _Asking(now)
                threading.Thread(
                    target=self._run, args=(self._asking,), name="probe", daemon=True
                ).start()
            return self._asking

    def _run(self, asking: _Asking) -> None:
        told: T | None = None
        try:
            told = self._ask()
        # Whatever went wrong: no answer is what is told of it, by whoever looks.
        except Exception:  # noqa: BLE001
            told = None
        finally:
            with self._lock:
                self._told, self._told_at, self._asking = told, asking.since, None
            asking.answered.set()
