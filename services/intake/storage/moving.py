"""What a reorganisation is about at the desks: open dossiers, what is being typed, who works where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from services.intake.domain.statuses import Status
from services.intake.storage import staff
from services.intake.storage.staff import Person
from services.intake.storage.tables import ALIVE, dossiers, drafts
from shared.identity.passes import Place

BATCH: Final = 100
_C = dossiers.c


def counts(connection: sa.Connection, offices: Sequence[str]) -> dict[str, dict[Status, int]]:
    """How many dossiers of these offices are open, by office and status."""
    counted = (
        sa.select(_C.office, _C.status, sa.func.count())
        .where(_C.office.in_(offices), sa.text(ALIVE))
        .group_by(_C.office, _C.status)
    )
    found: dict[str, dict[Status, int]] = {}
    for office, status, count in connection.execute(counted):
        found.setdefault(office, {})[Status(status)] = count
    return found


def some_open(connection: sa.Connection, after: str) -> list[str]:
    """Up to `BATCH` codes of open dossiers that follow on this one, in their order."""
    query = sa.select(_C.code).where(_C.code > after, sa.text(ALIVE)).order_by(_C.code)
    return list(connection.execute(query.limit(BATCH)).scalars())


def move_drafts(connection: sa.Connection, successors: Mapping[str, str]) -> int:
    """What is typed at these offices and not yet filed is their successors'; how many forms."""
    count = 0
    for office, to in successors.items():
        moved = sa.update(drafts).where(drafts.c.office == office).values(office=to)
        count += connection.execute(moved).rowcount
    return count


def to_move(
    connection: sa.Connection, successors: Mapping[str, str]
) -> Iterator[tuple[Person, tuple[Place, ...]]]:
    """Everybody who works at one of these agencies, and where they work then."""
    for person in staff.everybody(connection):
        then = (Place(each.role, successors.get(each.code, each.code)) for each in person.places)
        places = tuple(dict.fromkeys(then))
        if places != person.places:
            yield person, places
