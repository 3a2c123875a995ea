"""The tables of the access log, and what keeps their rows from being changed.

A row goes only once a prune has said up to where, in a row that itself never goes. Who owns the
database can take the triggers away: that is what the seals are for.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from shared.database.types import Instant

_Position = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def define(metadata: sa.MetaData) -> None:
    """Add the access log, its seals and its prunes to a service's metadata."""
    sa.Table(
        "access_log",
        metadata,
        sa.Column("position", _Position, primary_key=True, autoincrement=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("things", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Index("access_log_at", "at"),
        sqlite_autoincrement=True,  # a position is never given twice, also after a prune
    )
    sa.Table(
        "access_seals",
        metadata,
        sa.Column("number", _Position, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),  # position of its last row
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
    )
    sa.Table(
        "access_prunes",
        metadata,
        sa.Column("number", _Position, primary_key=True, autoincrement=False),  # of the last seal
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("pruned_at", Instant(), nullable=False),
    )


_TABLES: Final = sa.MetaData()
define(_TABLES)
LOG: Final = _TABLES.tables["access_log"]
SEALS: Final = _TABLES.tables["access_seals"]
PRUNES: Final = _TABLES.tables["access_prunes"]

#: Table -> the column that a prune names the end of; None where nothing ever goes.
_GOES_BY: Final = {"access_log": ("position", "last"), "access_seals": ("number", "number")}
_SAID: Final = "the access log is only added to"


def guard(connection: sa.Connection) -> None:
    """Let the database itself refuse to change or take away a row."""
    made = _sqlite() if connection.dialect.name == "sqlite" else _postgres()
    for statement in made:
        connection.exec_driver_sql(statement)


def _sqlite() -> list[str]:
    made = []
    for table in ("access_log", "access_seals", "access_prunes"):
        unless = ""
        if table in _GOES_BY:
            own, pruned = _GOES_BY[table]
            unless = f" WHEN OLD.{own} > (SELECT coalesce(max({pruned}), 0) FROM access_prunes)"  # noqa: S608
        refuse = f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
        made += [
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}{unless} {refuse}",
        ]
    return made


def _postgres() -> list[str]:
    refuse = f"RAISE EXCEPTION '{_SAID}'"
    made = [_function("access_refused", f"{refuse};")]
    for table in ("access_log", "access_seals", "access_prunes"):
        kept = "access_refused"
        if table in _GOES_BY:
            own, pruned = _GOES_BY[table]
            kept = f"{table}_kept"
            body = (
                f"IF OLD.{own} > (SELECT coalesce(max({pruned}), 0) FROM access_prunes) "  # noqa: S608
                f"THEN {refuse}; END IF; RETURN OLD;"
            )
            made.append(_function(kept, body))
        for name, when, each, function in (
            ("unchanged", "UPDATE", "ROW", "access_refused"),
            ("whole", "TRUNCATE", "STATEMENT", "access_refused"),
            ("kept", "DELETE", "ROW", kept),
        ):
            made.append(
                f"CREATE TRIGGER {table}_{name} BEFORE {when} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION {function}()"
            )
    return made


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def unguard(connection: sa.Connection) -> None:
    """Take the functions away that `guard` made; the triggers go with their tables."""
    if connection.dialect.name == "postgresql":
        for name in ("access_refused", *(f"{table}_kept" for table in _GOES_BY)):
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}() CASCADE")


def lock(connection: sa.Connection, *, alone: bool) -> None:
    """Whoever adds shares this lock until the commit; who seals has it alone.

    Else a row could be given its position before a seal and be committed after it. On SQLite one
    writer works at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE if alone else _SHARED)


_KEY: Final[Any] = 0x6C740ACC
_ALONE: Final = sa.text(f"SELECT pg_advisory_xact_lock({_KEY})")
_SHARED: Final = sa.text(f"SELECT pg_advisory_xact_lock_shared({_KEY})")
