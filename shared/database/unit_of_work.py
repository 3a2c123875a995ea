"""The unit of work: what one step of the journey changes and says, in one transaction.

Use cases record here what happened; the event log that was handed in writes it with the unit.
Loops and the ledgers' SQL live in shared/messaging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from shared.database.shared_clock import SharedClock
from shared.kernel.actor import Actor
from shared.kernel.ids import Ids

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cause:
    """The fact that is being handled: what is recorded now is its consequence.

    `made_at` says when it was made, `received_at` when it first came here (UTC): both may be long
    before it is handled. `routing_key` is that under which it came, while that is known. `origin`
    is the id of what brought it about, None where nobody knows. `again`: its maker's database was
    restored from a backup, so that it may say once more what was said before under another id.
    """

    id: str
    correlationid: str | None = None
    traceparent: str | None = None
    made_at: datetime | None = None
    received_at: datetime | None = None
    routing_key: str | None = None
    origin: str | None = None
    again: bool = False


class EventLog(Protocol):
    """Where the events of a unit of work go: written with it, numbered, and sent later."""

    #: The sources whose events this service reads.
    reads: Sequence[str]

    def note(self, unit: UnitOfWork, event: object) -> Any:
        """What is to be written of this event at the flush, as things stand now."""

    def write(self, unit: UnitOfWork, noted: Sequence[Any]) -> None:
        """Write what was noted, in its order."""


class UnitOfWork:
    """One transaction: `connection` to read and write, `record` to say what happened.

    `now` is fixed for the whole unit (aware, UTC). Use it within one thread and one `begin`.
    """

    def __init__(
        self,
        connection: sa.Connection,
        *,
        log: EventLog,
        now: datetime,
        ids: Ids,
        actor: Actor | None = None,
        shared_clock: SharedClock | None = None,
        given: Mapping[type[Any], Any] | None = None,
    ) -> None:
        self.connection = connection
        self._given = given or {}
        self._shared_clock = shared_clock
        self.log = log
        self.now = now
        self.ids = ids
        self.cause: Cause | None = None
        self.actor = actor  # who does this: said by the door or loop that began it
        # stream -> last number applied, as far as this unit knows; kept by the consumer.
        self.progress: dict[str, int] = {}
        self.has_recorded = False
        self.released = False  # set by who lets an inbox row be tried again
        self.signals: set[str] = set()  # set after the commit, beside that of the relay
        self.opened: set[str] = set()  # subjects of which nobody has said anything before
        self._noted: list[Any] = []
        self._writers: list[Callable[[], object]] = []
        self._parts: dict[type[Any], Any] = {}

    def shared_now(self) -> datetime:
        """The present instant (UTC) by the clock that all processes on this database share."""
        clock = self._shared_clock
        return self.now if clock is None else clock.now(self.connection)

    def record(self, *events: object) -> None:
        """Say what happened; it is written, numbered and later sent with this unit."""
        self._noted += [self.log.note(self, event) for event in events]

    def opens(self, subject: str) -> None:
        """Say that this unit brings the subject into the world: its streams begin at 1.

        That saves asking how far they are. IntegrityError at the end where it was there before.
        """
        self.opened.add(subject)

    def get(self, part: Callable[[UnitOfWork], T]) -> T:
        """The one repository of this class in this unit, made as `part(uow)` when first asked."""
        made: T | None = self._parts.get(part)  # type: ignore[call-overload]
        if made is None:
            made = part(self)
            self._parts[part] = made  # type: ignore[index]
        return made

    def given(self, kind: type[T]) -> T:
        """The one of this class that the service's store hands to each of its units.

        LookupError where the store was opened without it.
        """
        made: T = self._given[kind]
        return made

    def on_flush(self, write: Callable[[], object]) -> None:
        """Have `write` called at the flush, before the facts are written; for bulk writes.

        How many rows a statement touched is not known there: it may not even be sent yet.
        """
        self._writers.append(write)

    def signal(self, name: str | None = None) -> None:
        """Have the relay woken after the commit although this unit records nothing itself.

        With a name: not the relay but whoever waits for that signal (`Store.signal`).
        """
        if name is None:
            self.has_recorded = True
        else:
            self.signals.add(name)

    def flush(self) -> None:
        """Write what repositories hold back, then the events; `Store.begin` calls it."""
        for write in self._writers:  # one that registers another one is served too
            write()
        if self._noted:
            self.has_recorded = True
            noted, self._noted = self._noted, []
            self.log.write(self, noted)
