"""The daily counter of each office's dossier codes."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.intake.storage.tables import counters

_MAKERS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_NEXT: dict[str, sa.sql.expression.Executable] = {}


def next_number(connection: sa.Connection, agency_id: str, day: date) -> int:
    """Count one up and return it, from 1 each local day.

    The row stays locked until the unit commits and falls back with a rollback: numbers can neither
    repeat nor skip.
    """
    dialect = connection.dialect.name
    if dialect not in _NEXT:
        _NEXT[dialect] = _statement(dialect)
    return int(
        connection.execute(_NEXT[dialect], {"agency_id": agency_id, "day": day}).scalar_one()
    )


def _statement(dialect: str) -> sa.sql.expression.Executable:
    insert = _MAKERS[dialect](counters).values(
        agency_id=sa.bindparam("agency_id"), day=sa.bindparam("day"), last=1
    )
    key = [counters.c.agency_id, counters.c.day]
    statement: sa.sql.expression.Executable = insert.on_conflict_do_update(
        index_elements=key, set_={"last": counters.c.last + 1}
    ).returning(counters.c.last)
    return statement
