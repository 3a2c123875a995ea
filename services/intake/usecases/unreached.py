"""Before a dossier is filed: whether something sent to the number or mailbox did not arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from services.intake.domain.contacts import ContactInput, addresses_of
from services.intake.storage import unreached as rows


@dataclass(frozen=True, slots=True)
class Unreached:
    """Which part of the contact, and since when (UTC)."""

    place: str
    since: datetime


def unreached(connection: sa.Connection, typed: ContactInput) -> Sequence[Unreached]:
    """The parts of a typed contact at which nothing arrives, as any office has come to know."""
    places = addresses_of(typed)
    known = rows.since(connection, set(places.values())) if places else {}
    return [Unreached(place, known[to]) for place, to in places.items() if to in known]
