"""Sealing anew, row by row and beside a running city: what lies in clear, or under an older key.

One batch is one short transaction; rows that somebody else holds are left for the next time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from shared.database.sealing import Kept, Marked, SealedBytes, SealedJson, Sealer, kept_of
from shared.database.types import Json

ROWS: Final = 200
Place = tuple[Any, ...]


def tables_of(metadata: sa.MetaData) -> list[sa.Table]:
    """The tables that hold what is sealed."""
    return [each for each in metadata.sorted_tables if _sealed(each)]


def seal_some(
    connection: sa.Connection, sealer: Sealer, table: sa.Table, after: Place | None
) -> tuple[int, Place | None]:
    """Seal the next rows behind this place: how many, and the place of the last; None at the end."""
    keys = [_raw(each) for each in table.primary_key]
    sealed = _sealed(table)
    asked = sa.select(*keys, *(table.c[name] for name in sealed)).where(outdated(sealer, table))
    if after is not None:
        place = sa.tuple_(*map(sa.literal, after))
        asked = asked.where(sa.tuple_(*keys) > place if len(keys) > 1 else keys[0] > after[0])
    asked = asked.order_by(*keys).limit(ROWS)
    rows = connection.execute(asked.with_for_update(skip_locked=True)).all()
    if not rows:
        return 0, None
    _write(connection, table, sealed, [tuple(row) for row in rows])
    return len(rows), tuple(rows[-1])[: len(keys)]


def is_outdated(connection: sa.Connection, sealer: Sealer, table: sa.Table) -> bool:
    """Whether a row lies in clear, or under an older key. Reads the whole table where none does."""
    asked = sa.select(sa.literal(1)).select_from(table).where(outdated(sealer, table)).limit(1)
    return connection.scalar(asked) is not None


def outdated(sealer: Sealer, table: sa.Table) -> sa.ColumnElement[bool]:
    """The condition on rows that the newest key did not seal, or that lack a mark."""
    old = [_is_old(sealer, table.c[name]) for name in _sealed(table)]
    marks = [
        sa.and_(_raw(table.c[mark]).is_(None), _raw(table.c[of]).is_not(None))
        for mark, of in _marks(table).items()
    ]
    return sa.or_(*old, *marks)


def open_all(connection: sa.Connection, table: sa.Table) -> None:
    """Write in clear whatever is sealed; only for copies of a database, such as a benchmark's."""
    keys, sealed = [_raw(each) for each in table.primary_key], _sealed(table)
    rows = connection.execute(sa.select(*keys, *(table.c[name] for name in sealed))).all()
    if rows:
        _write(connection, table, sealed, [tuple(row) for row in rows], clear=True)


def _write(
    connection: sa.Connection,
    table: sa.Table,
    sealed: Sequence[str],
    rows: Sequence[Place],
    *,
    clear: bool = False,
) -> None:
    keys = [each.name for each in table.primary_key]
    same = (
        _raw(table.c[key]) == sa.bindparam(f"key_{key}", type_=_raw(table.c[key]).type)
        for key in keys
    )
    of = {name: name for name in sealed} | ({} if clear else _marks(table))
    kinds = {name: _raw(table.c[name]).type if clear else table.c[name].type for name in of}
    new = {name: sa.bindparam(f"new_{name}", type_=kinds[name]) for name in of}
    change = sa.update(table).where(*same).values(new)
    values = []
    for row in rows:
        opened = dict(zip(sealed, row[len(keys) :], strict=True))
        told = {f"new_{name}": opened[source] for name, source in of.items()}
        values.append(told | {f"key_{key}": row[place] for place, key in enumerate(keys)})
    connection.execute(change, values)


def _sealed(table: sa.Table) -> list[str]:
    return [name for name, kind in kept_of(table).items() if not isinstance(kind, Marked)]


def _marks(table: sa.Table) -> dict[str, str]:
    """Which column each mark is of; a key stays what it is."""
    return {
        name: kind.of
        for name, kind in kept_of(table).items()
        if isinstance(kind, Marked) and not table.c[name].primary_key
    }


def _raw(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A column as it lies in the database."""
    if not isinstance(column.type, Kept):
        return column
    if isinstance(column.type, SealedBytes):
        return sa.type_coerce(column, sa.LargeBinary)
    return sa.type_coerce(column, Json() if isinstance(column.type, SealedJson) else sa.Text())


def _is_old(sealer: Sealer, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    raw = _raw(column)
    if isinstance(column.type, SealedBytes):
        begins = sa.type_coerce(sa.func.substr(raw, 1, len(sealer.head)), sa.LargeBinary)
        return sa.and_(raw != b"", begins != sealer.head)
    if isinstance(column.type, SealedJson):
        text, quote = sa.cast(raw, sa.Text), '"'
        empty = text.in_(["{}", "[]", "null"])
        return sa.and_(sa.not_(empty), _begins(text, quote + sealer.text_head))
    return sa.and_(raw != "", _begins(raw, sealer.text_head))


def _begins(text: sa.ColumnElement[Any], head: str) -> sa.ColumnElement[bool]:
    return sa.func.substr(text, 1, len(head)) != head
