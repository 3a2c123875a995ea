"""Before a dossier is filed: others in the city that may be about the same matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.intake.domain.circumstances import Circumstances, agency
from services.intake.domain.dossier import Dossier
from services.intake.domain.finding import parcel_of
from services.intake.domain.similar import (
    LATELY,
    MOST_TOLD,
    Identity,
    LookAlike,
    alike,
    identity,
    recent,
)
from services.intake.domain.statuses import Status
from services.intake.storage.search import Index, candidates
from shared.catalogue import Procedure
from shared.database import UnitOfWork
from shared.events import parts
from shared.events.intake import SimilarSeen
from shared.kernel.errors import NotFound, Refused


class SimilarFound(Refused):
    """There are dossiers that may be about the same matter and were not shown yet."""

    status = 409
    default_vi = "Đã có hồ sơ có thể về cùng một việc. Hãy xem rồi quyết định."

    def __init__(self, similar: Sequence[LookAlike]) -> None:
        super().__init__("there are dossiers that may be about the same matter")
        self.similar = tuple(similar)


def look_alikes(
    uow: UnitOfWork, around: Circumstances, procedure: Procedure, form: Mapping[str, Any]
) -> tuple[LookAlike, ...]:
    """Dossiers of any office that may be about the same matter, the newest first; at most ten.

    Those that are open, and those filed in the last 30 days. One query, none for a form that
    tells nobody.
    """
    mine = identity(procedure, form)
    if mine.empty:
        return ()
    index = uow.given(Index)
    words = [*index.of_numbers(mine.id_numbers), *index.of_births(day for _, day in mine.births)]
    if parcel := parcel_of(procedure, form):
        words.append(f"l{parcel}")
    offices = [each.code for each in around.catalogue.every_agency() if each.is_office]
    found = []
    for row in candidates(uow.connection, offices, words, around.now - LATELY):
        status = Status(row.status)
        why = alike(mine, _identity(around, row))
        if why and recent(status, row.submitted_at, around.now):
            found.append(
                LookAlike(
                    code=row.code,
                    office=row.office,
                    procedure=row.procedure,
                    procedure_version=row.procedure_version,
                    status=status,
                    submitted_at=row.submitted_at,
                    why=why,
                    mark=index.digest("mark", row.code),
                )
            )
    return tuple(found[:MOST_TOLD])


def _identity(around: Circumstances, row: Any) -> Identity:
    """Whom and what another dossier tells of; nobody for one of a procedure that is gone."""
    try:
        procedure = around.catalogue.procedure_version(row.procedure, row.procedure_version)
    except NotFound:
        return Identity(row.procedure, frozenset(), frozenset(), None)
    return identity(procedure, row.form)


def seen_event(dossier: Dossier, found: Sequence[LookAlike], around: Circumstances) -> SimilarSeen:
    """What an officer was shown and passed over; another office's dossier is not named."""
    return SimilarSeen(
        dossier=dossier.code,
        similar=tuple(
            parts.Similar(
                dossier=each.code if each.office == dossier.office else None,
                office=agency(around.catalogue.agency(each.office)),
                why=each.why,
            )
            for each in found
        ),
        decided_at=around.now,
    )
