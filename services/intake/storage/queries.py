"""Reading without changing: one dossier, an office's list in stable pages, what reports count."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.domain.lateness import late
from services.intake.domain.report import History
from services.intake.domain.statuses import Status
from services.intake.storage.rows import from_row, pauses_of, searched
from services.intake.storage.tables import dossiers
from shared.database.types import Instant
from shared.kernel.clock import format_instant, parse_instant
from shared.kernel.errors import Fault, InvalidInput

_ONE = sa.select(dossiers).where(dossiers.c.code == sa.bindparam("code"))
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_C = dossiers.c


def find_dossier(connection: sa.Connection, code: str) -> Dossier | None:
    """The dossier of that code, whatever office it belongs to; the caller keeps it apart."""
    row = connection.execute(_ONE, {"code": code}).mappings().one_or_none()
    return from_row(row) if row is not None else None


def received_count(connection: sa.Connection, office: str, start: datetime, end: datetime) -> int:
    """How many dossiers the office received in [start, end)."""
    counted = sa.select(sa.func.count()).where(*_received(office, start, end))
    return connection.execute(counted).scalar_one()


def received(
    connection: sa.Connection,
    office: str,
    start: datetime,
    end: datetime,
    *,
    before: int,
    most: int,
) -> tuple[Dossier, ...]:
    """What the office received in [start, end), in that order, without the first `before`."""
    query = sa.select(dossiers).where(*_received(office, start, end))
    ordered = query.order_by(_C.received_at, _C.code).offset(before).limit(most)
    return tuple(from_row(row) for row in connection.execute(ordered).mappings())


def _received(office: str, start: datetime, end: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return _C.office == office, _C.received_at >= start, _C.received_at < end


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; None takes everything. Instants are half-open [from, to)."""

    office: str | None
    statuses: tuple[int, ...] = ()
    procedure: str | None = None
    channel: str | None = None
    overdue: bool | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    text: str | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list."""

    code: str
    procedure: str
    procedure_version: int
    office: str
    channel: str
    status: Status
    applicant: str = field(repr=False)
    submitted_at: datetime
    received_at: datetime | None
    promised_at: datetime | None
    due_at: datetime | None
    adjusted_due_at: datetime | None
    paused_since: datetime | None
    finished_at: datetime | None

    def overdue(self, now: datetime) -> bool:
        """As Dossier.overdue."""
        running = self.finished_at is None
        return running and late(self.due_at, now, stopped_since=self.paused_since)


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `next` is the cursor of the page after, None on the last; `total` counts all."""

    items: tuple[Listed, ...]
    total: int
    next: str | None


Sort = Literal["newest", "due"]
_COLUMNS = [
    _C[name]
    for name in (
        "code", "procedure", "procedure_version", "office", "channel", "status", "contact",
        "submitted_at", "received_at", "promised_at", "due_at", "paused_since", "finished_at",
    )
] + [_C.owed_at.label("adjusted_due_at")]  # fmt: skip


def list_dossiers(
    connection: sa.Connection,
    filters: Filters,
    now: datetime,
    *,
    sort: Sort = "newest",
    size: int = 50,
    cursor: str | None = None,
) -> Page:
    """A page of dossiers. A dossier filed meanwhile never shifts a page that is read on."""
    wanted = _conditions(filters, now)
    total = connection.execute(sa.select(sa.func.count()).select_from(dossiers).where(*wanted))
    key, newest = _sort_key(sort), sort == "newest"
    order = (key.desc(), _C.code.desc()) if newest else (key.asc(), _C.code.asc())
    query = sa.select(*_COLUMNS, key.label("sort_key")).where(*wanted).order_by(*order)
    if cursor is not None:
        at, code = _read_cursor(cursor)
        place = sa.tuple_(key, _C.code)
        edge = sa.tuple_(sa.literal(at, Instant()), sa.literal(code))
        query = query.where(place < edge if newest else place > edge)
    rows = connection.execute(query.limit(size + 1)).mappings().all()
    more = _cursor(rows[size - 1]["sort_key"], rows[size - 1]["code"]) if len(rows) > size else None
    return Page(tuple(_listed(row) for row in rows[:size]), total.scalar_one(), more)


def _sort_key(sort: Sort) -> sa.ColumnElement[Any]:
    if sort == "newest":
        return _C.submitted_at
    return sa.func.coalesce(_C.due_at, sa.literal(_NEVER, Instant()), type_=Instant())


def _conditions(filters: Filters, now: datetime) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if filters.office is not None:
        wanted.append(_C.office == filters.office)
    if filters.statuses:
        wanted.append(_C.status.in_(filters.statuses))
    if filters.procedure is not None:
        wanted.append(_C.procedure == filters.procedure)
    if filters.channel is not None:
        wanted.append(_C.channel == filters.channel)
    if filters.received_from is not None:
        wanted.append(_C.received_at >= filters.received_from)
    if filters.received_to is not None:
        wanted.append(_C.received_at < filters.received_to)
    if filters.unfinished:
        wanted.append(_C.status.notin_([int(s) for s in Status if s.final]))
    if filters.overdue is not None:
        missed = sa.and_(  # as lateness.late has it
            _C.finished_at.is_(None),
            _C.due_at.is_not(None),
            _C.due_at < sa.func.coalesce(_C.paused_since, sa.literal(now, Instant())),
        )
        wanted.append(missed if filters.overdue else sa.not_(missed))
    wanted += [
        _C.searched.contains(word, autoescape=True) for word in searched(filters.text or "").split()
    ]
    return wanted


def _listed(row: sa.RowMapping) -> Listed:
    values = {key: row[key] for key in row if key not in ("contact", "status", "sort_key")}
    return Listed(**values, status=Status(row["status"]), applicant=row["contact"]["name"])


def _cursor(at: datetime, code: str) -> str:
    text = json.dumps([format_instant(at), code])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    wrong = Fault("cursor", "Con trỏ trang không đúng.", "is not a cursor of ours")
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, code = json.loads(text)
        place = parse_instant(at)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput([wrong]) from None
    if not isinstance(code, str) or not code.isprintable():
        raise InvalidInput([wrong])
    return place, code


def histories(
    connection: sa.Connection, start: datetime, end: datetime, offices: Sequence[str] | None
) -> Iterator[History]:
    """What form II.06a counts: received before `end` and not finished before `start`."""
    query = sa.select(
        _C.office, _C.field, _C.channel, _C.status, _C.received_at, _C.promised_at,
        _C.finished_at, _C.progress,
    ).where(
        _C.received_at < end,
        sa.or_(_C.finished_at.is_(None), _C.finished_at >= start),
    )  # fmt: skip
    if offices is not None:
        query = query.where(_C.office.in_(offices))
    for row in connection.execution_options(yield_per=1000).execute(query):
        yield History(
            office=row.office,
            field=row.field,
            channel=row.channel,
            status=Status(row.status),
            received_at=row.received_at,
            promised_at=row.promised_at,
            finished_at=row.finished_at,
            pauses=pauses_of(row.progress),
        )
