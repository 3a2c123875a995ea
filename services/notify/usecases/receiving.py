"""Taking receipts in: each is written down before its sender is thanked, and applied once.

Whoever handed the letter over may not have written that yet: a receipt that fits nothing is kept
for some days (a stray), looked at again, and dropped with a count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.notify.domain.contacts import SMS
from services.notify.domain.messages import Message
from services.notify.domain.receipts import (
    KEEP_STRAYS,
    STRAYS,
    Fate,
    Receipt,
    Ticket,
    after_receipts,
    number_of,
    same_phone,
)
from services.notify.domain.states import State
from services.notify.storage import receipts as rows
from services.notify.storage.correspondence import lock_dossiers
from services.notify.storage.messages import Messages
from services.notify.storage.receipts import Stray
from services.notify.usecases.telling import blamed, follow_up, notable
from shared.database import UnitOfWork
from shared.log import get

MATCHED: Final = "matched"
KEPT: Final = "kept"
DROPPED: Final = "dropped"
AT_ONCE: Final = 200
# Of so many uncertain messages a receipt without a known name may speak.
_MOST_UNCERTAIN: Final = 1000
_log = get("notify.receipts")


def take_in(uow: UnitOfWork, heard: Sequence[Receipt]) -> Counter[str]:
    """Apply receipts; how many were matched, and how many kept for later."""
    fresh = [Stray(uow.ids.new(), receipt, uow.now, 0) for receipt in heard]
    left = _apply(uow, fresh)
    _keep(uow, left)
    return Counter({MATCHED: len(fresh) - len(left), KEPT: len(left)})


def look_again(uow: UnitOfWork, ids: Sequence[str]) -> int:
    """Strays whose time has come: applied, kept on, or dropped; how many they were."""
    found = rows.strays_of(uow.connection, ids)
    left = _apply(uow, found)
    old = [stray for stray in left if uow.now - stray.heard_at >= KEEP_STRAYS]
    kept = [stray for stray in left if uow.now - stray.heard_at < KEEP_STRAYS]
    gone = {stray.id for stray in found} - {stray.id for stray in kept}
    if gone:
        rows.drop_strays(uow.connection, gone)
    if old:
        _log.warning("receipts.dropped", count=len(old))
    _keep(uow, kept)
    return len(found)


def next_look(connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
    """When a stray is looked at next (UTC)."""
    return rows.next_stray(connection, put_off)


def due_looks(uow: UnitOfWork, put_off: Collection[str]) -> list[str]:
    """The strays that are looked at now."""
    return rows.due_strays(uow.connection, uow.now, AT_ONCE, put_off)


def asked(uow: UnitOfWork, tickets: Sequence[Ticket], heard: Sequence[Receipt]) -> None:
    """What a provider said when it was asked; about whatever it did not, it is asked later."""
    rows.change_tickets(uow.connection, [ticket.asked_again(uow.now) for ticket in tickets])
    final = [receipt for receipt in heard if receipt.fate >= Fate.LOST]
    _apply(uow, [Stray(uow.ids.new(), receipt, uow.now, 0) for receipt in final])


def _keep(uow: UnitOfWork, left: Iterable[Stray]) -> None:
    kept = []
    for stray in left:
        looked = stray.looked + 1
        again = Stray(stray.id, stray.receipt, stray.heard_at, looked)
        kept.append((again, uow.now + STRAYS.pause(looked, stray.id)))
    rows.add_strays(uow.connection, kept)


def _apply(uow: UnitOfWork, heard: Sequence[Stray]) -> list[Stray]:
    """Those that fit nothing yet."""
    if not heard:
        return []
    found = _Tickets(uow, [stray.receipt for stray in heard])
    fits = {stray.id: found.told(stray.receipt) for stray in heard}
    found.write()
    waiting = _settle(uow, {message for message in fits.values() if message})
    return [stray for stray in heard if (fits[stray.id] or "") in (waiting | {""})]


class _Tickets:
    """The tickets that a batch of receipts may speak of, as the batch has left them so far."""

    def __init__(self, uow: UnitOfWork, heard: Sequence[Receipt]) -> None:
        self._uow = uow
        names = {name for receipt in heard for name in receipt.references}
        self._known = rows.by_reference(uow.connection, names)
        self._changed: dict[int, Ticket] = {}
        self._made: dict[tuple[str, str], Ticket] = {}
        self._uncertain: dict[int, list[tuple[Message, int, int]]] | None = None

    def told(self, receipt: Receipt) -> str | None:
        """Apply one; the message of which it speaks, None where none is known."""
        for name in receipt.references:
            fits = self._known.get((receipt.provider, name), [])
            of_phone = [ticket for ticket, to in fits if same_phone(receipt.to, to)]
            if of_phone:
                # Names come again after months: the last that was given is meant.
                ticket = self._changed.get(of_phone[-1].id, of_phone[-1])
                told = ticket.told(receipt.fate, receipt.code, self._uow.now)
                if told is not ticket:
                    self._changed[ticket.id] = told
                return ticket.message
        return self._by_number(receipt)

    def write(self) -> None:
        rows.change_tickets(self._uow.connection, self._changed.values())
        rows.add_tickets(self._uow.connection, list(self._made.values()))

    def _by_number(self, receipt: Receipt) -> str | None:
        """A letter of which nobody knew whether it went: its receipt brings our own number."""
        if receipt.number is None or not receipt.references or not receipt.to:
            return None
        for message, part, parts in self._numbered().get(receipt.number, []):
            if not same_phone(receipt.to, message.to):
                continue
            key = (receipt.provider, receipt.references[0])
            made = self._made.get(key) or Ticket(
                *key, message.id, part, parts, Fate.TAKEN, message.changed_at, self._uow.now
            )
            self._made[key] = made.told(receipt.fate, receipt.code, self._uow.now)
            return message.id
        return None

    def _numbered(self) -> dict[int, list[tuple[Message, int, int]]]:
        if self._uncertain is None:
            self._uncertain = {}
            ids = rows.uncertain_ids(self._uow.connection, SMS, _MOST_UNCERTAIN)
            for message in self._uow.get(Messages).these(ids):
                # Part 0 is a text that went as a whole, however many parts it has on the air.
                whole = [(0, 1), *((part, message.parts) for part in range(1, message.parts + 1))]
                for part, parts in whole:
                    number = number_of(message.id, message.tries, part)
                    place = (message, part or 1, parts)
                    self._uncertain.setdefault(number, []).append(place)
        return self._uncertain


def _settle(uow: UnitOfWork, ids: set[str]) -> set[str]:
    """Move messages as their tickets have it; those that a sender has in its hands are left."""
    tickets = rows.of_messages(uow.connection, ids)
    messages = uow.get(Messages)
    if any(ticket.fate >= Fate.LOST for each in tickets.values() for ticket in each):
        # As a sender does before it writes one that others follow: see `hold`.
        lock_dossiers(uow.connection, [message.dossier for message in messages.these(ids)])
    moved = []
    held = messages.these(ids, lock=True)
    for message in held:
        after = after_receipts(message, tickets.get(message.id, ()), uow.now)
        if after is not message:
            messages.change(after)
            uow.record(*notable(after, message))
            moved.append(after)
    uow.record(*blamed(uow, moved))
    follow_up(uow, moved)
    return {message.id for message in held if message.state is State.SENDING}
