"""Many dossiers out of few: the rows of finished dossiers copied into earlier days, inside PostgreSQL.

The tables and their keys are read from a service's own metadata. Copy k is what its originals
would have been k days before: the day in each dossier code and the time in each UUID go back, as do
all instants that have passed; what is still to come goes forward, so that no alarm of a copy rings
during a measurement. Days inside texts and bodies stay. Names no table but the ledgers' own.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql

from shared.database.sealing import Kept, Marked, is_bytes
from shared.database.types import Instant

# A UUID version 7 begins with its milliseconds; its first eight letters count steps of so many.
_STEP_MS = 1 << 16
_DAY = timedelta(days=1)
# Marks the Idempotency-Keys of the benchmark's own requests.
KEY_WORD = "bench-"
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


class Unfaithful(RuntimeError):
    """The copies are not what real dossiers would have left behind."""


@dataclass(frozen=True, slots=True)
class Originals:
    """Between which instants (UTC) the originals were made, and on which local days."""

    began: datetime
    ended: datetime
    days: tuple[date, ...]

    @property
    def stride(self) -> int:
        """Days from one copy to the next: no two share a code."""
        return (max(self.days) - min(self.days)).days + 1

    def words(self, back: int) -> list[tuple[str, str]]:
        """What is replaced by what in a copy `back` days earlier.

        The earliest first: what is put in is never what is looked for later.
        """
        days = [(f"-{day:%y%m%d}-", f"-{day - _DAY * back:%y%m%d}-") for day in sorted(self.days)]
        behind = back * 86_400_000 // _STEP_MS
        steps = range(
            _milliseconds(self.began) // _STEP_MS, _milliseconds(self.ended) // _STEP_MS + 1
        )
        times = [(f"{step:08x}-", f"{step - behind:08x}-") for step in steps]
        return [*days, *times, (KEY_WORD, f"{KEY_WORD}{back}-")]


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def multiply(url: str, metadata: sa.MetaData, originals: Originals, copies: int) -> dict[str, int]:
    """Add `copies` - 1 copies of every row that tells of a dossier; rows now there, by table.

    Unfaithful where a table does not hold as many as real dossiers would have left.
    """
    with psycopg.connect(url) as connection:
        counts = {}
        for table in metadata.sorted_tables:
            counts[table.name] = _Table(connection, table, originals).fill(copies)
    with psycopg.connect(url, autocommit=True) as connection:
        # As autovacuum leaves a database that grew to this size over weeks.
        connection.execute("VACUUM (ANALYZE)")
        # What was just written goes to the disk now, not while something is measured.
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("CHECKPOINT")
    return counts


@dataclass
class _Table:
    connection: psycopg.Connection
    table: sa.Table
    originals: Originals
    _found: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._asked_of = self._name

    def fill(self, copies: int) -> int:
        """Copy the rows of dossiers; how many rows there are then."""
        small = sql.Identifier(f"small_{self.table.name}")
        self._run(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT * FROM {} AS t WHERE {}").format(
                small, self._name, self._tells_of_a_dossier()
            )
        )
        before, each = self._count(self._name), self._count(small)
        if not each:
            return before
        self._asked_of = small
        for number in range(1, copies):
            back = number * self.originals.stride
            self._run(self._copy(small, number, back))
        self._count_on(copies)
        after = self._count(self._name)
        if after != before + each * (copies - 1):
            raise Unfaithful(f"{self.table.name}: {after} rows from {before}, {each} to be copied")
        return after

    @property
    def _name(self) -> sql.Identifier:
        return sql.Identifier(self.table.name)

    def _run(self, query: sql.Composable) -> psycopg.Cursor[tuple[object, ...]]:
        return self.connection.execute(sql.Composed([query]))

    def _count(self, name: sql.Identifier) -> int:
        row = self._run(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
        return int(str(row[0])) if row else 0

    # --- which rows -----------------------------------------------------------------------------

    def _tells_of_a_dossier(self) -> sql.Composable:
        """Rows whose key is another one in a copy; all others belong to the city as a whole."""
        keys = [column for column in self.table.primary_key if not _counts_itself(column)]
        known_by = keys or [column for column in self.table.columns if _is_text(column)]
        moved = [
            sql.SQL("t.{} IS DISTINCT FROM {}").format(
                sql.Identifier(column.name), self._moved(column, 1, self.originals.stride)
            )
            for column in known_by
            if _is_text(column) or isinstance(column.type, sa.Date)
        ]
        return sql.SQL(" OR ").join(moved) if moved else sql.SQL("false")

    # --- what a copy holds ----------------------------------------------------------------------

    def _copy(self, small: sql.Identifier, number: int, back: int) -> sql.Composable:
        columns = [column for column in self.table.columns if not _counts_itself(column)]
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
        values = sql.SQL(", ").join(self._moved(column, number, back) for column in columns)
        order = [column for column in self.table.primary_key if _counts_itself(column)]
        tail: sql.Composable = sql.SQL("")
        if order:
            tail = sql.SQL(" ORDER BY t.{}").format(sql.Identifier(order[0].name))
        return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS t{}").format(
            self._name, names, values, small, tail
        )

    def _moved(self, column: sa.Column[object], number: int, back: int) -> sql.Composable:
        """The value of a column in copy `number`, `back` days earlier."""
        value: sql.Composable = sql.SQL("t.{}").format(sql.Identifier(column.name))
        if isinstance(column.type, sa.Date):
            return sql.SQL("({} - {})").format(value, back)
        if isinstance(column.type, Instant):
            return sql.SQL("CASE WHEN {v} > {now} THEN {v} + {by} ELSE {v} - {by} END").format(
                v=value, now=sql.Literal(self.originals.ended), by=sql.Literal(_DAY * back)
            )
        if _is_text(column):
            return self._said_anew(column, value, back)
        if self.table.name == "outbox" and column.name == "sequence":
            # A stream of the city as a whole (an agency's) goes on counting through the copies.
            return sql.SQL(
                "t.sequence + CASE WHEN {} = t.stream THEN {} * (SELECT last FROM streams s"
                " WHERE s.stream = t.stream) ELSE 0 END"
            ).format(self._moved(self.table.c.stream, number, back), number)
        return value

    def _said_anew(
        self, column: sa.Column[object], value: sql.Composable, back: int
    ) -> sql.Composable:
        words = self.originals.words(back)
        said = [words[index] for index in self._words_in(column)]
        if not said:
            return value
        text = _as_text(column, value)
        for old, new in said:
            text = sql.SQL("replace({}, {}, {})").format(text, sql.Literal(old), sql.Literal(new))
        if is_bytes(column.type):
            return sql.SQL("convert_to({}, 'UTF8')").format(text)
        kind = column.type.compile(_DIALECT).lower()
        return sql.SQL("CAST({} AS {})").format(text, sql.SQL(kind))

    def _words_in(self, column: sa.Column[object]) -> list[int]:
        """Which of the words this column holds anywhere; asked once, of the rows to copy."""
        if column.name not in self._found:
            text = _as_text(column, sql.SQL("t.{}").format(sql.Identifier(column.name)))
            asked = [
                sql.SQL("bool_or(strpos({}, {}) > 0)").format(text, sql.Literal(old))
                for old, _ in self.originals.words(0)
            ]
            query = sql.SQL("SELECT {} FROM {} AS t").format(
                sql.SQL(", ").join(asked), self._asked_of
            )
            row = self._run(query).fetchone() or ()
            self._found[column.name] = [index for index, held in enumerate(row) if held]
        return self._found[column.name]

    def _count_on(self, copies: int) -> None:
        """After the outbox, the streams of the city as a whole stand where the copies ended."""
        if self.table.name != "outbox":
            return
        self._run(
            sql.SQL(
                "UPDATE streams SET last = last * {} WHERE stream IN (SELECT DISTINCT t.stream"
                " FROM small_outbox AS t WHERE {} = t.stream)"
            ).format(copies, self._moved(self.table.c.stream, 1, self.originals.stride))
        )


def _as_text(column: sa.Column[object], value: sql.Composable) -> sql.Composable:
    return sql.SQL(
        "convert_from({}, 'UTF8')" if is_bytes(column.type) else "CAST({} AS text)"
    ).format(value)


def _is_text(column: sa.Column[object]) -> bool:
    if isinstance(column.type, Kept):
        return not isinstance(column.type, Marked)
    return isinstance(column.type, (sa.Text, sa.LargeBinary, sa.JSON))


def _counts_itself(column: sa.Column[object]) -> bool:
    return column.autoincrement is True


def local_days(began: datetime, ended: datetime, offset: timedelta) -> tuple[date, ...]:
    """The days on the calendar of a place `offset` from UTC that these instants touch."""
    first = (began.astimezone(UTC) + offset).date()
    last = (ended.astimezone(UTC) + offset).date()
    return tuple(first + _DAY * n for n in range((last - first).days + 1))
