"""What notify remembers of a dossier, learnt from events; only what message texts need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.events.event import Event
from shared.events.intake import (
    DeadlineStated,
    DossierApologised,
    DossierBranched,
    DossierMoved,
    DossierPaid,
    DossierReceived,
    DossierRefused,
    DossierRegistered,
    DossierReturned,
    DossierSupplemented,
    DossierVerifying,
    DossierWithdrawn,
    ResultConfirmed,
    StopConfirmed,
    SupplementLapsed,
)
from shared.events.routing import DossierExtended, DossierResolved, DossierStopped


@dataclass(frozen=True, slots=True)
class Case:
    """Procedure, office and the date in force (UTC) of one dossier, as last stated.

    `ended`: intake has stated its end; only that the result was handed over may follow.
    """

    dossier: str
    procedure: str = ""
    procedure_name: str = ""
    short_name: str = ""
    office: str = ""
    office_name: str = ""
    due_at: datetime | None = None
    ended: bool = False
    channel: str = ""  # how it was filed: direct, online, postal
    closed: bool = False  # nothing more is to come, the result is in the citizen's hands


#: What ends a dossier; of the last two only older facts, which nobody confirmed.
_ENDS = (
    DossierRefused,
    DossierWithdrawn,
    ResultConfirmed,
    StopConfirmed,
    DossierResolved,
    DossierStopped,
)


#: After these nobody is reached about it any more.
_CLOSES = (DossierRefused, DossierWithdrawn, StopConfirmed, DossierStopped, DossierReturned)


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
    if isinstance(event, DossierMoved):
        case = replace(case, office=event.office.code, office_name=event.office.name)
    if isinstance(event, DossierRegistered | DossierReceived):
        case = replace(case, channel=event.channel)
    if isinstance(
        event,
        DossierReceived
        | DossierSupplemented
        | SupplementLapsed
        | DossierPaid
        | DossierExtended
        | DossierApologised
        | DossierVerifying
        | DossierBranched
        | DeadlineStated,
    ):
        # The date in force now; the first promise beside it is for reports, not for the citizen.
        case = replace(case, due_at=event.due_at or event.promised_at or case.due_at)
    if isinstance(event, _CLOSES):
        case = replace(case, closed=True)
    return replace(case, ended=True) if isinstance(event, _ENDS) else case
