"""Which dossiers nothing more is to be said of to their citizens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from services.notify.domain.states import State
from services.notify.storage.tables import cases, messages

_DONE = (
    State.SENT,
    State.DELIVERED,
    State.SKIPPED,
    State.UNDELIVERABLE,
    State.SPARED,
    State.CANCELLED,
    State.RECALLED,
    State.OPTED_OUT,
)
_OPEN = [state.value for state in State if state not in _DONE]


def ended(connection: sa.Connection, dossiers: Sequence[str], _before: datetime) -> set[str]:
    """Which of these have ended and have no message that may still be sent."""
    asked = sa.select(cases.c.dossier).where(cases.c.dossier.in_(dossiers), cases.c.ended)
    return set(connection.scalars(asked.where(~is_open(cases.c.dossier))))


def is_open(dossier: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a message about it may still be sent."""
    return sa.exists().where(messages.c.dossier == dossier, messages.c.state.in_(_OPEN))
