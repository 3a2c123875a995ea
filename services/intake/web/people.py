"""The names of those who acted on a dossier, for the desk's own pages.

Facts and logs hold opaque ids; only here, at intake, is an id made the name that people know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from services.intake.storage import custody, staff
from services.intake.web.telling import Told, event_of, tell
from shared.database import UnitOfWork
from shared.events.intake import DossierReceived, DossierRegistered
from shared.identity.guard import current
from shared.kernel.actor import Actor
from shared.messaging.timeline import Entry
from shared.web.words import gettext

_TAKEN_IN = (DossierReceived, DossierRegistered)


@dataclass(frozen=True, slots=True)
class People:
    """Who looks after a dossier, who took it in, and the names behind the ids of its timeline."""

    keeper: str | None = field(repr=False)
    taker: str | None = field(repr=False)
    names: Mapping[str, str] = field(repr=False)

    def tell(self, entry: Entry) -> Told:
        """An entry in words, with the name of the officer who did it."""
        told, name = tell(entry), self.names.get(_id_of(entry) or "")
        return (
            told
            if name is None
            else replace(told, details=(*told.details, gettext("Cán bộ: %(name)s", name=name)))
        )


def names_in(connection: sa.Connection, code: str, entries: Sequence[Entry]) -> People:
    """The people of a dossier; a programme that acted by a key has no name."""
    ids = [found for entry in entries if (found := _id_of(entry))]
    keeper = custody.of(connection, code)
    names = staff.names_of(connection, [*ids, *([keeper] if keeper else [])])
    takers = [_id_of(entry) for entry in entries if isinstance(event_of(entry), _TAKEN_IN)]
    taker = takers[-1] if takers else None
    return People(names.get(keeper or ""), names.get(taker or ""), names)


def take_care(uow: UnitOfWork, code: str) -> None:
    """Whoever took the dossier in looks after it; a programme looks after none."""
    if current().is_person:
        custody.take(uow.connection, code, current().key_id, uow.now)


def _id_of(entry: Entry) -> str | None:
    actor = Actor.parse(entry.envelope.actor)
    return None if actor is None else actor.id
