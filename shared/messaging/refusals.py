"""Facts of our own that the broker takes for no good: taken out of the outbox, parked with a reason.

They stand in the inbox under the relay's name, where a person finds all that is parked; replayed
they go out once more, discarded an empty fact takes their number, so that no reader waits for it.
Who decides so is not here (parked.py), when to send neither (relay.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from shared.events.envelope import MAX_BYTES, Data, decode, encode
from shared.events.names import WITHHELD, WITHHELD_KEEPS
from shared.messaging.model import Sent
from shared.messaging.sql import Unsent
from shared.messaging.tables import LEDGERS, PARKED

# So often a fact may fail while others go the same way, before it is its own fault.
MOST_STRIKES: Final = 8

_CARRIED: Final = ("source", "stream", "sequence", "type", "subject", "body")


class Judge:
    """Who is to blame for what was not taken: the row itself, or its way; belongs to one relay.

    A row is blamed only where others went through beside it: a broker that takes nothing at all
    has a trouble of its own, and everything waits.
    """

    def __init__(self) -> None:
        self._strikes: dict[int, int] = {}

    def blame(self, rows: Sequence[Unsent], sent: Sent) -> None:
        """Leave in `refused` what is to be parked, with its reason, and in `failed` all the rest."""
        went = {(row.exchange, row.routing_key) for row in rows if row.position in sent.confirmed}
        for row in rows:
            position = row.position
            if position in sent.confirmed:
                self._strikes.pop(position, None)
            elif (reason := self._own_fault(row, sent, went)) is not None:
                sent.refused[position] = reason
                sent.failed.pop(position, None)
                self._strikes.pop(position, None)
            elif position in sent.refused:
                sent.failed[position] = sent.refused.pop(position)

    def _own_fault(self, row: Unsent, sent: Sent, went: set[tuple[str, str]]) -> str | None:
        reason = sent.refused.get(row.position)
        if reason is not None and (sent.confirmed or len(row.body) > MAX_BYTES):
            return reason
        reason = sent.failed.get(row.position)
        if reason is None or (row.exchange, row.routing_key) not in went:
            return None
        strikes = self._strikes[row.position] = self._strikes.get(row.position, 0) + 1
        return f"{reason}; others go the same way" if strikes >= MOST_STRIKES else None


def by_relay(consumer: str) -> bool:
    """Whether what is parked under this name is a fact of our own, put there by its relay."""
    return consumer.rpartition(".")[2] == "relay"


def park(
    connection: sa.Connection, consumer: str, blamed: Mapping[int, str], now: datetime
) -> None:
    """Put these outbox rows on the list of what is parked; the caller marks them as sent."""
    outbox, inbox = LEDGERS.outbox, LEDGERS.inbox
    found = connection.execute(
        sa.select(outbox).where(outbox.c.position.in_(list(blamed))).order_by(outbox.c.position)
    )
    for row in found.mappings().all():
        state = {"state": PARKED, "reason": blamed[row["position"]], "received_at": now}
        state |= {"next_at": None, "owner": None, "note": None, "handled_at": None}
        again = sa.update(inbox).where(
            inbox.c.consumer == consumer,
            inbox.c.source == row["source"],
            inbox.c.fact_id == row["id"],
        )
        if not connection.execute(again.values(**state)).rowcount:
            carried: dict[str, Any] = {name: row[name] for name in _CARRIED}
            new = {"consumer": consumer, "fact_id": row["id"], "attempts": 1}
            connection.execute(sa.insert(inbox).values(**new, **carried, **state))


def send_again(connection: sa.Connection, stream: str, sequence: int | None, fact_id: str) -> bool:
    """Let the relay take this fact up again; False where it is none of ours."""
    outbox = LEDGERS.outbox
    this = sa.and_(_ours(stream, sequence), outbox.c.id == fact_id)
    return connection.execute(sa.update(outbox).where(this).values(sent_at=None)).rowcount == 1


def send_nothing_instead(connection: sa.Connection, stream: str, sequence: int | None) -> None:
    """Let an empty fact of the same id and number go out in the place of this one of ours."""
    outbox, this = LEDGERS.outbox, _ours(stream, sequence)
    body = connection.execute(sa.select(outbox.c.body).where(this)).scalar_one()
    envelope = decode(bytes(body))
    kept = {name: envelope.data[name] for name in WITHHELD_KEEPS if name in envelope.data}
    data = Data(msgspec.json.encode(kept))
    empty = msgspec.structs.replace(envelope, type=WITHHELD, data=data)
    changed = {"type": WITHHELD, "body": encode(empty), "sent_at": None}
    connection.execute(sa.update(outbox).where(this).values(**changed))


def _ours(stream: str, sequence: int | None) -> sa.ColumnElement[bool]:
    outbox = LEDGERS.outbox.c
    return sa.and_(outbox.stream == stream, outbox.sequence == sequence)
