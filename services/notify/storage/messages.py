"""The repository of messages that are there already; all writing of messages but the sending.

What the sending loop does to messages is in `sendings`; what people look at is in `queries`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from services.notify.domain.messages import Message
from services.notify.domain.states import State
from services.notify.storage.rows import MESSAGE_COLUMNS, message_of, row_of_message
from services.notify.storage.tables import in_states, messages
from shared.database import UnitOfWork, batch
from shared.database.batch import among
from shared.kernel.errors import NotFound

# What never changes once a message is written.
_FIXED = frozenset({"fact_id", "moment", "person", "dossier", "made_at", "matter", "good_until"})
_READY = frozenset({State.QUEUED, State.FAILED})


def signal_of(channel: str) -> str:
    """The name of the signal for messages that wait for the sender of a channel."""
    return f"messages.{channel}"


class Messages:
    """Messages of one unit that are there already."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._changed: dict[str, Message] = {}

    def change(self, message: Message) -> None:
        """A message after a move; written at flush."""
        if not self._changed:
            self._uow.on_flush(self._write)
        self._changed[message.id] = message

    def still_awaiting(self, ids: Sequence[str]) -> list[Message]:
        """Those of these messages that still wait for a contact, held until the unit ends."""
        return self._select(in_states(State.AWAITING_CONTACT), messages.c.id.in_(ids))

    def of_facts(self, fact_ids: Iterable[str]) -> list[Message]:
        """All messages of these facts, as this unit has left them so far, held until it ends."""
        rows = self._uow.connection.execute(_OF_FACTS, {"keys": sorted(set(fact_ids))})
        found = [message_of(row) for row in rows]
        return [self._changed.get(message.id, message) for message in found]

    def these(self, ids: Iterable[str], *, lock: bool = False) -> list[Message]:
        """These messages, by their ids; with `lock` held until the unit ends."""
        query = _THESE.with_for_update() if lock else _THESE
        rows = self._uow.connection.execute(query, {"keys": sorted(set(ids))})
        return [message_of(row) for row in rows]

    def get(self, message_id: str) -> Message:
        """One message, held until the unit ends; `NotFound` when there is none."""
        found = self._select(messages.c.id == message_id)
        if not found:
            raise NotFound("there is no such message", vi="Không có tin nhắn này.")
        return found[0]

    def _select(self, *where: sa.ColumnElement[bool], limit: int | None = None) -> list[Message]:
        query = oldest_first(*where).limit(limit).with_for_update()
        return [message_of(row) for row in self._uow.connection.execute(query)]

    def _write(self) -> None:
        changed, self._changed = self._changed, {}
        save(self._uow, changed=list(changed.values()))


def save(
    uow: UnitOfWork, *, added: Sequence[Message] = (), changed: Sequence[Message] = ()
) -> None:
    """Write messages in bulk, and wake the senders of those that wait to be sent."""
    for channel in {message.channel for message in (*added, *changed) if message.state in _READY}:
        uow.signal(signal_of(channel))
    batch.insert(uow.connection, messages, [_row(message) for message in added])
    # Sorted: two units that write the same messages lock them in the same order.
    moved = [_row(message) for message in sorted(changed, key=lambda message: message.id)]
    batch.update(uow.connection, messages, [_changing(row) for row in moved])


def _row(message: Message) -> dict[str, Any]:
    # Only a claim (`sendings`) puts a message into a sender's hands: whatever is written here is
    # in nobody's.
    return row_of_message(message) | {"sender": None, "lease_until": None}


def oldest_first(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """These messages, in the order in which they were made."""
    return sa.select(*MESSAGE_COLUMNS).where(*where).order_by(messages.c.made_at, messages.c.id)


_THESE = sa.select(*MESSAGE_COLUMNS).where(among(messages.c.id)).order_by(messages.c.id)
_OF_FACTS = oldest_first(among(messages.c.fact_id)).with_for_update()


def _changing(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _FIXED}
