"""The desk's verbs. Each runs inside the caller's unit of work and returns the dossier afterwards.

A dossier of another office is NotFound, as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.intake.domain import citizen, patience, reception
from services.intake.domain.contacts import ContactInput
from services.intake.domain.deadline import Rules
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import PaperCount
from services.intake.domain.patience import Patience
from services.intake.domain.reception import Outcome
from services.intake.storage.dossiers import Dossiers
from services.intake.usecases.submit import offered, submit
from shared.catalogue import Catalogue, Procedure
from shared.database import UnitOfWork
from shared.kernel.clock import to_vn

__all__ = [
    "correct_contact",
    "extend_supplement",
    "patience_of",
    "pay",
    "procedure_of",
    "receive",
    "refuse",
    "request_supplement",
    "return_result",
    "rules_of",
    "submit",
    "supplement",
    "withdraw",
]


def receive(
    uow: UnitOfWork,
    catalogue: Catalogue,
    office: str,
    code: str,
    *,
    papers: Sequence[PaperCount] | None = None,
) -> Dossier:
    """Receive what was filed online or by post, under the rules in force today."""
    dossier = uow.get(Dossiers).get(code, office=office)
    desk = catalogue.agency(office)
    procedure = offered(catalogue, desk, dossier.procedure, to_vn(uow.now).date())
    calendar = catalogue.calendar(office)
    return _keep(uow, reception.receive(dossier, procedure, desk, uow.now, calendar, papers=papers))


def refuse(
    uow: UnitOfWork,
    catalogue: Catalogue,
    office: str,
    code: str,
    *,
    reason: str,
    next_step: str,
) -> Dossier:
    """Do not receive it, with a reason and what the citizen can do."""
    dossier = uow.get(Dossiers).get(code, office=office)
    outcome = reception.refuse(
        dossier,
        procedure_of(catalogue, dossier),
        catalogue.agency(office),
        uow.now,
        reason=reason,
        next_step=next_step,
    )
    return _keep(uow, outcome)


def request_supplement(
    uow: UnitOfWork,
    catalogue: Catalogue,
    office: str,
    code: str,
    *,
    items: Sequence[str],
    reason: str,
    respond_by: datetime | None = None,
) -> Dossier:
    """Ask for what is missing before reception."""
    dossier = uow.get(Dossiers).get(code, office=office)
    outcome = reception.request_supplement(
        dossier,
        procedure_of(catalogue, dossier),
        catalogue.agency(office),
        uow.now,
        items=items,
        reason=reason,
        patience=patience_of(catalogue, dossier, uow.now),
        respond_by=respond_by,
    )
    return _keep(uow, outcome)


def extend_supplement(
    uow: UnitOfWork,
    catalogue: Catalogue,
    office: str,
    code: str,
    *,
    respond_by: datetime | None,
) -> Dossier:
    """Give the citizen more time for papers that this desk asked for."""
    dossier = uow.get(Dossiers).get(code, office=office)
    patience_now = patience_of(catalogue, dossier, uow.now)
    desk = catalogue.agency(office)
    outcome = patience.extend_request(dossier, desk, patience_now, uow.now, respond_by=respond_by)
    return _keep(uow, outcome)


def supplement(
    uow: UnitOfWork,
    catalogue: Catalogue,
    office: str,
    code: str,
    *,
    papers: Sequence[PaperCount] = (),
    form: Mapping[str, Any] | None = None,
    round_: int | None = None,
) -> Dossier:
    """Take in what was asked for, at the desk or by an agency through it."""
    dossier = uow.get(Dossiers).get(code, office=office)
    outcome = citizen.supplement(
        dossier,
        procedure_of(catalogue, dossier),
        rules_of(catalogue, dossier),
        uow.now,
        papers=papers,
        form=form or {},
        round_=round_,
    )
    return _keep(uow, outcome)


def pay(
    uow: UnitOfWork,
    catalogue: Catalogue,
    office: str,
    code: str,
    *,
    amount_vnd: int,
    proof: str,
    step: str | None = None,
) -> Dossier:
    """Take down that the citizen has paid what was asked for."""
    dossier = uow.get(Dossiers).get(code, office=office)
    rules = rules_of(catalogue, dossier)
    return _keep(
        uow,
        citizen.pay(dossier, rules, uow.now, amount_vnd=amount_vnd, proof=proof, step=step),
    )


def withdraw(
    uow: UnitOfWork, catalogue: Catalogue, office: str, code: str, *, reason: str
) -> Dossier:
    """Give the dossier back to the citizen before there is a result."""
    dossier = uow.get(Dossiers).get(code, office=office)
    rules = rules_of(catalogue, dossier)
    return _keep(uow, citizen.withdraw(dossier, rules, uow.now, reason=reason))


def correct_contact(uow: UnitOfWork, office: str, code: str, typed: ContactInput) -> Dossier:
    """Mend how the citizen can be reached."""
    dossier = uow.get(Dossiers).get(code, office=office)
    return _keep(uow, citizen.correct_contact(dossier, uow.now, typed))


def return_result(uow: UnitOfWork, office: str, code: str, *, method: str) -> Dossier:
    """Hand the result over: `desk`, `post` or `online`."""
    dossier = uow.get(Dossiers).get(code, office=office)
    return _keep(uow, citizen.return_result(dossier, uow.now, method=method))


def procedure_of(catalogue: Catalogue, dossier: Dossier) -> Procedure:
    """The version that the dossier keeps for life."""
    return catalogue.procedure_version(dossier.procedure, dossier.procedure_version)


def rules_of(catalogue: Catalogue, dossier: Dossier) -> Rules:
    """What the catalogue says of the dossier's time."""
    procedure = procedure_of(catalogue, dossier)
    return Rules(
        procedure.duration,
        catalogue.calendar(dossier.office),
        procedure.supplement_rule == "restart",
    )


def patience_of(catalogue: Catalogue, dossier: Dossier, asked_at: datetime) -> Patience:
    """What holds for papers asked for at that instant."""
    rule = catalogue.papers_rule(to_vn(asked_at).date())
    return Patience(rule, catalogue.calendar(dossier.office))


def _keep(uow: UnitOfWork, outcome: Outcome) -> Dossier:
    dossier, facts = outcome
    uow.get(Dossiers).save(dossier)
    for fact in facts:
        uow.record(fact)
    return dossier
