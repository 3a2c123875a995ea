"""Who reacts to what at the desk: event class -> the domain function that decides.

What else intake reads is kept for the timeline alone: its words are in web/telling.
"""

from __future__ import annotations

from typing import Final

from services.intake.domain import calling, progress
from services.intake.domain.circumstances import Circumstances
from services.intake.storage.dossiers import Dossiers
from shared.catalogue import Catalogue
from shared.events.intake import SupplementRequested
from shared.events.names import NOTIFY, ROUTING, ROUTING_STEPS
from shared.events.notify import AddressFailed, CallDropped, CitizenUnreachable, StopChanged
from shared.events.routing import (
    ApologyDue,
    BranchChosen,
    ClockResumed,
    ClockStopped,
    CorrectionOvertaken,
    DeadlineMissed,
    DossierExtended,
    DossierResolved,
    DossierStarted,
    DossierStopped,
    ExtensionDropped,
    ExtensionRequested,
    PaymentRequested,
    StepAnswered,
    SupplementDropped,
    VerificationOpened,
)
from shared.messaging import handling
from shared.messaging.consumer import Handler
from shared.messaging.handling import on

FACTS_QUEUE: Final = "intake.facts"
#: Whose events the consumer reads.
SOURCES: Final = (ROUTING, ROUTING_STEPS, NOTIFY)
TABLE: Final = (
    on(DossierStarted, progress.started),
    on(SupplementRequested, progress.papers_requested),
    on(SupplementDropped, progress.request_dropped),
    on(PaymentRequested, progress.payment_requested),
    on(ClockStopped, progress.clock_stopped),
    on(ClockResumed, progress.clock_resumed),
    on(DossierStopped, progress.stopped),
    on(DossierResolved, progress.resolved),
    on(DossierExtended, progress.extended),
    on(DeadlineMissed, progress.date_missed),
    on(ExtensionRequested, progress.time_asked),
    on(ExtensionDropped, progress.time_not_asked),
    on(VerificationOpened, progress.verifying),
    on(BranchChosen, progress.branch_chosen),
    on(ApologyDue, progress.apology_due),
    on(StepAnswered, progress.answered),
    on(CorrectionOvertaken, progress.overtaken),
    on(CitizenUnreachable, calling.unreachable),
    on(CallDropped, calling.dropped),
    on(AddressFailed, calling.failed),
    on(StopChanged, calling.stop_changed),
)


def handlers(catalogue: Catalogue) -> dict[str, Handler]:
    """The consumer's handlers, by wire type."""
    return handling.handlers(TABLE, Dossiers, lambda uow, *_: Circumstances(catalogue, uow.now))
