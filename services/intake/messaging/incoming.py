"""Who reacts to what at the desk: a table from fact types to use cases.

What is told to the timeline alone (steps, deadlines, messages sent) has no use case: the ledger
keeps it. A fact about a dossier that has already ended is Late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.intake.domain.dossier import Extension, Standstill
from services.intake.domain.progress import TooLate
from services.intake.usecases import progress
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.events.envelope import Envelope
from shared.events.facts import read, wire
from shared.kernel.clock import parse_instant
from shared.messaging.consumer import Handler, Late

Use = Callable[[UnitOfWork, Catalogue, dict[str, Any]], TooLate | None]


def _started(uow: UnitOfWork, _: Catalogue, data: dict[str, Any]) -> TooLate | None:
    return progress.start(uow, data["dossier"])


def _supplement_requested(
    uow: UnitOfWork, catalogue: Catalogue, data: dict[str, Any]
) -> TooLate | None:
    return progress.ask_for_papers(
        uow,
        catalogue,
        data["dossier"],
        round_=data["round"],
        step=data["step"],
        agency=data["agency"]["code"],
        items=data["items"],
        reason=data["reason"],
        respond_by=parse_instant(data["respond_by"]) if data["respond_by"] else None,
        at=parse_instant(data["requested_at"]),
    )


def _payment_requested(
    uow: UnitOfWork, catalogue: Catalogue, data: dict[str, Any]
) -> TooLate | None:
    return progress.ask_for_payment(
        uow,
        catalogue,
        data["dossier"],
        step=data["step"],
        agency=data["agency"]["code"],
        amount_vnd=data["amount_vnd"],
        reference=data["reference"],
        at=parse_instant(data["requested_at"]),
    )


def _supplement_dropped(
    uow: UnitOfWork, catalogue: Catalogue, data: dict[str, Any]
) -> TooLate | None:
    at = parse_instant(data["dropped_at"])
    return progress.drop_request(
        uow, catalogue, data["dossier"], round_=data["round"], reason=data["reason"], at=at
    )


def _clock_stopped(uow: UnitOfWork, _: Catalogue, data: dict[str, Any]) -> TooLate | None:
    since = parse_instant(data["stopped_at"])
    standstill = Standstill(since, data["step"]["code"], data["agency"]["code"])
    return progress.stop_clock(uow, data["dossier"], standstill)


def _clock_resumed(uow: UnitOfWork, catalogue: Catalogue, data: dict[str, Any]) -> TooLate | None:
    at = parse_instant(data["resumed_at"])
    return progress.resume_clock(uow, catalogue, data["dossier"], at=at)


def _stopped(uow: UnitOfWork, catalogue: Catalogue, data: dict[str, Any]) -> TooLate | None:
    return progress.stop(
        uow,
        catalogue,
        data["dossier"],
        reason=data["reason"],
        next_step=data["next_step"],
        at=parse_instant(data["stopped_at"]),
    )


def _resolved(uow: UnitOfWork, catalogue: Catalogue, data: dict[str, Any]) -> TooLate | None:
    at = parse_instant(data["resolved_at"])
    return progress.resolve(uow, catalogue, data["dossier"], results=data["results"], at=at)


def _extended(uow: UnitOfWork, _: Catalogue, data: dict[str, Any]) -> TooLate | None:
    extension = Extension(
        number=data["number"],
        at=parse_instant(data["extended_at"]),
        due_at=parse_instant(data["due_at"]),
        agency=data["agency"]["code"],
        reason=data["reason"],
    )
    return progress.extend(uow, data["dossier"], extension)


#: None: for the timeline alone.
TYPES: Final[Mapping[str, Use | None]] = {
    wire("dossier.started"): _started,
    wire("dossier.supplement_requested"): _supplement_requested,
    wire("dossier.supplement_dropped"): _supplement_dropped,
    wire("dossier.payment_requested"): _payment_requested,
    wire("clock.stopped"): _clock_stopped,
    wire("clock.resumed"): _clock_resumed,
    wire("dossier.stopped"): _stopped,
    wire("dossier.resolved"): _resolved,
    wire("dossier.extended"): _extended,
    wire("step.opened"): None,
    wire("step.answered"): None,
    wire("deadline.near"): None,
    wire("deadline.missed"): None,
    wire("citizen.notified"): None,
    wire("citizen.unreachable"): None,
}


def handlers(catalogue: Catalogue) -> dict[str, Handler]:
    """The consumer's handlers; each loads its batch's dossiers in one query."""
    return {
        name: Handler(apply=_bind(use, catalogue), warm=_warm)
        for name, use in TYPES.items()
        if use is not None
    }


def _bind(use: Use, catalogue: Catalogue) -> Callable[[UnitOfWork, Envelope], Late | None]:
    def apply(uow: UnitOfWork, envelope: Envelope) -> Late | None:
        late = use(uow, catalogue, read(envelope.type, envelope.data))
        return Late(late.note) if late is not None else None

    return apply


def _warm(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    progress.warm(uow, (envelope.subject for envelope in envelopes))
