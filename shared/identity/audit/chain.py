"""The seals: each holds the digest of a span of rows and of the seal before it.

Whoever changes, takes away, adds or exchanges a row would have to make every later seal anew, and
the log of the process has told each of them (`access.sealed`). Nothing here waits for a request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from shared.database import Store, batch
from shared.identity.audit.entry import Entry, canonical
from shared.identity.audit.tables import LOG, PRUNES, SEALS, lock
from shared.kernel.clock import format_instant

#: Rows in one seal: what is read at once, and the least that is pruned.
SPAN: Final = 10_000
_STEP: Final = 10_000  # rows deleted in one transaction


@dataclass(frozen=True, slots=True)
class Seal:
    """A span of rows: up to position `last`, and their digest together with all before."""

    number: int = 0
    last: int = 0
    digest: str = ""


@dataclass(slots=True)
class Verdict:
    """What a check found: where the chain begins and ends, and what is wrong with it."""

    begin: Seal = field(default_factory=Seal)
    end: Seal = field(default_factory=Seal)
    rows: int = 0
    unsealed: int = 0
    faults: list[str] = field(default_factory=list)


def _digest(before: str, number: int, rows: list[Any]) -> str:
    made = hashlib.sha256(f"{before} {number} {len(rows)}\n".encode())
    for row in rows:
        made.update(canonical(row))
    return made.hexdigest()


def _root(connection: sa.Connection) -> Seal:
    """Where the chain begins: at its first row, or where the last prune has ended."""
    row = connection.execute(sa.select(PRUNES).order_by(PRUNES.c.number.desc()).limit(1)).first()
    return Seal() if row is None else Seal(row.number, row.last, row.digest)


def _newest(connection: sa.Connection) -> Seal:
    root = _root(connection)
    wanted = sa.select(SEALS).where(SEALS.c.number > root.number)
    row = connection.execute(wanted.order_by(SEALS.c.number.desc()).limit(1)).first()
    return root if row is None else Seal(row.number, row.last, row.digest)


def _rows(
    connection: sa.Connection, after: int, *, up_to: int | None = None, limit: int | None = None
) -> list[Any]:
    wanted = sa.select(LOG).where(LOG.c.position > after).order_by(LOG.c.position)
    if up_to is not None:
        wanted = wanted.where(LOG.c.position <= up_to)
    return list(connection.execute(wanted.limit(limit)).all())


def seal(store: Store) -> Seal | None:
    """Seal what was written since the last seal; None where nothing was, or all of it is sealed."""
    with store.transaction() as connection:
        lock(connection, alone=True)
        before = _newest(connection)
        rows = _rows(connection, before.last, limit=SPAN)
        if not rows:
            return None
        number = before.number + 1
        made = Seal(number, rows[-1].position, _digest(before.digest, number, rows))
        row = {"number": number, "last": made.last, "rows": len(rows), "digest": made.digest}
        connection.execute(sa.insert(SEALS), row | {"sealed_at": store.clock.now()})
    return made


def verify(store: Store, *, told: Seal | None = None) -> Verdict:
    """Check every seal against its rows; `told` is a seal that the log of a process has named."""
    found = Verdict()
    with store.read() as connection:
        found.begin = found.end = _root(connection)
        for kept in _seals(connection, found.begin.number):
            _check(connection, kept, found)
            found.end = Seal(kept.number, kept.last, kept.digest)
            if told is not None and told.number == kept.number and told.digest != kept.digest:
                found.faults.append(f"seal {kept.number} is not the one that was told")
        found.unsealed = len(_rows(connection, found.end.last))
    if told is not None and told.number > found.end.number:
        found.faults.append(f"seal {told.number}, which was told, is not there")
    return found


def _seals(connection: sa.Connection, after: int) -> Iterator[Any]:
    wanted = sa.select(SEALS).where(SEALS.c.number > after).order_by(SEALS.c.number)
    return iter(connection.execute(wanted).all())


def _check(connection: sa.Connection, kept: Any, found: Verdict) -> None:
    before, span = found.end, f"span {kept.number} (sealed {format_instant(kept.sealed_at)})"
    if kept.number != before.number + 1:
        found.faults.append(f"seals {before.number + 1} to {kept.number - 1} are missing")
        return
    rows = _rows(connection, before.last, up_to=kept.last)
    found.rows += len(rows)
    if len(rows) < kept.rows:
        found.faults.append(f"{span}: {kept.rows - len(rows)} rows were taken away")
    elif len(rows) > kept.rows:
        found.faults.append(f"{span}: {len(rows) - kept.rows} rows were put in")
    elif _digest(before.digest, kept.number, rows) != kept.digest:
        found.faults.append(f"{span}: rows were changed or exchanged")


def prune(store: Store, before: datetime) -> int:
    """Delete whole spans that were sealed before then; the number of rows.

    First a row that stays says how far; what a kill leaves over goes with the next prune.
    """
    with store.transaction() as connection:
        lock(connection, alone=True)
        root = _root(connection)
        old = sa.select(SEALS).where(SEALS.c.number > root.number, SEALS.c.sealed_at < before)
        row = connection.execute(old.order_by(SEALS.c.number.desc()).limit(1)).first()
        if row is not None:
            root = Seal(row.number, row.last, row.digest)
            _say_pruned(connection, root, store.clock.now())
    return _delete(store, root)


def _say_pruned(connection: sa.Connection, root: Seal, now: datetime) -> None:
    made = {"number": root.number, "last": root.last, "digest": root.digest, "pruned_at": now}
    connection.execute(sa.insert(PRUNES), made)
    told = Entry(now, "clock", "prune access log", f"seal:{root.number}", "keeper", "done")
    batch.insert(connection, LOG, [told.row()])


def _delete(store: Store, root: Seal) -> int:
    total = 0
    some = sa.select(LOG.c.position).where(LOG.c.position <= root.last).limit(_STEP)
    while True:
        with store.transaction() as connection:
            gone = connection.execute(sa.delete(LOG).where(LOG.c.position.in_(some))).rowcount
            total += gone
            if gone < _STEP:
                connection.execute(sa.delete(SEALS).where(SEALS.c.number <= root.number))
                return total
