"""Held facts in bulk: found by what they have in common, settled each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from shared.database import Store, UnitOfWork
from shared.events.names import agency_source
from shared.kernel.actor import Actor
from shared.kernel.errors import NotAllowed, NotFound
from shared.messaging import gaps, parked
from shared.messaging.acts import Reason
from shared.messaging.parked import Held, in_states
from shared.messaging.tables import LEDGERS, PARKED, WAITING

#: Writes down, with its unit, what was done, to what, to how many, and why.
Note = Callable[[UnitOfWork, str, str, int, Reason], None]


@dataclass(frozen=True, slots=True)
class Search:
    """Which held facts; what is None is not asked. `before` is when they came at the latest (UTC).

    `reason` is a part of it, in whatever case; `agency` a code, `source` as an envelope names it.
    """

    states: tuple[str, ...] = (PARKED,)
    consumer: str | None = None
    source: str | None = None
    agency: str | None = None
    reason: str | None = None
    before: datetime | None = None

    @property
    def narrow(self) -> bool:
        """Whether anything but the state is asked for."""
        given = (self.consumer, self.source, self.agency, self.reason, self.before)
        return any(each is not None for each in given)

    def where(self) -> list[sa.ColumnElement[bool]]:
        """The conditions on the inbox."""
        inbox = LEDGERS.inbox.c
        found = [in_states(self.states)]
        if self.consumer is not None:
            found.append(inbox.consumer == self.consumer)
        if self.source is not None:
            found.append(inbox.source == self.source)
        if self.agency is not None:
            found.append(inbox.source == agency_source(self.agency))
        if self.reason is not None:
            found.append(inbox.reason.icontains(self.reason, autoescape=True))
        if self.before is not None:
            found.append(inbox.received_at <= self.before)
        return found


def count(connection: sa.Connection, search: Search) -> int:
    """How many there are, however many a page shows."""
    asked = sa.select(sa.func.count()).select_from(LEDGERS.inbox).where(*search.where())
    return int(connection.scalar(asked) or 0)


def find(connection: sa.Connection, search: Search, limit: int) -> list[Held]:
    """The held facts that fit, the oldest first."""
    return parked.held(connection, search.where(), limit)


@dataclass(frozen=True, slots=True)
class Key:
    """What one held fact is found by."""

    fact_id: str
    consumer: str | None = None
    source: str | None = None


def keys(connection: sa.Connection, search: Search) -> list[Key]:
    """The keys of all that fit, the oldest first."""
    inbox = LEDGERS.inbox.c
    asked = sa.select(inbox.fact_id, inbox.consumer, inbox.source).where(*search.where())
    return [Key(*row) for row in connection.execute(asked.order_by(inbox.received_at))]


def settle(
    store: Store, act: str, chosen: list[Key], reason: Reason, actor: Actor, note: Note
) -> Iterator[tuple[Key, Held | NotAllowed | NotFound]]:
    """Do it to each, in a transaction of its own that `note` is part of.

    Yields what became of it, or why it was refused.
    """
    do = _DOING[act]
    for key in chosen:
        try:
            with store.begin(actor) as uow:
                row = do(uow, key, reason)
                what = f"{row.consumer} {row.source or '?'} {row.fact_id}"
                note(uow, act, what, 1, reason)
        except (NotAllowed, NotFound) as refused:
            yield key, refused
        else:
            yield key, row


def _replay(uow: UnitOfWork, key: Key, reason: Reason) -> Held:
    return parked.replay(uow, key.fact_id, consumer=key.consumer, source=key.source, reason=reason)


def _discard(uow: UnitOfWork, key: Key, reason: Reason) -> Held:
    of: dict[str, Any] = {"consumer": key.consumer, "source": key.source}
    return parked.discard(uow, key.fact_id, who=reason.who, why=reason.why, **of)


def _release(uow: UnitOfWork, key: Key, reason: Reason) -> Held:
    row = parked.show(uow.connection, key.fact_id, consumer=key.consumer, source=key.source)
    if row.state != WAITING:
        raise NotAllowed(
            f"a fact that is {row.state} waits for no other",
            vi="Bản tin này không chờ bản tin nào khác.",
            allowed=(WAITING,),
        )
    gaps.pass_over(uow, row.consumer, bytes(row.body), reason)
    return row


_DOING: Final[dict[str, Callable[[UnitOfWork, Key, Reason], Held]]] = {
    "replay": _replay,
    "discard": _discard,
    "release": _release,
}
