"""Reading without changing: one dossier, an office's list in stable pages, what reports count."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.domain.finding import folded
from services.intake.domain.lateness import late
from services.intake.domain.report import History
from services.intake.domain.statuses import Status
from services.intake.storage.rows import from_row, moves_of, pauses_of
from services.intake.storage.tables import ALIVE, dossiers
from shared.database.batch import among
from shared.database.types import Instant
from shared.kernel.clock import format_instant, parse_instant
from shared.kernel.errors import Fault, InvalidInput

_ONE = sa.select(dossiers).where(dossiers.c.code == sa.bindparam("code"))
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_C = dossiers.c
#: The numbers of statuses that a date can run out for, as a text that fits the index's own.
_RUNNING = sa.text("status IN (2, 4, 5, 6)")
_ALIVE = sa.text(ALIVE)


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
    #: The clock runs and the date in force lies here.
    due_from: datetime | None = None
    due_to: datetime | None = None
    to_call: bool = False
    asks_time: bool = False
    #: Those of these alone, as a search has found them.
    codes: tuple[str, ...] | None = field(default=None, repr=False)

    @property
    def keys(self) -> dict[str, Any]:
        """What its statements are run with."""
        return {} if self.codes is None else {"keys": self.codes}


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
    phone: str | None = field(repr=False)
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
    """One page; `next` is the cursor of the page after, None on the last; `total` counts all.

    `total` is None where nobody asked for it.
    """

    items: tuple[Listed, ...]
    total: int | None
    next: str | None


Sort = Literal["newest", "oldest", "due"]
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
    counted: bool = True,
    most: int | None = None,
) -> Page:
    """A page of dossiers. A dossier filed meanwhile never shifts a page that is read on.

    `most`: no more are counted than one beyond it, however many there are.
    """
    wanted = _conditions(filters, now)
    total: int | None = None
    if filters == Filters(office=filters.office, codes=filters.codes) and filters.codes is not None:
        total = len(filters.codes)  # all of them are that office's, as the search has found them
    elif counted:
        rows_of = sa.select(sa.literal(1)).select_from(dossiers).where(*wanted)
        some = rows_of.limit(None if most is None else most + 1).subquery()
        asked = sa.select(sa.func.count()).select_from(some)
        total = connection.execute(asked, filters.keys).scalar_one()
    key, newest = _sort_key(sort), sort == "newest"
    places = sa.select(_C.code, key.label("sort_key")).where(*wanted)
    if cursor is not None:
        at, code = _read_cursor(cursor)
        place = sa.tuple_(key, _C.code)
        edge = sa.tuple_(sa.literal(at, Instant()), sa.literal(code))
        places = places.where(place < edge if newest else place > edge)
    rows = connection.execute(_page(places, key, size + 1, newest=newest), filters.keys)
    found = rows.mappings().all()
    last = found[size - 1] if len(found) > size else None
    more = _cursor(last["sort_key"], last["code"]) if last else None
    return Page(tuple(_listed(row) for row in found[:size]), total, more)


def _page(
    places: sa.Select[Any], key: sa.ColumnElement[Any], size: int, *, newest: bool
) -> sa.Select[Any]:
    """Which they are is found and sorted in indexes; only the rows of the page are read whole."""

    def ordered(at: sa.ColumnElement[Any], code: sa.ColumnElement[Any]) -> list[Any]:
        return [at.desc(), code.desc()] if newest else [at.asc(), code.asc()]

    found = places.order_by(*ordered(key, _C.code)).limit(size).subquery()
    return (
        sa.select(*_COLUMNS, found.c.sort_key)
        .join(found, found.c.code == _C.code)
        .order_by(*ordered(found.c.sort_key, found.c.code))
    )


def count_lists(
    connection: sa.Connection, lists: Mapping[str, Filters], now: datetime
) -> dict[str, int]:
    """How long each of these lists of an office's open dossiers is, in one query.

    They differ in their conditions and have the same office and `codes`; one of calls has its own
    index. Of what a search has found each row is read once, whatever becomes of it.
    """
    one = next(iter(lists.values()))
    searched = one.codes is not None
    of_these = among(_C.code) if searched else _ALIVE
    of_office = _of_office(one)
    counts: list[sa.ColumnElement[int]] = []
    for name, filters in lists.items():
        own: sa.ColumnElement[int]
        if not searched and (filters.to_call or filters.asks_time):
            calls = sa.select(sa.func.count()).select_from(dossiers)
            own = calls.where(*_conditions(filters, now)).scalar_subquery()
        else:
            own = sa.func.count().filter(
                *_conditions(replace(filters, office=None, codes=None), now)
            )
        counts.append(own.label(name))
    query = sa.select(*counts).select_from(dossiers).where(of_office, of_these)
    return dict(connection.execute(query, one.keys).mappings().one())


def _sort_key(sort: Sort) -> sa.ColumnElement[Any]:
    if sort != "due":
        return _C.submitted_at
    return sa.func.coalesce(_C.due_at, sa.literal(_NEVER, Instant()), type_=Instant())


def _conditions(filters: Filters, now: datetime) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if filters.office is not None:
        wanted.append(_of_office(filters))
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
    if filters.codes is not None:
        wanted.append(among(_C.code))
    wanted += _of_time(filters, now)
    wanted += [
        _C.searched.contains(word, autoescape=True) for word in folded(filters.text or "").split()
    ]
    return wanted


def _of_office(filters: Filters) -> sa.ColumnElement[bool]:
    """Whose they are; of dossiers that a search has found no index of the office may be used.

    Either database would else read the office's newest until it has met those few.
    """
    if filters.codes is None:
        return _C.office == filters.office
    return _C.office.concat("") == filters.office


def _of_time(filters: Filters, now: datetime) -> list[Any]:
    wanted: list[Any] = []
    if filters.unfinished:
        wanted.append(_ALIVE)
    if filters.due_from is not None and filters.due_to is not None:
        wanted += [_ALIVE, _RUNNING, _C.paused_since.is_(None)]
        wanted += [_C.due_at >= filters.due_from, _C.due_at < filters.due_to]
    if filters.to_call:
        wanted.append(_C.call_since.is_not(None))
    if filters.asks_time:
        wanted.append(_C.asks_time_since.is_not(None))
    if filters.overdue is not None:
        missed = sa.and_(  # as lateness.late has it
            _RUNNING,
            _C.due_at.is_not(None),
            _C.due_at < sa.func.coalesce(_C.paused_since, sa.literal(now, Instant())),
        )
        wanted += [_ALIVE, missed] if filters.overdue else [sa.not_(missed)]
    return wanted


def _listed(row: sa.RowMapping) -> Listed:
    values = {key: row[key] for key in row if key not in ("contact", "status", "sort_key")}
    contact = row["contact"]
    told = contact.get("representative") or contact
    phone = told.get("phone_original") or told.get("phone")
    status = Status(row["status"])
    return Listed(**values, status=status, applicant=contact["name"], phone=phone)


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
        _C.finished_at, _C.progress, _C.moved_at,
    ).where(
        _C.received_at < end,
        sa.or_(_C.finished_at.is_(None), _C.finished_at >= start),
    )  # fmt: skip
    if offices is not None:
        query = query.where(sa.or_(_C.office.in_(offices), _C.moved_at.is_not(None)))
    for row in connection.execution_options(yield_per=1000).execute(query):
        since = (each.office for each in moves_of(row.progress) if end <= each.at)
        office = next(since, row.office)  # whose it was when the period ended
        if offices is not None and office not in offices:
            continue
        yield History(
            office=office,
            field=row.field,
            channel=row.channel,
            status=Status(row.status),
            received_at=row.received_at,
            promised_at=row.promised_at,
            finished_at=row.finished_at,
            pauses=pauses_of(row.progress),
        )
