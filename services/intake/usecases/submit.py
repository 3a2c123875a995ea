"""Filing a dossier: the desk's first verb, and everything that is wrong with a submission at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.intake.domain import reception
from services.intake.domain.codes import dossier_code
from services.intake.domain.contacts import check_contact
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import PaperCount, check_form, check_papers
from services.intake.domain.submission import SubmitDossier, check_submission
from services.intake.storage.counters import next_number
from services.intake.storage.dossiers import Dossiers
from shared.catalogue import Agency, Catalogue, Procedure
from shared.database import UnitOfWork
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput, NotFound


def submit(uow: UnitOfWork, catalogue: Catalogue, command: SubmitDossier) -> Dossier:
    """File a dossier; InvalidInput carries every fault at once."""
    now = uow.now
    today = to_vn(now).date()
    office = catalogue.agency(command.office)
    try:
        procedure = offered(catalogue, office, command.procedure, today)
    except InvalidInput:
        raise InvalidInput(faults_of(catalogue, command, today)) from None
    checked = check_submission(command, procedure, office, today)
    number = next_number(uow.connection, office.official_id, today)
    code = dossier_code(office.official_id, today, number)
    dossier, facts = reception.submit(
        checked, code, uow.ids.word(), now, catalogue.calendar(office.code)
    )
    uow.get(Dossiers).add(dossier)
    uow.opens(code)
    for fact in facts:
        uow.record(fact)
    return dossier


def offered(catalogue: Catalogue, office: Agency, code: str, today: date) -> Procedure:
    """The procedure in force, if this office takes it in; else InvalidInput."""
    try:
        procedure = catalogue.procedure(code, today)
    except NotFound:
        procedure = None
    if procedure is None or not catalogue.office_handles(office.code, procedure, today):
        raise InvalidInput(
            [
                Fault(
                    "procedure",
                    "Bộ phận này không tiếp nhận thủ tục này.",
                    "this office does not take in such a procedure",
                )
            ]
        )
    return procedure


def faults_of(catalogue: Catalogue, command: SubmitDossier, today: date) -> tuple[Fault, ...]:
    """What is wrong with a submission; without a known procedure only what can be told then."""
    office = catalogue.agency(command.office)
    try:
        procedure = offered(catalogue, office, command.procedure, today)
    except InvalidInput as unknown:
        faults = list(unknown.faults)
        check_contact(command.contact, faults)
        return tuple(faults)
    try:
        check_submission(command, procedure, office, today)
    except InvalidInput as wrong:
        return wrong.faults
    return ()


def faults_of_supplement(
    procedure: Procedure, papers: Sequence[PaperCount], form: Mapping[str, Any], today: date
) -> tuple[Fault, ...]:
    """What is wrong with what a citizen brought, whatever it was asked for."""
    faults: list[Fault] = []
    check_papers(procedure.papers, papers, faults)
    check_form(procedure.form, form, faults, partial=True, today=today)
    return tuple(faults)
