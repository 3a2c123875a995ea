"""The one way to batch SQL, on both databases; nothing here knows what the rows mean.

Many rows by their keys (`fetch`, `among`), many rows in one statement (`insert`, `upsert`,
`update`), several queries in one round trip (`query`), and a statement for whose answer nobody
waits before the commit (`execute`; the three that write go the same way).

PostgreSQL gets the rows as one JSON text, with an array of bytes beside it for each column of
bytes: one text to plan, whatever the size of the batch, and made and read far quicker than a
statement for each row. How it is sent is in `pipeline`, which brings PostgreSQL's driver with it:
10 MB that a city on SQLite never needs. SQLite has no trips to save and goes row by row.
"""

# ruff: noqa: S608 - only names of our own tables and columns are put together

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from shared.database.sealing import is_bytes, kept_of
from shared.database.types import Instant

# So few rows go as plain values: PostgreSQL pays more for opening a JSON text than it saves.
_FEW: Final = 3

Row = Mapping[str, Any]


class Keyed(NamedTuple):
    """A query for the rows of many keys, as each database looks them up; see `keyed`."""

    on_sqlite: sa.Select[Any]
    on_postgres: sa.Select[Any]


#: A statement and the values of its parameters.
Query = tuple[sa.Executable | Keyed, Mapping[str, Any]]


def query(connection: sa.Connection, *asked: Query) -> list[list[Any]]:
    """The rows of each of these, run one after the other; PostgreSQL is waited for only once.

    Its rows are plain tuples, with values as its driver gives them: instants in the session's zone;
    only what was sealed is opened.
    Each statement must be one that is built once: its text is kept for ever.
    """
    on_sqlite = _is_sqlite(connection)
    said = [
        (text[0 if on_sqlite else 1] if isinstance(text, Keyed) else text, values)
        for text, values in asked
    ]
    if on_sqlite:
        return [list(connection.execute(text, dict(values))) for text, values in said]
    from shared.database import pipeline

    return pipeline.query(connection, said)


def execute(connection: sa.Connection, statement: sa.Executable, values: Row) -> None:
    """Run a statement that is built once and gives no rows.

    While a unit of work ends (`Store.ending`) PostgreSQL is not waited for: it goes with the next
    query or the commit, and a failure comes up there.
    """
    if _is_sqlite(connection):
        connection.execute(statement, dict(values))
        return
    from shared.database import pipeline

    pipeline.execute(connection, statement, values)


def fetch(
    connection: sa.Connection, column: sa.Column[Any], keys: Iterable[str], *, lock: bool = False
) -> Sequence[Any]:
    """The rows whose text column is one of these keys, in the order of the sorted keys.

    With `lock` PostgreSQL locks them in that order; SQLite has one writer anyway.
    """
    if _is_sqlite(connection):
        statement = _fetch_on_sqlite(column)
    else:
        statement = _fetch_on_postgres(column, lock=lock)
    return connection.execute(statement, {"keys": sorted(set(keys))}).all()


def insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """New rows; all with the same columns."""
    if rows and _is_sqlite(connection):
        connection.execute(table.insert(), list(rows))
    elif 0 < len(rows) <= _FEW:
        values = {f"{name}_{n}": row[name] for n, row in enumerate(rows) for name in row}
        execute(connection, _insert_few(table, tuple(rows[0]), len(rows)), values)
    elif rows:
        statement = _insert(table, tuple(rows[0]), connection.dialect)
        execute(connection, statement, _values(table, rows, connection.dialect))


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """New rows, in the place of those that have the same primary key."""
    if rows and _is_sqlite(connection):
        connection.execute(_upsert_on_sqlite(table, tuple(rows[0])), list(rows))
    elif rows:
        statement = _upsert(table, tuple(rows[0]), connection.dialect)
        execute(connection, statement, _values(table, rows, connection.dialect))


def update(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Write these columns of the rows that have the same primary key."""
    if rows and _is_sqlite(connection):
        keys = _keys(table)
        named = [
            {(f"old_{name}" if name in keys else name): value for name, value in row.items()}
            for row in rows
        ]
        connection.execute(_update_on_sqlite(table), named)
    elif rows:
        statement = _update(table, tuple(rows[0]), connection.dialect)
        execute(connection, statement, _values(table, rows, connection.dialect))


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


# --- "is one of these", as one parameter --------------------------------------------------------


class _Keys(TypeDecorator[Collection[str]]):
    """A list of texts: an array on PostgreSQL, a JSON text on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(
            sa.Text() if dialect.name == "sqlite" else postgresql.ARRAY(sa.Text)
        )

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        listed = list(value or ())
        return json.dumps(listed, ensure_ascii=False) if dialect.name == "sqlite" else listed


class _Among(FunctionElement[Any]):
    inherit_cache = True


@compiles(_Among)
def _array(element: _Among, compiler: Any, **options: Any) -> str:
    column, keys = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({keys})"


@compiles(_Among, "sqlite")
def _listed(element: _Among, compiler: Any, **options: Any) -> str:
    column, keys = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"


def among(column: sa.ColumnElement[str], keys: str = "keys") -> sa.ColumnElement[Any]:
    """Whether the text column is one of the list that is given as `keys` when it is run.

    The statement is then the same for any number of them.
    """
    return _Among(column, sa.bindparam(keys, type_=_Keys()))


def keyed(asked: sa.Select[Any], column: sa.Column[str]) -> Keyed:
    """The rows of this query whose text column is one of `keys`, for `query` alone.

    PostgreSQL looks each key up by itself (see `_fetch_on_postgres`): "is one of these" would read
    the whole table for as long as its plan is from when the table was small.
    """
    key = sa.func.unnest(sa.bindparam("keys", type_=_Keys()).cast(postgresql.ARRAY(sa.Text)))
    keys = key.table_valued("key").render_derived(name="k")
    of_one = asked.where(column == keys.c.key).offset(sa.literal_column("0")).lateral("t")
    each = sa.select(of_one).select_from(keys.join(of_one, sa.true()))
    return Keyed(asked.where(among(column)), each)


# --- SQLite's statements ------------------------------------------------------------------------


def _keys(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _others(table: sa.Table, names: Sequence[str]) -> list[str]:
    return [name for name in names if not table.c[name].primary_key]


@cache
def _fetch_on_sqlite(column: sa.Column[Any]) -> Any:
    return sa.select(column.table).where(among(column)).order_by(column)


@cache
def _upsert_on_sqlite(table: sa.Table, names: tuple[str, ...]) -> Any:
    made = sqlite.insert(table)
    others = {name: made.excluded[name] for name in _others(table, names)}
    return made.on_conflict_do_update(index_elements=_keys(table), set_=others)


@cache
def _update_on_sqlite(table: sa.Table) -> Any:
    return table.update().where(*(table.c[k] == sa.bindparam(f"old_{k}") for k in _keys(table)))


# --- PostgreSQL's statements, each made once ----------------------------------------------------


@cache
def _fetch_on_postgres(column: sa.Column[Any], *, lock: bool) -> Any:
    """LATERAL keeps it an index look-up even in a plan that was made while the table was empty."""
    table = column.table
    names = ", ".join(f"t.{each.name}" for each in table.columns)
    tail = "LIMIT 1 FOR UPDATE" if lock else "OFFSET 0"
    text = sa.text(
        f"SELECT {names} FROM unnest(CAST(:keys AS text[])) AS k(key) CROSS JOIN LATERAL "
        f"(SELECT * FROM {table} WHERE {column.name} = k.key {tail}) AS t"
    )
    return text.columns(*table.columns)


@cache
def _insert(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> sa.TextClause:
    return sa.text(_insert_text(table, names, dialect))


@cache
def _insert_few(table: sa.Table, names: tuple[str, ...], count: int) -> sa.TextClause:
    lines = (", ".join(f":{name}_{n}" for name in names) for n in range(count))
    values = ", ".join(f"({line})" for line in lines)
    text = sa.text(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {values}")
    typed = (
        sa.bindparam(f"{name}_{n}", type_=table.c[name].type)
        for name in names
        for n in range(count)
    )
    return text.bindparams(*typed)


@cache
def _upsert(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> sa.TextClause:
    changes = ", ".join(f"{name} = excluded.{name}" for name in _others(table, names))
    conflict = f" ON CONFLICT ({', '.join(_keys(table))}) DO UPDATE SET {changes}"
    return sa.text(_insert_text(table, names, dialect) + conflict)


@cache
def _update(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> sa.TextClause:
    changes = ", ".join(f"{name} = n.{name}" for name in _others(table, names))
    same = " AND ".join(f"t.{key} = n.{key}" for key in _keys(table))
    source = _from(table, names, dialect)
    return sa.text(f"UPDATE {table.name} AS t SET {changes} {source} WHERE {same}")


def _insert_text(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> str:
    listed = ", ".join(names)
    source = _from(table, names, dialect)
    return f"INSERT INTO {table.name} ({listed}) SELECT {listed} {source}"


def _from(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> str:
    of_bytes = _of_bytes(table)
    plain = [name for name in names if name not in of_bytes]
    beside = [name for name in names if name in of_bytes]
    typed = ", ".join(f"{name} {table.c[name].type.compile(dialect)}" for name in plain)
    arrays = "".join(f", unnest(CAST(:{name} AS bytea[]))" for name in beside)
    return (
        f"FROM ROWS FROM (json_to_recordset(CAST(:rows AS json)) AS ({typed}){arrays})"
        f" AS n({', '.join((*plain, *beside))})"
    )


def _values(table: sa.Table, rows: Sequence[Row], dialect: Dialect) -> dict[str, Any]:
    """The rows as the parameters of `_from`."""
    rows = _as_kept(table, rows, dialect)
    for name in _instants(table):
        if any(at.tzinfo is None for row in rows if (at := row.get(name)) is not None):
            raise ValueError("a datetime without a time zone is not an instant")
    beside = [name for name in _of_bytes(table) if name in rows[0]]
    if not beside:
        return {"rows": _json(rows).decode()}
    plain = [{name: row[name] for name in row if name not in beside} for row in rows]
    return {"rows": _json(plain).decode()} | {name: [row[name] for row in rows] for name in beside}


def _as_kept(table: sa.Table, rows: Sequence[Row], dialect: Dialect) -> Sequence[Row]:
    """The rows with what is personal in them sealed."""
    kept = [each for each in kept_of(table).items() if each[0] in rows[0]]
    if not kept:
        return rows
    return [
        {**row, **{name: kind.process_bind_param(row[name], dialect) for name, kind in kept}}
        for row in rows
    ]


@cache
def _instants(table: sa.Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if isinstance(column.type, Instant))


@cache
def _of_bytes(table: sa.Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if is_bytes(column.type))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is no value of a row")


_json = msgspec.json.Encoder(enc_hook=_plain).encode
