"""Which slip, given out while a desk's line was away, stands for which dossier; kept as long as that."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from services.intake.domain.slips import Slip
from services.intake.storage.tables import slips
from shared.database import UnitOfWork, batch

_C = slips.c


class Given(NamedTuple):
    """One slip and its dossier; `word` opens it at the look-up page."""

    dossier: str
    word: str


def put(uow: UnitOfWork, dossier: str, office: str, token: str, slip: Slip) -> None:
    """Keep what stands on the slip; `token` is that of the form which was handed in."""
    row = {
        "dossier": dossier,
        "office": office,
        "token": token,
        "number": slip.number,
        "word": slip.word,
        "taken_at": slip.taken_at,
        "sent_at": uow.now,
    }
    batch.insert(uow.connection, slips, [row])


def of_dossier(connection: sa.Connection, dossier: str) -> tuple[str, datetime | None] | None:
    """The number of the dossier's slip, and when the desk says that it took the dossier in."""
    asked = sa.select(_C.number, _C.taken_at).where(_C.dossier == dossier)
    row = connection.execute(asked).one_or_none()
    return None if row is None else (row.number, row.taken_at)


def of_form(connection: sa.Connection, office: str, token: str) -> str | None:
    """The dossier that the form of this token has become, where it had a slip."""
    asked = sa.select(_C.dossier).where(_C.office == office, _C.token == token)
    return connection.execute(asked).scalars().first()


def of_number(connection: sa.Connection, number: str, office: str | None = None) -> list[Given]:
    """Those of a slip's number: one, but where two browsers were copied from one another."""
    asked = sa.select(_C.dossier, _C.word).where(_C.number == number)
    if office is not None:
        asked = asked.where(_C.office == office)
    return [Given(*row) for row in connection.execute(asked.order_by(_C.dossier).limit(20))]
