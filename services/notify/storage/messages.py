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
from services.notify.storage.rows import MESSAGE_COLUMNS, message_of, row_of_message
from services.notify.storage.tables import in_states, messages
from shared.kernel.errors import NotFound
from shared.store import UnitOfWork

# What never changes once a message is written.
_FIXED = frozenset({"id", "fact_id", "moment", "person", "dossier", "made_at"})
_CHANGING = tuple(column.name for column in MESSAGE_COLUMNS if column.name not in _FIXED)
_UPDATE = (
    messages.update()
    .where(messages.c.id == sa.bindparam("which"))
    .values(
        {name: sa.bindparam(f"new_{name}", type_=messages.c[name].type) for name in _CHANGING}
        | {"sender": None, "lease_until": None}
    )
)


class Messages:
    """Messages of one unit; a message that is added or changed rings for the sending loop."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._added: list[Message] = []
        self._changed: dict[str, Message] = {}
        self._awaiting: dict[str, list[Message]] = {}
        self._registered = False

    def add(self, message: Message) -> None:
        """A new message."""
        self._added.append(message)
        self._will_write()

    def change(self, message: Message) -> None:
        """A message after a move."""
        self._changed[message.id] = message
        self._will_write()

    def warm_awaiting(self, dossiers: Iterable[str]) -> None:
        """Read, and hold, what waits for the contacts of these dossiers, in one query."""
        missing = sorted(set(dossiers) - self._awaiting.keys())
        if not missing:
            return
        for dossier in missing:
            self._awaiting[dossier] = []
        for message in self._select(
            messages.c.dossier.in_(missing), in_states(State.AWAITING_CONTACT)
        ):
            self._awaiting[message.dossier].append(message)

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
        found = self._select(messages.c.fact_id.in_(sorted(set(fact_ids))), hold=False)
        return [self._changed.get(message.id, message) for message in found]

    def get(self, message_id: str) -> Message:
        """One message, held until the unit ends; `NotFound` when there is none."""
        found = self._select(messages.c.id == message_id)
        if not found:
            raise NotFound("there is no such message", vi="Không có tin nhắn này.")
        return found[0]

    def _select(
        self, *where: sa.ColumnElement[bool], limit: int | None = None, hold: bool = True
    ) -> list[Message]:
        query = (
            sa.select(*MESSAGE_COLUMNS)
            .where(*where)
            .order_by(messages.c.made_at, messages.c.id)
            .limit(limit)
        )
        if hold:
            query = query.with_for_update()
        return [message_of(row) for row in self._uow.connection.execute(query)]

    def _will_write(self) -> None:
        if not self._registered:
            self._registered = True
            self._uow.on_flush(self._write)
            self._uow.ring()

    def _write(self) -> None:
        self._registered = False
        added, self._added = self._added, []
        changed, self._changed = self._changed, {}
        connection = self._uow.connection
        if added:
            # A message may be added and changed in one unit: its last state is what is written.
            latest = [changed.pop(message.id, message) for message in added]
            connection.execute(messages.insert(), [row_of_message(message) for message in latest])
        if changed:
            connection.execute(_UPDATE, [_update_of(changed[key]) for key in sorted(changed)])


def _update_of(message: Message) -> dict[str, Any]:
    row = row_of_message(message)
    return {"which": message.id} | {f"new_{name}": row[name] for name in _CHANGING}
