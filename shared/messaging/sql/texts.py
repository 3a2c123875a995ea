"""Column lists and the typing of instants that the statements of both databases share."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import TextualSelect

from shared.database.types import Instant

OUTBOX_COLUMNS: Final = (
    "id", "stream", "source", "subject", "sequence", "type", "exchange", "routing_key", "body",
    "made_at",
)  # fmt: skip
INBOX_COLUMNS: Final = (
    "consumer", "source", "fact_id", "stream", "sequence", "type", "subject", "body", "state",
    "attempts", "next_at", "reason", "owner", "note", "received_at", "handled_at",
)  # fmt: skip
CHANGED_COLUMNS: Final = (
    "source", "fact_id", "state", "attempts", "next_at", "reason", "owner", "note", "handled_at",
)  # fmt: skip


def timed(text: str, *instants: str, next_at: bool = False) -> TextClause | TextualSelect:
    """A statement whose named parameters, and result column `next_at`, are instants."""
    clause = sa.text(text).bindparams(*(sa.bindparam(name, type_=Instant()) for name in instants))
    return clause.columns(next_at=Instant()) if next_at else clause
