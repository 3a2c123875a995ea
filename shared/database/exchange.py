"""One exchange with PostgreSQL: statements go out together, and one wait brings all the results.

This is libpq's pipeline, spoken directly: through psycopg's own `Pipeline`, which serves every case
there is, the same four statements cost five times the CPU. What travels together is decided in
`trips`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.waiting import Ready, Wait

#: Statements of one connection that the server keeps parsed; any more are sent as text.
MOST_PREPARED: Final = 200


#: A statement is kept parsed for its text and the types of its values.
Key = tuple[bytes, Sequence[int]]


class Asked(NamedTuple):
    """A statement as libpq takes it."""

    query: bytes
    params: Sequence[Any] | None
    types: Sequence[int]
    formats: Sequence[Any] | None


class Prepared:
    """The names of one connection's parsed statements; a statement is parsed at its second use."""

    __slots__ = ("made", "names", "seen")

    def __init__(self) -> None:
        self.names: dict[Key, bytes] = {}
        self.seen: set[Key] = set()
        self.made = 0

    def give(self, key: Key) -> bytes:
        """A name that no statement of this connection had before."""
        self.made += 1
        name = self.names[key] = b"lt_%d" % self.made
        return name

    def wanted(self, key: Key) -> bool:
        """Whether a statement that has no name yet is worth one."""
        if len(self.names) >= MOST_PREPARED:
            return False
        if key in self.seen:
            return True
        if len(self.seen) > MOST_PREPARED:
            self.seen.clear()
        self.seen.add(key)
        return False


def exchange(
    pgconn: Any, kept: Prepared, statements: Sequence[Asked], *, begin: bytes | None, commit: bool
) -> Generator[Wait, Ready | int, list[Any]]:
    """Send these, with BEGIN before and COMMIT behind them if wanted; the result of each.

    For `psycopg.Connection.wait`. Raises psycopg's error of the first that failed; what came after
    it is then not done. A connection that was interrupted on the way is closed.
    """
    pgconn.enter_pipeline_mode()
    whole = False
    try:
        if begin is not None:
            pgconn.send_query_params(begin, None)
        made = [_send_one(pgconn, kept, each) for each in statements]
        if commit:
            pgconn.send_query_params(b"COMMIT", None)
        pgconn.pipeline_sync()
        replies = iter((yield from _replies(pgconn)))
        whole = True
    finally:
        if whole:
            pgconn.exit_pipeline_mode()
        else:
            pgconn.finish()  # nobody knows what it would still have said
    failed: list[Any] = []
    results = _sorted_out(replies, kept, made, failed, begin=begin is not None)
    if commit:
        _good(next(replies), failed)
    if failed:
        raise error_from_result(failed[0], encoding="utf-8")
    return results


def _send_one(pgconn: Any, kept: Prepared, asked: Asked) -> Key | None:
    """Send a statement; its key where the server is to keep it from now on."""
    key = (asked.query, asked.types)
    name = kept.names.get(key)
    new = name is None and kept.wanted(key)
    if new:
        name = kept.give(key)
        pgconn.send_prepare(name, asked.query, param_types=asked.types)
    if name is None:
        pgconn.send_query_params(
            asked.query, asked.params, param_formats=asked.formats, param_types=asked.types
        )
    else:
        pgconn.send_query_prepared(name, asked.params, param_formats=asked.formats)
    return key if new else None


def _replies(pgconn: Any) -> Generator[Wait, Ready | int, list[Any]]:
    """Every result up to the end of the exchange."""
    results: list[Any] = []
    while True:
        sending = pgconn.flush()
        ready = yield Wait.RW if sending else Wait.R
        if not ready & Ready.R:
            continue
        pgconn.consume_input()
        gaps = 0
        while gaps < 2 and not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:  # stands between the results of two statements
                gaps += 1
                continue
            gaps = 0
            if result.status == ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)
        if pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError("the connection broke off")


def _sorted_out(
    replies: Iterator[Any],
    kept: Prepared,
    made: Sequence[Key | None],
    failed: list[Any],
    *,
    begin: bool,
) -> list[Any]:
    """The results of the statements alone; what was to be kept and was not is forgotten."""
    if begin:
        _good(next(replies), failed)
    results = []
    for new in made:
        if new is not None and not _good(next(replies), failed):
            del kept.names[new]
        result = next(replies)
        _good(result, failed)
        results.append(result)
    return results


def _good(result: Any, failed: list[Any]) -> bool:
    good = result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
    if not good:
        failed.append(result)
    return good
