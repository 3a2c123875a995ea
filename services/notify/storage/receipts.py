"""Rows of tries, tickets and receipts; what they mean for a message is decided in the domain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.notify.domain.receipts import Fate, Receipt, Ticket
from services.notify.domain.states import State
from services.notify.storage.tables import attempts, found_by_index, messages, strays, tickets
from shared.database import batch
from shared.database.batch import among

_NAMES = tuple(each.name for each in fields(Ticket))
_TICKETS = sa.select(*(tickets.c[name] for name in _NAMES))
_BY_REFERENCE = (
    _TICKETS.add_columns(messages.c.recipient)
    .join(messages, messages.c.id == tickets.c.message)
    .where(among(tickets.c.reference))
    .order_by(tickets.c.id)
)
_OF_MESSAGES = _TICKETS.where(among(tickets.c.message)).order_by(tickets.c.id)
_TO_ASK = tickets.c.ask_at.is_not(None)


@dataclass(frozen=True, slots=True)
class Stray:
    """A receipt without a ticket, since when (UTC), and how often it was looked at."""

    id: str
    receipt: Receipt
    heard_at: datetime
    looked: int


@dataclass(frozen=True, slots=True)
class Try:
    """One time that a message was handed over; `at` is UTC. `office`: whose desk took its dossier."""

    message: str
    provider: str
    number: int
    at: datetime
    outcome: str
    reason: str | None
    channel: str = ""
    office: str = ""
    parts: int = 0


def add_tries(connection: sa.Connection, tries: Sequence[Try]) -> None:
    """Write down what was tried."""
    rows = [{each.name: getattr(one, each.name) for each in fields(Try)} for one in tries]
    batch.insert(connection, attempts, rows)


def tries_of(connection: sa.Connection, message: str) -> list[Try]:
    """Each time that a message was handed over, the first first."""
    columns = [attempts.c[each.name] for each in fields(Try)]
    asked = sa.select(*columns).where(attempts.c.message == message).order_by(attempts.c.id)
    return [Try(*row) for row in connection.execute(asked)]


def shares(connection: sa.Connection, since: datetime) -> Mapping[tuple[str, str], int]:
    """How many messages each provider was given since then (UTC), by (provider, outcome)."""
    by = (attempts.c.provider, attempts.c.outcome)
    asked = sa.select(*by, sa.func.count()).where(attempts.c.at >= since).group_by(*by)
    return {(str(name), str(outcome)): int(n) for name, outcome, n in connection.execute(asked)}


def count_strays(connection: sa.Connection) -> int:
    """How many receipts fit nothing yet."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(strays)) or 0)


def add_tickets(connection: sa.Connection, made: Sequence[Ticket]) -> None:
    """New tickets."""
    batch.insert(connection, tickets, [_without_id(each) for each in made])


def change_tickets(connection: sa.Connection, changed: Iterable[Ticket]) -> None:
    """Tickets after a receipt or a question."""
    rows = [_without_id(each) | {"id": each.id} for each in changed]
    batch.update(connection, tickets, sorted(rows, key=lambda row: int(row["id"])))


def by_reference(
    connection: sa.Connection, references: Collection[str]
) -> dict[tuple[str, str], list[tuple[Ticket, str]]]:
    """Tickets with the numbers that their letters went to, by (provider, reference)."""
    found: dict[tuple[str, str], list[tuple[Ticket, str]]] = {}
    for row in connection.execute(_BY_REFERENCE, {"keys": sorted(references)}):
        *values, to = row
        ticket = _ticket(values)
        found.setdefault((ticket.provider, ticket.reference), []).append((ticket, str(to)))
    return found


def of_messages(connection: sa.Connection, ids: Collection[str]) -> dict[str, list[Ticket]]:
    """The tickets of these messages."""
    found: dict[str, list[Ticket]] = {}
    for row in connection.execute(_OF_MESSAGES, {"keys": sorted(ids)}):
        ticket = _ticket(row)
        found.setdefault(ticket.message, []).append(ticket)
    return found


def uncertain_ids(connection: sa.Connection, channel: str, most: int) -> list[str]:
    """Messages of which nobody knows whether they went, the latest first."""
    asked = (
        sa.select(messages.c.id)
        .where(found_by_index((State.UNCERTAIN,)), messages.c.channel == channel)
        .order_by(messages.c.changed_at.desc())
        .limit(most)
    )
    return list(connection.scalars(asked))


def to_ask(connection: sa.Connection, provider: str, now: datetime, most: int) -> list[Ticket]:
    """Tickets of a provider whose receipt has not come in its time."""
    asked = (
        _TICKETS.where(_TO_ASK, tickets.c.ask_at <= now, tickets.c.provider == provider)
        .order_by(tickets.c.ask_at)
        .limit(most)
    )
    return [_ticket(row) for row in connection.execute(asked)]


def add_strays(connection: sa.Connection, found: Sequence[tuple[Stray, datetime]]) -> None:
    """Keep receipts, each with the instant (UTC) at which it is looked at again."""
    rows = [
        {
            "id": stray.id,
            "provider": stray.receipt.provider,
            "names": list(stray.receipt.references),
            "fate": int(stray.receipt.fate),
            "code": stray.receipt.code,
            "recipient": stray.receipt.to,
            "number": stray.receipt.number,
            "heard_at": stray.heard_at,
            "looked": stray.looked,
            "look_at": look_at,
        }
        for stray, look_at in found
    ]
    batch.upsert(connection, strays, rows)


def drop_strays(connection: sa.Connection, ids: Collection[str]) -> None:
    """These are no strays any more."""
    connection.execute(strays.delete().where(among(strays.c.id)), {"keys": sorted(ids)})


def strays_of(connection: sa.Connection, ids: Collection[str]) -> list[Stray]:
    """These strays, held until the unit ends; without those that another has."""
    asked = sa.select(strays).where(among(strays.c.id)).with_for_update(skip_locked=True)
    return [_stray(row) for row in connection.execute(asked, {"keys": sorted(ids)})]


def next_stray(connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
    """When a stray is looked at next (UTC), but for those put off."""
    asked = sa.select(sa.func.min(strays.c.look_at)).where(sa.not_(among(strays.c.id)))
    found: datetime | None = connection.scalar(asked, {"keys": put_off})
    return found


def due_strays(
    connection: sa.Connection, now: datetime, most: int, put_off: Collection[str]
) -> list[str]:
    """The strays to be looked at now."""
    asked = (
        sa.select(strays.c.id)
        .where(strays.c.look_at <= now, sa.not_(among(strays.c.id)))
        .order_by(strays.c.look_at)
        .limit(most)
    )
    return list(connection.scalars(asked, {"keys": put_off}))


def _stray(row: Any) -> Stray:
    receipt = Receipt(
        provider=row.provider,
        references=tuple(row.names),
        fate=Fate(row.fate),
        code=row.code,
        to=row.recipient,
        number=row.number,
    )
    return Stray(row.id, receipt, row.heard_at, row.looked)


def _ticket(values: Iterable[Any]) -> Ticket:
    named = dict(zip(_NAMES, values, strict=True))
    return Ticket(**named | {"fate": Fate(named["fate"])})


def _without_id(ticket: Ticket) -> dict[str, Any]:
    row = {name: getattr(ticket, name) for name in _NAMES if name != "id"}
    return row | {"fate": int(ticket.fate)}
