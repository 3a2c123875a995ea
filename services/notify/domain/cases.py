"""What notify remembers of a dossier, learnt from events; only what message texts need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.events.event import Event
from shared.events.intake import (
    DeadlineStated,
    DossierPaid,
    DossierReceived,
    DossierRefused,
    DossierRegistered,
    DossierSupplemented,
)
from shared.events.routing import DossierExtended


@dataclass(frozen=True, slots=True)
class Case:
    """Procedure, office and the date in force (UTC) of one dossier, as last stated."""

    dossier: str
    procedure: str = ""
    procedure_name: str = ""
    short_name: str = ""
    office: str = ""
    office_name: str = ""
    due_at: datetime | None = None


def learn(case: Case, event: Event) -> Case:
    """The case after this event; a part that the event does not state stays as it was."""
    if isinstance(event, DossierRegistered | DossierReceived | DossierRefused):
        case = replace(
            case,
            procedure=event.procedure.code,
            procedure_name=event.procedure.name,
            short_name=event.procedure.short_name,
            office=event.office.code,
            office_name=event.office.name,
        )
    if isinstance(
        event,
        DossierReceived | DossierSupplemented | DossierPaid | DossierExtended | DeadlineStated,
    ):
        # The date in force now; the first promise beside it is for reports, not for the citizen.
        case = replace(case, due_at=event.due_at or event.promised_at or case.due_at)
    return case
