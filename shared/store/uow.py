"""The unit of work: what one step of the journey changes and says, in one transaction.

Use cases record their own facts here and know neither contract nor broker; the translator that
the messaging room handed in turns them into what is sent. Loops and SQL live elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from shared.kernel.ids import Ids
from shared.store.flush import Pending, write_facts

if TYPE_CHECKING:
    from shared.store.ledgers import Ledgers
    from shared.store.sql import Sql

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A fact as it leaves the service; the number, id and times are given when it is written."""

    exchange: str
    routing_key: str
    source: str
    subject: str
    type: str
    data: Mapping[str, Any] = field(repr=False)

    @property
    def stream(self) -> str:
        """The stream inside which it is numbered."""
        return f"{self.source} {self.subject}"


Translator = Callable[[Any], Sequence[Outgoing]]


@dataclass(frozen=True, slots=True)
class Cause:
    """The fact that is being handled: what is recorded now is its consequence."""

    id: str
    correlationid: str | None = None
    traceparent: str | None = None


class UnitOfWork:
    """One transaction: `connection` to read and write, `record` to say what happened.

    `now` is fixed for the whole unit (aware, UTC). Use it within one thread and one `begin`.
    """

    def __init__(
        self,
        connection: sa.Connection,
        *,
        sql: Sql,
        ledgers: Ledgers,
        translate: Translator,
        now: datetime,
        ids: Ids,
        reads: Sequence[str] = (),
    ) -> None:
        self.connection = connection
        self.sql = sql
        self.ledgers = ledgers
        self.now = now
        self.ids = ids
        self.reads = reads
        self.cause: Cause | None = None
        # stream -> last number applied, as far as this unit knows; kept by the consumer.
        self.progress: dict[str, int] = {}
        self.made_facts = False
        self.released = False  # set by who lets an inbox row be tried again
        self.bells: set[str] = set()  # rung after the commit, beside that of the relay
        self.opened: set[str] = set()  # subjects of which nobody has said anything before
        self._translate = translate
        self._pending: list[Pending] = []
        self._writers: list[Callable[[], object]] = []
        self._followers: list[Callable[[], object]] = []
        self._parts: dict[type[Any], Any] = {}

    def record(self, fact: object) -> None:
        """Say that something happened; it is written, numbered and later sent with this unit."""
        for outgoing in self._translate(fact):
            known = {
                source: self.progress[f"{source} {outgoing.subject}"]
                for source in self.reads
                if f"{source} {outgoing.subject}" in self.progress
            }
            self._pending.append(Pending(outgoing, self.cause, known))

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

    def on_flush(self, write: Callable[[], object]) -> None:
        """Have `write` called at the flush, before the facts are written; for bulk writes.

        How many rows a statement touched is not known there: it may not even be sent yet.
        """
        self._writers.append(write)

    def admit(
        self,
        consumer: str,
        fact_id: str,
        *,
        type: str,  # noqa: A002 - the attribute's name on the wire
        subject: str,
        body: bytes,
        source: str,
    ) -> bool:
        """Note something that came in by another door than the bus; False when it came before."""
        return self.sql.admit(
            self.connection,
            {
                "consumer": consumer,
                "source": source,
                "fact_id": fact_id,
                "stream": f"{source} {subject}",
                "type": type,
                "subject": subject,
                "body": body,
                "now": self.now,
            },
        )

    def ring(self, bell: str | None = None) -> None:
        """Have the relay woken after the commit although this unit records nothing itself.

        With a name: not the relay but whoever waits for that bell (`Store.bell`).
        """
        if bell is None:
            self.made_facts = True
        else:
            self.bells.add(bell)

    def on_commit(self, follow: Callable[[], object]) -> None:
        """Have `follow` called once this unit is committed; it must be quick and never raise.

        It is not called when the commit's word was lost, even though the commit may be made.
        """
        self._followers.append(follow)

    def committed(self) -> None:
        """Call what waits for the commit; `Store.begin` does it."""
        for follow in self._followers:
            follow()

    def flush(self) -> None:
        """Write what repositories hold back, then the facts; `Store.begin` calls it."""
        for write in self._writers:  # one that registers another one is served too
            write()
        if self._pending:
            self.made_facts = True
            pending, self._pending = self._pending, []
            write_facts(self, pending)
