"""What a database's errors mean: away, in each other's way, or a session that is of no use any more.

The one place that knows the words of both databases. The message of a driver is never passed on:
it may quote a row.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import exc

from shared.kernel.errors import DatabaseAway, Transient

# By the beginning of their SQLSTATE: connection, resources, shutdown and recovery, system error.
_AWAY_CLASSES: Final = ("08", "53", "57P", "58")
_CONTENTION: Final = ("40001", "40P01", "55P03")  # serialisation, deadlock, lock not available
_READ_ONLY: Final = "25006"  # the session began before a failover, or met a standby
_TOO_LONG: Final = "57014"  # by our own limit, or an administrator's order
_REASONS: Final = {
    _READ_ONLY: "the database only reads",
    _TOO_LONG: "the database took too long",
    # The session was left in the middle of something, or was ended for its idleness.
    "25P02": "the session was left in a broken transaction",
    "25P03": "the session was silent for too long",
    "25P04": "the transaction took too long",
}
# The server does not know what the session had it parse, or knows it already.
_STALE_STATEMENTS: Final = ("26000", "42P05")
# A plan that was made before an ALTER; the words are in the server's language, this is not.
_STALE_PLAN: Final = ("0A000", "RevalidateCachedQuery")

_AWAY_SQLITE: Final = {
    "SQLITE_FULL": "the disk of the database is full",
    "SQLITE_READONLY": "the database file cannot be written",
    "SQLITE_IOERR": "the disk of the database fails",
    "SQLITE_CANTOPEN": "the database file cannot be opened",
    "SQLITE_CORRUPT": "the database file is damaged",
    "SQLITE_NOTADB": "the database file is damaged",
}


class Contention(Transient):
    """Two writers stood in each other's way; trying again at once is right."""


class StaleSession(Contention):
    """The session is older than something that changed; a fresh one can do it at once."""


def translate(error: BaseException, *, reading: bool = False) -> Transient | None:
    """DatabaseAway or Contention where a database error means that; None for all others.

    `reading`: the transaction was begun to read only, so that a write in it is a defect.
    """
    if isinstance(error, exc.TimeoutError):
        return DatabaseAway("no database connection became free in time")
    if isinstance(error, (ConnectionError, TimeoutError)):  # let through by a driver
        return DatabaseAway("the database connection broke off")
    if not isinstance(error, exc.DBAPIError):
        return None
    if reading and _state(error) == _READ_ONLY:
        return None
    name = getattr(error.orig, "sqlite_errorname", None)
    return _of_postgres(error) if name is None else _of_sqlite(str(name))


def spoils(error: BaseException, *, reading: bool = False) -> bool:
    """Whether the session that met it, and those that were made before it, are of no use any more.

    Each may hold the same state: bound to a server that only reads by now, or to a file that is
    not there any more.
    """
    if isinstance(error, exc.TimeoutError):
        return False  # nothing is wrong with the connections, there are not enough of them
    if isinstance(error, exc.DBAPIError) and _state(error) == _TOO_LONG:
        return False
    return isinstance(translate(error, reading=reading), (DatabaseAway, StaleSession))


def _of_postgres(error: exc.DBAPIError) -> Transient | None:
    state = _state(error)
    if state in _STALE_STATEMENTS or _is_stale_plan(error.orig):
        return StaleSession("the database changed under an open session")
    if state in _CONTENTION:
        return Contention("two writers stood in each other's way")
    reason = _reason(error, state)
    return None if reason is None else DatabaseAway(reason)


def _reason(error: exc.DBAPIError, state: str | None) -> str | None:
    if state in _REASONS:
        return _REASONS[state]
    if state is not None and state.startswith(_AWAY_CLASSES):
        return "the database is shutting down or out of resources"
    if error.connection_invalidated:
        return "the database connection broke off"
    lost = isinstance(error, (exc.OperationalError, exc.InterfaceError))
    return "the database cannot be reached" if lost and state is None else None


def _state(error: exc.DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def _is_stale_plan(error: Any) -> bool:
    told = getattr(error, "diag", None)
    return told is not None and (told.sqlstate, told.source_function) == _STALE_PLAN


def _of_sqlite(name: str) -> Transient | None:
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Contention("another process holds the database")
    for beginning, reason in _AWAY_SQLITE.items():
        if name.startswith(beginning):
            return DatabaseAway(reason)
    return None
