"""Intake's own facts in the public words of the contract; nothing here decides anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.intake.domain import facts
from services.intake.domain.dossier import Dossier, HeldPaper
from shared.catalogue import Agency, Procedure
from shared.events import names
from shared.events.facts import check, route, wire
from shared.kernel.clock import format_instant
from shared.messaging.outbox import Outgoing

Data = dict[str, Any]


def translate(fact: Any) -> Sequence[Outgoing]:
    """The public facts that one internal fact becomes; raises ContractBroken on a slip of ours."""
    name, source, tell = TABLE[type(fact)]
    data = tell(fact)
    check(name, data)
    road = _ROUTES[name]
    return (
        Outgoing(
            exchange=road.exchange,
            routing_key=road.routing_key,
            source=source,
            subject=fact.dossier.code,
            type=name,
            data=data,
        ),
    )


def _procedure(procedure: Procedure) -> Data:
    return {
        "code": procedure.code,
        "version": procedure.version,
        "name": procedure.name,
        "short_name": procedure.short_name,
    }


def _office(office: Agency) -> Data:
    return {"code": office.code, "name": office.name}


def _papers(papers: Sequence[HeldPaper]) -> list[Data]:
    return [
        {"code": p.code, "name": p.name, "original": p.original, "copy": p.copy} for p in papers
    ]


def _at(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _dates(dossier: Dossier) -> Data:
    return {"promised_at": _at(dossier.promised_at), "due_at": _at(dossier.due_at)}


def _registered(fact: facts.DossierRegistered) -> Data:
    return {
        "dossier": fact.dossier.code,
        "procedure": _procedure(fact.procedure),
        "office": _office(fact.office),
        "channel": fact.dossier.channel,
        "submitted_at": _at(fact.dossier.submitted_at),
    }


def _received(fact: facts.DossierReceived) -> Data:
    dossier = fact.dossier
    return {
        "dossier": dossier.code,
        "procedure": _procedure(fact.procedure),
        "field": dossier.field,
        "office": {**_office(fact.office), "territory": fact.office.territory},
        "channel": dossier.channel,
        "submitted_at": _at(dossier.submitted_at),
        "received_at": _at(dossier.received_at),
        **_dates(dossier),
        "form": fact.procedure.shared(dossier.form),
        "papers": _papers(dossier.papers),
        "branches": list(dossier.branches),
    }


def _refused(fact: facts.DossierRefused) -> Data:
    return {
        "dossier": fact.dossier.code,
        "procedure": _procedure(fact.procedure),
        "office": _office(fact.office),
        "reason": fact.reason,
        "next_step": fact.next_step,
        "refused_at": _at(fact.at),
    }


def _supplement_requested(fact: facts.SupplementRequested) -> Data:
    return {
        "dossier": fact.dossier.code,
        "round": fact.wait.round,
        "step": None,
        "agency": _office(fact.office),
        "items": list(fact.wait.items),
        "reason": fact.wait.reason,
        "respond_by": _at(fact.wait.respond_by),
        "requested_at": _at(fact.wait.asked_at),
    }


def _supplement_reminded(fact: facts.SupplementReminded) -> Data:
    return {
        "dossier": fact.dossier.code,
        "round": fact.wait.round,
        "agency": {"code": fact.agency, "name": fact.agency_name},
        "items": list(fact.wait.items),
        "reason": fact.wait.reason,
        "respond_by": _at(fact.respond_by),
        "reminded_at": _at(fact.at),
    }


def _supplement_extended(fact: facts.SupplementExtended) -> Data:
    return {
        "dossier": fact.dossier.code,
        "round": fact.wait.round,
        "agency": _office(fact.office),
        "items": list(fact.wait.items),
        "respond_by": _at(fact.respond_by),
        "extended_at": _at(fact.at),
    }


def _supplemented(fact: facts.DossierSupplemented) -> Data:
    return {
        "dossier": fact.dossier.code,
        "round": fact.round,
        "papers": _papers(fact.papers),
        "form": dict(fact.form),
        "supplemented_at": _at(fact.at),
        **_dates(fact.dossier),
    }


def _paid(fact: facts.DossierPaid) -> Data:
    return {
        "dossier": fact.dossier.code,
        "step": fact.wait.step,
        "reference": fact.wait.reference,
        "amount_vnd": fact.amount_vnd,
        "paid_at": _at(fact.at),
        **_dates(fact.dossier),
    }


def _deadline_stated(fact: facts.DeadlineStated) -> Data:
    return {
        "dossier": fact.dossier.code,
        "because": fact.because,
        "clock": "stands" if fact.dossier.paused_since else "runs",
        **_dates(fact.dossier),
        "stated_at": _at(fact.at),
    }


def _withdrawn(fact: facts.DossierWithdrawn) -> Data:
    return {
        "dossier": fact.dossier.code,
        "reason": fact.reason,
        "withdrawn_at": _at(fact.at),
    }


def _returned(fact: facts.DossierReturned) -> Data:
    return {"dossier": fact.dossier.code, "method": fact.method, "returned_at": _at(fact.at)}


def _contact(fact: facts.ContactGiven) -> Data:
    contact = fact.dossier.contact
    return {
        "dossier": fact.dossier.code,
        "name": contact.name,
        "phone": contact.phone,
        "email": contact.email,
        "language": contact.language,
        "consent": {"sms": contact.sms, "email": contact.mail},
        "lookup_word": fact.dossier.lookup_word,
        "given_at": _at(fact.at),
    }


#: What intake says: internal fact -> (wire name, source, how it is told).
TABLE: Mapping[type, tuple[str, str, Callable[[Any], Data]]] = {
    facts.DossierRegistered: (wire("dossier.registered"), names.INTAKE, _registered),
    facts.DossierReceived: (wire("dossier.received"), names.INTAKE, _received),
    facts.DossierRefused: (wire("dossier.refused"), names.INTAKE, _refused),
    facts.SupplementRequested: (
        wire("dossier.supplement_requested"),
        names.INTAKE,
        _supplement_requested,
    ),
    facts.SupplementReminded: (
        wire("dossier.supplement_reminded"),
        names.INTAKE,
        _supplement_reminded,
    ),
    facts.SupplementExtended: (
        wire("dossier.supplement_extended"),
        names.INTAKE,
        _supplement_extended,
    ),
    facts.DossierSupplemented: (wire("dossier.supplemented"), names.INTAKE, _supplemented),
    facts.DossierPaid: (wire("dossier.paid"), names.INTAKE, _paid),
    facts.DeadlineStated: (wire("deadline.stated"), names.INTAKE, _deadline_stated),
    facts.DossierWithdrawn: (wire("dossier.withdrawn"), names.INTAKE, _withdrawn),
    facts.DossierReturned: (wire("dossier.returned"), names.INTAKE, _returned),
    facts.ContactGiven: (wire("contact.given"), names.INTAKE_CONTACTS, _contact),
}
_ROUTES = {name: route(name, source) for name, source, _ in TABLE.values()}
