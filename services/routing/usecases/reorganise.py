"""What a reorganisation leaves at agencies that are no more: tasks of dossiers that have ended.

Intake states `dossier.moved` of those that are open. Steps after the result may still be somebody's
work when the citizen has long taken it: these are routing's own, and nobody else knows of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.routing.domain.case import Case
from services.routing.domain.moving import reorganised
from services.routing.storage.cases import Cases
from services.routing.storage.moving import BATCH, left_at
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.events.intake import DossierMoved
from shared.events.parts import Agency, Office, Successor
from shared.messaging.handling import keep


def move_left(
    uow: UnitOfWork, rules: Rules, plan: str, reason: str, successors: Mapping[str, str], after: str
) -> tuple[int, str | None]:
    """Hand on what is left among the next `BATCH` dossiers: how many, and where to go on (None: done).

    `successors` by agency; what the catalogue does not know stands for the rules of competence. The
    case keeps its office: the dossier has ended there.
    """
    codes = left_at(uow.connection, list(successors), after)
    cases, count = uow.get(Cases), 0
    cases.load(codes)
    for code in codes:
        case = cases.get(code)
        if case is None:
            continue
        office = rules.catalogue.agency(successors.get(case.office.code, case.office.code))
        there = Office(code=office.code, name=office.name, territory=office.territory)
        event = _event(case, plan, reason, successors, rules, uow)
        around = rules.for_case(replace(case, office=there), uow.now, uow.ids.new)
        decision = reorganised(case, event, around)
        keep(uow, cases, decision)
        count += bool(decision.events)
    return count, codes[-1] if len(codes) == BATCH else None


def _event(
    case: Case,
    plan: str,
    reason: str,
    successors: Mapping[str, str],
    rules: Rules,
    uow: UnitOfWork,
) -> DossierMoved:
    """As intake would state it, were the dossier still open; it is recorded nowhere."""
    held = dict.fromkeys(task.agency.code for task in case.tasks.values() if task.is_open)
    return DossierMoved(
        dossier=case.dossier,
        plan=plan,
        reason=reason,
        from_office=case.office,
        office=case.office,
        successors=tuple(
            Successor(agency=code, to=_agency(rules, successors[code]))
            for code in held
            if code in successors
        ),
        moved_at=uow.now,
    )


def _agency(rules: Rules, code: str) -> Agency | None:
    if not rules.has_agency(code):
        return None
    return Agency(code=code, name=rules.catalogue.agency(code).name)
