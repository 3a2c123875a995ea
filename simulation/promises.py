"""What became of promised dates that were missed in a run: who was told, by whom, and how soon.

Lives here: counting, out of intake's own dossiers. Must not: printing (telling.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.storage.rows import from_row
from services.intake.storage.tables import dossiers
from shared.catalogue import Catalogue
from shared.database import Store


@dataclass(frozen=True, slots=True)
class Missed:
    """Missed dates by what followed. `by`: whose apology told the citizen; each is one date.

    `ended`: the dossier came to its end before an apology was due, of which the citizen was told.
    `waiting`: the head still has time by the city's rule. `untold`: nobody was told: must be none.
    `longest_minutes`: working time from the missed date to the latest of the apologies.
    """

    by: Mapping[str, int]
    ended: int
    waiting: int
    untold: int
    longest_minutes: int

    @property
    def total(self) -> int:
        """All dates that were missed."""
        return sum(self.by.values()) + self.ended + self.waiting + self.untold

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"missed": self.total} | asdict(self)


def missed_promises(store: Store, catalogue: Catalogue, now: datetime) -> Missed:
    """Count every promised date that was missed up to now (UTC)."""
    by = Counter({"agency": 0, "head": 0, "clock": 0})
    rest: Counter[str] = Counter()
    longest = 0
    with store.read() as connection:
        rows = connection.execute(sa.select(dossiers)).mappings()
        for dossier in map(from_row, rows):
            for each in dossier.extensions:
                if each.missed_at is None:
                    continue
                by[each.by] += 1
                calendar = catalogue.calendar(dossier.office)
                longest = max(longest, calendar.minutes_between(each.missed_at, each.at))
            if dossier.unapologised:
                rest[_standing(dossier, now)] += 1
    return Missed(dict(by), rest["ended"], rest["waiting"], rest["untold"], longest)


def _standing(dossier: Dossier, now: datetime) -> str:
    if dossier.finished_at is not None:
        return "ended"
    apology_at = dossier.missed.apology_at if dossier.missed else None
    # While the citizen must act the clock stands; the apology goes out when it goes on.
    in_time = dossier.paused_since is not None or (apology_at is not None and apology_at >= now)
    return "waiting" if in_time else "untold"
