"""The people who work here and who of them is signed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.intake.storage.tables import sign_ins, staff
from shared.identity.passes import Pass, Place

_HOLDS: Final = (
    sa.select(staff.c.id, staff.c.name, staff.c.places, sign_ins.c.until, sign_ins.c.chosen)
    .join(staff, staff.c.id == sign_ins.c.person)
    .where(sign_ins.c.id == sa.bindparam("sign_in"), staff.c.disabled_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Person:
    """One account; `id` is what stands in facts and logs, `name` stays in this table and on pages."""

    id: str
    login: str = field(repr=False)
    name: str = field(repr=False)
    places: tuple[Place, ...]
    hash: str = field(repr=False)
    must_change: bool = True
    totp: str | None = field(default=None, repr=False)
    totp_last: int = 0
    recovery: tuple[str, ...] = field(default=(), repr=False)
    disabled_at: datetime | None = None
    subject: str | None = field(default=None, repr=False)


def by_login(connection: sa.Connection, login: str) -> Person | None:
    """The account of this sign-in name, disabled or not."""
    return _one(connection, staff.c.login == login)


def by_subject(connection: sa.Connection, subject: str) -> Person | None:
    """The account that this identity of the city's own sign-in is joined to, disabled or not."""
    return _one(connection, staff.c.subject == subject)


def by_id(connection: sa.Connection, person: str) -> Person | None:
    """The account of this id, disabled or not."""
    return _one(connection, staff.c.id == person)


def everybody(connection: sa.Connection) -> list[Person]:
    """All accounts by their sign-in names."""
    return [_person(row) for row in connection.execute(sa.select(staff).order_by(staff.c.login))]


def names_of(connection: sa.Connection, ids: Iterable[str]) -> dict[str, str]:
    """What people call those of these ids that are people."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = sa.select(staff.c.id, staff.c.name).where(staff.c.id.in_(wanted))
    return {row.id: row.name for row in connection.execute(found)}


def add(connection: sa.Connection, person: Person, now: datetime) -> None:
    """A new account; its sign-in name must be free."""
    connection.execute(
        sa.insert(staff).values(
            id=person.id,
            login=person.login,
            name=person.name,
            places=_kept(person.places),
            hash=person.hash,
            must_change=person.must_change,
            totp=person.totp,
            totp_last=person.totp_last,
            recovery=list(person.recovery),
            made_at=now,
        )
    )


def change(connection: sa.Connection, person: str, **values: Any) -> None:
    """Change columns of an account; `places` and `recovery` as a Person has them."""
    if "places" in values:
        values["places"] = _kept(values["places"])
    if "recovery" in values:
        values["recovery"] = list(values["recovery"])
    connection.execute(sa.update(staff).where(staff.c.id == person).values(**values))


def use_step(connection: sa.Connection, person: str, step: int) -> bool:
    """Use up a time step's code; False where it, or a later one, was used before."""
    used = sa.update(staff).where(staff.c.id == person, staff.c.totp_last < step)
    return connection.execute(used.values(totp_last=step)).rowcount == 1


def begin(
    connection: sa.Connection, sign_in: str, person: str, now: datetime, until: datetime
) -> None:
    """Somebody is signed in from now; sign-ins of theirs that are over are forgotten."""
    connection.execute(
        sa.delete(sign_ins).where(sign_ins.c.person == person, sign_ins.c.until <= now)
    )
    connection.execute(
        sa.insert(sign_ins).values(id=sign_in, person=person, made_at=now, until=until, chosen={})
    )


def choose(connection: sa.Connection, sign_in: str, kind: str, code: str) -> None:
    """Where the person works from now on in this sign-in."""
    before = connection.execute(
        sa.select(sign_ins.c.chosen).where(sign_ins.c.id == sign_in)
    ).scalar()
    connection.execute(
        sa.update(sign_ins)
        .where(sign_ins.c.id == sign_in)
        .values(chosen={**(before or {}), kind: code})
    )


def end(connection: sa.Connection, sign_in: str) -> None:
    """This sign-in is over."""
    connection.execute(sa.delete(sign_ins).where(sign_ins.c.id == sign_in))


def end_all(connection: sa.Connection, person: str, *, but: str = "") -> None:
    """All sign-ins of a person are over, but for one."""
    theirs = sa.delete(sign_ins).where(sign_ins.c.person == person, sign_ins.c.id != but)
    connection.execute(theirs)


def holds(connection: sa.Connection, shown: Pass, now: datetime) -> Pass | None:
    """The pass as it is now: with today's name and places; None where the sign-in is over."""
    row = connection.execute(_HOLDS, {"sign_in": shown.sign_in}).one_or_none()
    if row is None or row.until <= now or row.id != shown.person:
        return None
    return Pass(
        row.id, shown.sign_in, row.name, ordered(row.places, row.chosen), shown.made, row.until
    )


def ordered(places: Iterable[Any], chosen: dict[str, str]) -> tuple[Place, ...]:
    """The places with those that the person chose before the others."""
    read = [Place(role, code) for role, code in places]
    return tuple(sorted(read, key=lambda place: chosen.get(place.kind) != place.code))


def _one(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Person | None:
    row = connection.execute(sa.select(staff).where(where)).one_or_none()
    return None if row is None else _person(row)


def _person(row: Any) -> Person:
    return Person(
        row.id, row.login, row.name, ordered(row.places, {}), row.hash, row.must_change, row.totp,
        row.totp_last, tuple(row.recovery), row.disabled_at, row.subject,
    )  # fmt: skip


def _kept(places: Iterable[Place]) -> list[list[str]]:
    return [[place.role, place.code] for place in places]
