"""Filing a dossier: the desk's first verb, and everything that is wrong with a submission at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.intake.domain import reception
from services.intake.domain.circumstances import Circumstances
from services.intake.domain.codes import dossier_code
from services.intake.domain.contacts import check_contact
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import PaperCount, check_form, check_papers
from services.intake.domain.submission import SubmitDossier, check_submission
from services.intake.storage.counters import next_number
from services.intake.storage.dossiers import Dossiers
from shared.catalogue import Catalogue, Procedure
from shared.database import UnitOfWork
from shared.kernel.errors import Fault, InvalidInput
from shared.messaging.handling import keep


def submit(
    uow: UnitOfWork, catalogue: Catalogue, command: SubmitDossier, *, at: datetime | None = None
) -> Dossier:
    """File a dossier; InvalidInput carries every fault at once.

    `at` is when it was handed in, an instant of today (UTC), where that is not now.
    """
    around = Circumstances(catalogue, at or uow.now)
    today = around.today
    office = catalogue.agency(command.office)
    try:
        procedure = around.offered(office, command.procedure)
    except InvalidInput:
        raise InvalidInput(faults_of(around, command)) from None
    checked = check_submission(command, procedure, office, today)
    number = next_number(uow.connection, office.official_id, today)
    code = dossier_code(office.official_id, today, number)
    decision = reception.submit(checked, code, uow.ids.word(), around)
    dossiers = uow.get(Dossiers)
    uow.opens(code)
    keep(uow, dossiers, decision)
    return dossiers.of_office(code, office.code)


def faults_of(around: Circumstances, command: SubmitDossier) -> tuple[Fault, ...]:
    """What is wrong with a submission; without a known procedure only what can be told then."""
    office = around.catalogue.agency(command.office)
    try:
        procedure = around.offered(office, command.procedure)
    except InvalidInput as unknown:
        faults = list(unknown.faults)
        check_contact(command.contact, faults)
        return tuple(faults)
    try:
        check_submission(command, procedure, office, around.today)
    except InvalidInput as wrong:
        return wrong.faults
    return ()


def faults_of_supplement(
    procedure: Procedure,
    dossier: Dossier,
    papers: Sequence[PaperCount],
    form: Mapping[str, Any],
    today: date,
) -> tuple[Fault, ...]:
    """What is wrong with what a citizen brought, whatever it was asked for."""
    faults: list[Fault] = []
    brought = check_papers(procedure.papers, papers, faults)
    there = {*dossier.form, *(paper.code for paper in (*dossier.papers, *brought))}
    check_form(procedure.form, form, faults, partial=True, today=today, there=there)
    return tuple(faults)
