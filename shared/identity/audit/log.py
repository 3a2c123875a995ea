"""The access log as the doors write it: noted in memory, on disk within a second.

No request waits for it and none pays a round trip. What a process that is killed had noted within
its last second is lost: of what changes anything, the facts themselves name the actor in the same
transaction; it is a second of looking that can be missing. A citizen's words are shown to operators
only once the act is on disk (`reveal`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from flask import Flask, Response, g, request

from shared.database import Store, UnitOfWork, batch
from shared.identity.audit import tables
from shared.identity.audit.entry import Entry, things
from shared.identity.callers import place_of
from shared.identity.guard import is_api
from shared.kernel.actor import Actor
from shared.kernel.errors import Fault, InvalidInput, Transient
from shared.log import get

EVERY_SECONDS: Final = 1.0
#: What is kept in memory while the database is away; pages show nothing then anyway.
MOST_WAITING: Final = 50_000
TOO_MANY: Final = 429  # of a key that asks a thousand times a second: it must not fill the log
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CITIZEN: Final = "citizen"
_log = get("access")


class AccessLog:
    """Notes the acts of one process; a loop of the process that writes them down."""

    def __init__(self, name: str, store: Store) -> None:
        self.name = f"{name}.access"
        self._store = store
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._writing = threading.Lock()
        self._news = threading.Event()
        self._next = 0.0  # monotonic
        store.before_close.append(self.close)

    # --- noting ---------------------------------------------------------------------------------

    def watch(self, app: Flask) -> Flask:
        """Note every request of the app that shows or changes something, or tries to."""
        app.after_request(self._after)
        return app

    def _after(self, response: Response) -> Response:
        if (entry := self._entry(response)) is not None:
            self.add(entry)
        return response

    def _entry(self, response: Response) -> Entry | None:
        seen: list[str] | None = g.get("seen")
        principal, status = g.get("stands_for") or g.get("principal"), response.status_code
        if request.url_rule is None or (principal is None and not seen) or status == TOO_MANY:
            return None
        if g.get("passed_over"):
            return None
        named = things([*map(str, (request.view_args or {}).values()), *(seen or ())])
        if request.method in _SAFE and (
            not named or status // 100 == 3 or (seen is None and g.get("is_public"))
        ):
            return None  # nothing was shown that is anybody's
        return Entry(
            at=self._store.clock.now(),
            actor=_CITIZEN if principal is None else str(principal.actor),
            act=f"{request.method} {request.url_rule.rule}",
            things=named,
            place=f"{'api' if is_api() else 'page'} {place_of(request.remote_addr)}",
            outcome=str(status),
        )

    def add(self, entry: Entry) -> None:
        """Note an act; it is on disk within a second while the loop runs."""
        if len(self._waiting) >= MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append(entry)
        if not self._news.is_set():
            self._news.set()

    # --- writing, as a loop ---------------------------------------------------------------------

    def step(self, wait: float) -> int:
        """Write what was noted, at most once a second; how many acts."""
        if not self._news.wait(wait):
            return 0
        if (left := self._next - time.monotonic()) > 0:
            time.sleep(min(left, wait))
            if left > wait:
                return 0
        return self.flush()

    def flush(self) -> int:
        """Write what was noted until now; DatabaseAway keeps it for the next time."""
        with self._writing:
            self._next = time.monotonic() + EVERY_SECONDS
            self._news.clear()
            taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not taken:
                return 0
            try:
                with self._store.transaction() as connection:
                    _write(connection, taken)
            except BaseException:
                self._waiting.extendleft(reversed(taken))
                self._news.set()
                raise
            if self._lost:
                lost, self._lost = self._lost, 0
                _log.error("access.lost", acts=lost)
            return len(taken)

    def next_due(self) -> datetime | None:
        """Never by the clock of the city."""
        return None

    def wake(self) -> None:
        """It wakes by itself."""

    def close(self) -> None:
        """Write the rest, where the database is there."""
        try:
            self.flush()
        except Transient:
            _log.error("access.lost", acts=len(self._waiting))


def saw(names: Iterable[str]) -> None:
    """Say what the request that is being answered shows or changes, beside what its path names.

    A look that shows nothing (an empty list) is not noted.
    """
    g.seen = [*g.get("seen", ()), *names]


def pass_over() -> None:
    """Say that the request only goes on with what is noted already: a form that is being typed."""
    g.passed_over = True


def _write(connection: sa.Connection, entries: list[Entry]) -> None:
    tables.lock(connection, alone=False)
    batch.insert(connection, tables.LOG, [entry.row() for entry in entries])


def note(
    uow: UnitOfWork,
    act: str,
    names: Iterable[str],
    *,
    place: str = "shell",
    reason: str | None = None,
) -> None:
    """Note an act of the unit's actor with the unit: it is on disk if and only if the act is."""
    entry = Entry(uow.now, str(uow.actor), act, things(names), place, "done", reason)
    _write(uow.connection, [entry])


def reveal(
    store: Store,
    act: str,
    names: Iterable[str],
    *,
    reason: str,
    actor: Actor,
    place: str = "shell",
) -> None:
    """Write down that an operator looks at a citizen's words, before they are shown.

    InvalidInput without a reason that somebody can read later.
    """
    told = " ".join(reason.split())
    if not 5 <= len(told) <= 300 or not told.isprintable():
        raise InvalidInput(
            [Fault("reason", "Ghi lý do, từ 5 đến 300 ký tự.", "give a reason of 5 to 300 letters")]
        )
    with store.begin(actor) as uow:
        note(uow, act, names, place=place, reason=told)
