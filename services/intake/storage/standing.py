"""What an operator must know of intake's work: dossiers that are overdue, and a clock that stands."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.intake.storage.alarms import next_due
from services.intake.storage.tables import dossiers
from shared.messaging.advice import Both
from shared.messaging.standing import Line, Matters, clock_line, overdue

_OVERDUE = (
    sa.select(dossiers.c.office, sa.func.count(), sa.func.min(dossiers.c.due_at))
    .where(dossiers.c.finished_at.is_(None), dossiers.c.due_at < sa.bindparam("now"))
    .where(dossiers.c.paused_since.is_(None))
    .group_by(dossiers.c.office)
    .order_by(dossiers.c.office)
)


def lines(connection: sa.Connection, now: datetime) -> list[Line]:
    """Overdue dossiers by office, and whether what falls due by the clock is being done."""
    act = Both(
        "Bộ phận một cửa: xem danh sách hồ sơ quá hạn. Vận hành không phải làm gì.",
        "The desk: look at its list of overdue dossiers. Nothing for the operator.",
    )
    words = ("hồ sơ quá hạn", "overdue dossiers")
    found = overdue(connection, _OVERDUE, "office", words, act, now)
    return found + clock_line("intake", next_due(connection), now)


MATTERS: Final = Matters(lines)
