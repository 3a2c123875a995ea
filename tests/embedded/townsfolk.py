"""What tests of the whole city look at beside its doors: ledgers and messages. No test lives here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from services.embedded.city import City
from services.notify.domain.messages import Message
from services.notify.domain.states import State
from services.notify.storage import queries
from shared.messaging.tables import DONE, LATE, LEDGERS
from simulation.kit import City as KitCity
from simulation.kit import Desk

#: The ways behind the one that arrived; and of what the citizen has just done at the desk.
NOT_NEEDED = (State.SPARED, State.SKIPPED)
OFFICE = "ubnd-phuong-1"
#: The office of the same place since 2025-07-01: for what runs on the machine's own clock.
TODAYS_OFFICE = "ubnd-phuong-cao-lanh"
INTERLINKED = "2.000986"  # birth, then residence and insurance card side by side
LAND = "1.013831"  # land, tax, the citizen pays while the clock stands, sign


def desk_of(city: City, office: str = OFFICE) -> Desk:
    """The reception desk of an office of a city that a test built by itself."""
    return KitCity(city).desk(office)


def messages(city: City) -> list[Message]:
    """All messages that somebody got or will get, oldest first."""
    with city.notify.store.read() as connection:
        found = queries.find(connection, queries.Search(limit=10_000))[::-1]
    return [message for message in found if message.state not in NOT_NEEDED]


def all_sent(city: City, count: int) -> bool:
    """Whether so many messages were sent and none is on its way."""
    with city.notify.store.read() as connection:
        found = queries.by_state(connection)
    return {state: n for state, n in found.items() if state not in NOT_NEEDED} == {"sent": count}


def held(city: City) -> list[tuple[str, str, str, str | None]]:
    """Whatever came in and is not done: (service, type, state, reason)."""
    found = []
    for service in city.services.values():
        inbox = LEDGERS.inbox
        query = sa.select(inbox.c.type, inbox.c.state, inbox.c.reason).where(
            inbox.c.state.not_in((DONE, LATE))
        )
        with service.store.read() as connection:
            found += [(service.name, *row) for row in connection.execute(query)]
    return found


def unsent(city: City) -> int:
    """Facts that no relay has sent yet."""
    return sum(_count_unsent(LEDGERS.outbox, service.store) for service in
               city.services.values())  # fmt: skip


def _count_unsent(outbox: sa.Table, store: Any) -> int:
    with store.read() as connection:
        query = sa.select(sa.func.count()).where(outbox.c.sent_at.is_(None))
        return int(connection.execute(query).scalar_one())


def moments(found: Sequence[Message]) -> list[tuple[str, str]]:
    """(moment, channel) of messages, sorted."""
    return sorted((message.moment, message.channel) for message in found)
