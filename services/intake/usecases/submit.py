"""Filing a dossier: the desk's first verb, and everything that is wrong with a submission at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.intake.domain import reception
from services.intake.domain.circumstances import Circumstances
from services.intake.domain.codes import dossier_code
from services.intake.domain.contacts import check_contact
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import PaperCount, check_form, check_papers
from services.intake.domain.similar import LookAlike, unseen
from services.intake.domain.submission import Checked, SubmitDossier, check_submission
from services.intake.storage.counters import next_number
from services.intake.storage.dossiers import Dossiers
from services.intake.usecases.similar import SimilarFound, look_alikes, seen_event
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
    return _file(uow, around, command.office, _checked(around, command))


def submit_beside(
    uow: UnitOfWork,
    catalogue: Catalogue,
    command: SubmitDossier,
    *,
    seen: Collection[str] | None,
) -> tuple[Dossier, tuple[LookAlike, ...]]:
    """File a dossier, and say which others may be about the same matter.

    `seen` are the marks of those that an officer was shown: SimilarFound where there are others,
    and that they were seen is recorded. None: they are only told.
    """
    around = Circumstances(catalogue, uow.now)
    checked = _checked(around, command)
    found = look_alikes(uow, around, checked.procedure, checked.form)
    if seen is not None and unseen(found, seen):
        raise SimilarFound(found)
    dossier = _file(uow, around, command.office, checked)
    if found and seen is not None:
        uow.record(seen_event(dossier, found, around))
    return dossier, found


def _checked(around: Circumstances, command: SubmitDossier) -> Checked:
    office = around.catalogue.agency(command.office)
    try:
        procedure = around.offered(office, command.procedure)
    except InvalidInput:
        raise InvalidInput(faults_of(around, command)) from None
    return check_submission(command, procedure, office, around.today)


def _file(uow: UnitOfWork, around: Circumstances, office: str, checked: Checked) -> Dossier:
    official_id = around.catalogue.agency(office).official_id
    number = next_number(uow.connection, official_id, around.today)
    code = dossier_code(official_id, around.today, number)
    decision = reception.submit(checked, code, uow.ids.word(), around)
    dossiers = uow.get(Dossiers)
    uow.opens(code)
    keep(uow, dossiers, decision)
    return dossiers.of_office(code, office)


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
