"""The repository of messages: what facts and contacts add and release, written in bulk at flush.

What the sending loop does to messages is in `sendings`; what people look at is in `queries`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.notify.domain.messages import Message
from services.notify.domain.states import State
from services.notify.storage.people import locking
from services.notify.storage.rows import MESSAGE_COLUMNS, message_of, row_of_message
from services.notify.storage.sendings import Claim
from services.notify.storage.tables import in_states, messages
from shared.database import UnitOfWork, batch
from shared.database.batch import among
from shared.kernel.errors import NotFound

# What never changes once a message is written.
_FIXED = frozenset({"fact_id", "moment", "person", "dossier", "made_at"})
_READY = frozenset({State.QUEUED, State.FAILED})


def bell_of(channel: str) -> str:
    """The name of the bell for messages that wait for the sender of a channel."""
    return f"messages.{channel}"


class Messages:
    """Messages of one unit; one that waits to be sent rings for the sending loop."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._added: list[Message] = []
        self._changed: dict[str, Message] = {}
        self._awaiting: dict[str, list[Message]] = {}
        self._claims: dict[str, Claim] = {}
        self._registered = False

    def add(self, message: Message) -> None:
        """A new message."""
        self._added.append(message)
        self._will_write()

    def change(self, message: Message) -> None:
        """A message after a move."""
        self._changed[message.id] = message
        self._will_write()

    def claim(self, message_id: str, claim: Claim) -> None:
        """Write this message, which is added or changed in this unit, as claimed already."""
        self._claims[message_id] = claim

    def warm_awaiting(self, dossiers: Iterable[str]) -> None:
        """Hold these dossiers, then read, and hold, what waits for their contacts; in one trip.

        Why they are held first is told at `Contacts.warm`.
        """
        missing = sorted(set(dossiers) - self._awaiting.keys())
        if not missing:
            return
        for dossier in missing:
            self._awaiting[dossier] = []
        connection = self._uow.connection
        awaiting = (_AWAITING, {"keys": missing})
        rows = batch.query(connection, *locking(connection, missing), awaiting)[-1]
        for message in map(message_of, rows):
            self._awaiting[message.dossier].append(message)

    @property
    def awaiting(self) -> list[str]:
        """The dossiers, of those that were warmed, for whose contact something waits."""
        return sorted(dossier for dossier, waiting in self._awaiting.items() if waiting)

    def take_awaiting(self, dossier: str) -> list[Message]:
        """What waits for the contact of this dossier, oldest first; each is given out once."""
        self.warm_awaiting((dossier,))
        taken, self._awaiting[dossier] = self._awaiting[dossier], []
        return taken

    def awaiting_since(self, before: datetime, limit: int) -> list[Message]:
        """What has waited for a contact since before this instant (UTC)."""
        return self._select(
            in_states(State.AWAITING_CONTACT),
            messages.c.made_at <= before,
            limit=limit,
        )

    def of_facts(self, fact_ids: Iterable[str]) -> list[Message]:
        """All messages of these facts, as this unit has left them so far."""
        rows = self._uow.connection.execute(_OF_FACTS, {"keys": sorted(set(fact_ids))})
        found = [message_of(row) for row in rows]
        return [self._changed.get(message.id, message) for message in found]

    def get(self, message_id: str) -> Message:
        """One message, held until the unit ends; `NotFound` when there is none."""
        found = self._select(messages.c.id == message_id)
        if not found:
            raise NotFound("there is no such message", vi="Không có tin nhắn này.")
        return found[0]

    def _select(self, *where: sa.ColumnElement[bool], limit: int | None = None) -> list[Message]:
        query = _oldest_first(*where).limit(limit).with_for_update()
        return [message_of(row) for row in self._uow.connection.execute(query)]

    def _will_write(self) -> None:
        if not self._registered:
            self._registered = True
            self._uow.on_flush(self._write)

    def _write(self) -> None:
        self._registered = False
        added, self._added = self._added, []
        changed, self._changed = self._changed, {}
        connection = self._uow.connection
        if added:
            # A message may be added and changed in one unit: its last state is what is written.
            latest = [changed.pop(message.id, message) for message in added]
            self._ring(latest)
            batch.insert(connection, messages, [self._row(message) for message in latest])
        if changed:
            moved = [changed[key] for key in sorted(changed)]
            self._ring(moved)
            rows = [self._row(message) for message in moved]
            batch.update(connection, messages, [_changing(row) for row in rows])

    def _ring(self, written: Iterable[Message]) -> None:
        for channel in {message.channel for message in written if message.state in _READY}:
            self._uow.signal(bell_of(channel))

    def _row(self, message: Message) -> dict[str, Any]:
        claim = self._claims.get(message.id)
        return row_of_message(message) | {
            "sender": claim.sender if claim else None,
            "lease_until": claim.lease_until if claim else None,
        }


def _oldest_first(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(*MESSAGE_COLUMNS).where(*where).order_by(messages.c.made_at, messages.c.id)


_OF_FACTS = _oldest_first(among(messages.c.fact_id))
_AWAITING = _oldest_first(
    among(messages.c.dossier), in_states(State.AWAITING_CONTACT)
).with_for_update()


def _changing(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _FIXED}
