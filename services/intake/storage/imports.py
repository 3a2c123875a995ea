"""Files of many submissions and how far they have come; and which numbers were filed, for ever.

An import is an office's own, and there for a day from its upload on: then its file and its answers
are not found any more, and the night takes them away. The numbers stay.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from services.intake.domain.bulk.rows import Reason
from services.intake.storage.tables import import_answers, import_files, imported, imports
from shared.database import UnitOfWork, batch
from shared.kernel.errors import Fault, NotFound

KEPT: Final = timedelta(days=1)
#: How long a process that says nothing keeps an import to itself.
LEASE: Final = timedelta(seconds=30)
WAITING, RUNNING, DONE, STOPPED = "waiting", "running", "done", "stopped"
_OPEN: Final = (WAITING, RUNNING)


@dataclass(frozen=True, slots=True)
class Import:
    """An upload: `state` waiting, running, done, or stopped by `faults` of the file as a whole.

    `ignored` are titles of columns that are not read. `rows` is how many there are, None until they were counted; instants are UTC.
    """

    id: str
    office: str
    token: str
    procedure: str
    actor: str
    name: str = field(repr=False)
    state: str
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]
    rows: int | None
    made_at: datetime
    ended_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing of it is still to be done."""
        return self.state not in _OPEN

    @property
    def kept_until(self) -> datetime:
        """When it is not there any more (UTC)."""
        return self.made_at + KEPT


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a row: `added` or `known` with the dossier's code, `refused` with reasons."""

    line: int
    number: str
    outcome: str
    dossier: str | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """A number that was filed: for which dossier, by which import and line of it, and when (UTC)."""

    digest: str
    dossier: str
    import_id: str
    line: int
    at: datetime


# --- numbers ------------------------------------------------------------------------------------

#: What a unit of work ends with where the number was filed meanwhile.
NumberTaken: Final = sa.exc.IntegrityError


def find_numbers(
    connection: sa.Connection, office: str, numbers: Collection[str]
) -> dict[str, Known]:
    """Those of an office's numbers that were filed."""
    asked = sa.select(imported).where(imported.c.office == office, batch.among(imported.c.number))
    rows = connection.execute(asked, {"keys": list(numbers)})
    return {r.number: Known(r.digest, r.dossier, r.import_id, r.line, r.at) for r in rows}


def keep_number(uow: UnitOfWork, office: str, number: str, known: Known) -> None:
    """Keep it with this unit, which ends with NumberTaken if it was filed meanwhile."""
    row = {
        "office": office,
        "number": number,
        "digest": known.digest,
        "dossier": known.dossier,
        "import_id": known.import_id,
        "line": known.line,
        "at": known.at,
    }
    uow.on_flush(partial(batch.insert, uow.connection, imported, [row]))


# --- an import ----------------------------------------------------------------------------------


def keep_import(uow: UnitOfWork, made: Import, content: bytes) -> str:
    """Keep a new import and its file; the id of the one that the same form made before, if it did."""
    same = sa.select(imports.c.id).where(
        imports.c.office == made.office, imports.c.token == made.token
    )
    before: str | None = uow.connection.scalar(same)
    if before is not None:
        return before
    row = {name: getattr(made, name) for name in _COLUMNS}
    row["faults"] = msgspec.to_builtins(made.faults)
    uow.connection.execute(imports.insert(), row)
    uow.connection.execute(import_files.insert(), {"import_id": made.id, "content": content})
    return made.id


def find_import(connection: sa.Connection, office: str, import_id: str, now: datetime) -> Import:
    """The office's own import; NotFound for any other, and after its day."""
    asked = sa.select(*_SHOWN).where(
        imports.c.id == import_id, imports.c.office == office, imports.c.made_at > now - KEPT
    )
    row = connection.execute(asked).one_or_none()
    if row is None:
        raise NotFound("there is no such import", vi="Không có lần nhập này, hoặc đã quá một ngày.")
    return _import(row)


def list_imports(connection: sa.Connection, office: str, now: datetime) -> list[Import]:
    """The office's imports of the last day, the newest first."""
    asked = sa.select(*_SHOWN).where(imports.c.office == office, imports.c.made_at > now - KEPT)
    return [_import(row) for row in connection.execute(asked.order_by(imports.c.made_at.desc()))]


def claim(uow: UnitOfWork, mine: str | None) -> Import | None:
    """The oldest import that is not ended and that nobody else works on, for us until the lease ends.

    `mine`: the one that this process works on already.
    """
    now = uow.shared_now()
    free = sa.or_(
        imports.c.leased_until.is_(None), imports.c.leased_until < now, imports.c.id == mine
    )
    asked = (
        sa.select(*_SHOWN)
        .where(imports.c.state.in_(_OPEN), imports.c.made_at > uow.now - KEPT, free)
        .order_by(imports.c.made_at, imports.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = uow.connection.execute(asked).one_or_none()
    if row is not None:
        _set(uow.connection, row.id, leased_until=now + LEASE)
    return None if row is None else _import(row)


def anything_open(connection: sa.Connection) -> bool:
    """Whether an import is still to be worked on, by whomever."""
    asked = sa.select(imports.c.id).where(imports.c.state.in_(_OPEN)).limit(1)
    return connection.scalar(asked) is not None


def counted(uow: UnitOfWork, import_id: str, rows: int) -> None:
    """Say how many rows the file has; it is under way."""
    _set(uow.connection, import_id, state=RUNNING, rows=rows)


def end(uow: UnitOfWork, import_id: str, state: str, faults: Sequence[Fault] = ()) -> None:
    """Say that it is done, or stopped by faults of the file; a file without a bad row goes at once."""
    told = msgspec.to_builtins(tuple(faults))
    _set(uow.connection, import_id, state=state, faults=told, ended_at=uow.now, leased_until=None)
    if not counts(uow.connection, [import_id])[import_id].get("refused"):
        uow.connection.execute(sa.delete(import_files).where(import_files.c.import_id == import_id))


def _set(connection: sa.Connection, import_id: str, **values: Any) -> None:
    connection.execute(sa.update(imports).where(imports.c.id == import_id).values(**values))


def content_of(connection: sa.Connection, import_id: str) -> bytes | None:
    """The bytes of the file, None once it is gone."""
    asked = sa.select(import_files.c.content).where(import_files.c.import_id == import_id)
    found = connection.scalar(asked)
    return None if found is None else bytes(found)


_COLUMNS: Final = Import.__slots__
_SHOWN: Final = tuple(imports.c[name] for name in _COLUMNS)


def _import(row: Any) -> Import:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's name
    values["faults"] = tuple(msgspec.convert(each, Fault) for each in values["faults"])
    values["ignored"] = tuple(values["ignored"])
    return Import(**values)


# --- its answers --------------------------------------------------------------------------------


def keep_answers(uow: UnitOfWork, import_id: str, given: Sequence[Answer]) -> None:
    """Keep what became of these rows; a row that was answered before keeps its place."""
    rows = [
        {
            "import_id": import_id,
            "line": each.line,
            "number": each.number,
            "outcome": each.outcome,
            "dossier": each.dossier,
            "reasons": msgspec.to_builtins(each.reasons),
        }
        for each in given
    ]
    batch.upsert(uow.connection, import_answers, rows)


def last_line(connection: sa.Connection, import_id: str) -> int:
    """The last line that is answered; 0 before the first."""
    asked = sa.select(sa.func.max(import_answers.c.line))
    found = connection.scalar(asked.where(import_answers.c.import_id == import_id))
    return int(found or 0)


def counts(connection: sa.Connection, import_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many rows of each import have come to each outcome."""
    asked = (
        sa.select(import_answers.c.import_id, import_answers.c.outcome, sa.func.count())
        .where(import_answers.c.import_id.in_(import_ids))
        .group_by(import_answers.c.import_id, import_answers.c.outcome)
    )
    found: dict[str, dict[str, int]] = {each: {} for each in import_ids}
    for import_id, outcome, count in connection.execute(asked):
        found[import_id][outcome] = count
    return found


def answers_of(
    connection: sa.Connection,
    import_id: str,
    *,
    outcome: str | None = None,
    after: int = 0,
    most: int | None = None,
) -> list[Answer]:
    """The answers of an import in the order of its lines, those after one of them."""
    asked = sa.select(import_answers).where(
        import_answers.c.import_id == import_id, import_answers.c.line > after
    )
    if outcome is not None:
        asked = asked.where(import_answers.c.outcome == outcome)
    rows = connection.execute(asked.order_by(import_answers.c.line).limit(most))
    return [_answer(row) for row in rows]


def _answer(row: Any) -> Answer:
    reasons = tuple(msgspec.convert(each, Reason) for each in row.reasons)
    return Answer(row.line, row.number, row.outcome, row.dossier, reasons)


# --- letting go ---------------------------------------------------------------------------------


def old_imports(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """The ids of imports that were uploaded before that instant (UTC)."""
    asked = sa.select(imports.c.id).where(imports.c.made_at < before)
    return connection.scalars(asked.limit(limit)).all()


def forget_imports(connection: sa.Connection, found: Sequence[Any]) -> int:
    """Delete these imports with their files and answers; how many imports."""
    for table in (import_files, import_answers):
        connection.execute(sa.delete(table).where(table.c.import_id.in_(found)))
    return connection.execute(sa.delete(imports).where(imports.c.id.in_(found))).rowcount
