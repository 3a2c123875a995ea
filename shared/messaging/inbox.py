"""Noting in the inbox what came in by another door than the broker."""

from __future__ import annotations

from shared.database import UnitOfWork
from shared.events.envelope import Envelope, encode
from shared.messaging.sql import sql_of


def record(uow: UnitOfWork, consumer: str, envelope: Envelope) -> bool:
    """Note a message as the consumer would have; False when it came before, by either door."""
    return sql_of(uow.connection).admit(
        uow.connection,
        {
            "consumer": consumer,
            "source": envelope.source,
            "fact_id": envelope.id,
            "stream": envelope.stream,
            "type": envelope.type,
            "subject": envelope.subject,
            "body": encode(envelope),
            "now": uow.now,
        },
    )
