"""The daily counter of each office's dossier codes.

After the database was restored from a backup the counters of the day go on from the milliseconds
since midnight: above every number that may have been drawn and forgotten, since no office takes in
a thousand dossiers a second.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from services.intake.storage.tables import counters
from shared.database import batch
from shared.kernel.clock import to_vn

#: Stands for every office: what the counters of a day begin above.
_EVERY_OFFICE: Final = "*"
_MILLISECOND: Final = timedelta(milliseconds=1)
_DAY: Final = {"postgresql": "CAST(:day AS date)", "sqlite": ":day"}
_NEXT: Final = {
    dialect: sa.text(
        "INSERT INTO counters AS c (agency_id, day, last)"  # noqa: S608
        f" VALUES (:agency_id, {day}, 1 + coalesce((SELECT f.last FROM counters AS f"
        f" WHERE f.agency_id = '{_EVERY_OFFICE}' AND f.day = {day}), 0))"
        " ON CONFLICT (agency_id, day) DO UPDATE SET last = c.last + 1 RETURNING last"
    )
    for dialect, day in _DAY.items()
}


def next_number(connection: sa.Connection, agency_id: str, day: date) -> int:
    """Count one up and return it, from 1 each local day (but for one of a restore: `begin_anew`).

    The row stays locked until the unit commits and falls back with a rollback: numbers can neither
    repeat nor skip.
    """
    asked = {"agency_id": agency_id, "day": day.isoformat()}
    (rows,) = batch.query(connection, (_NEXT[connection.dialect.name], asked))
    return int(rows[0][0])


def begin_anew(connection: sa.Connection, now: datetime) -> int:
    """Let every office's counter of this local day go on above what it returns; `now` is aware."""
    local = to_vn(now)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    of_day = counters.c.day == local.date()
    known = connection.scalar(sa.select(sa.func.max(counters.c.last)).where(of_day)) or 0
    above = max((local - midnight) // _MILLISECOND, known)
    raised = sa.update(counters).where(of_day).values(last=above)
    connection.execute(raised)
    every = of_day & (counters.c.agency_id == _EVERY_OFFICE)
    if connection.scalar(sa.select(counters.c.last).where(every)) is None:
        row = {"agency_id": _EVERY_OFFICE, "day": local.date(), "last": above}
        connection.execute(sa.insert(counters).values(**row))
    return above
