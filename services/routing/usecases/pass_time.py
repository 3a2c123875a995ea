"""What time alone brings about: warnings, missed deadlines, consent, tasks handed over again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from services.routing.domain.deadlines import time_passed
from services.routing.storage import handover, views
from services.routing.storage.cases import Cases
from services.routing.usecases.queues import queued
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.events.routing import StepRepeated
from shared.messaging.handling import keep

BATCH: Final = 100


def due(uow: UnitOfWork, put_off: Collection[str]) -> list[str]:
    """Up to `BATCH` dossiers for which something has become due by now, without those put off."""
    return views.due_dossiers(uow.connection, uow.now, BATCH, put_off)


def pass_time(uow: UnitOfWork, dossiers: Sequence[str], rules: Rules) -> int:
    """Take in what has become due for these dossiers; returns how many changed.

    Whatever is raised for one that cannot be judged (a year without a calendar, a defect) is
    raised: who called tries the others without it.
    """
    cases = uow.get(Cases)
    cases.load(dossiers)
    done = 0
    for dossier in dossiers:
        case = cases.get(dossier)
        if case is None:
            continue
        around = rules.for_case(case, uow.now, uow.ids.new)
        decision = time_passed(case, replace(around, queued=partial(queued, uow, rules.catalogue)))
        keep(uow, cases, decision)
        for event in decision.events:
            if isinstance(event, StepRepeated):
                since = case.tasks[event.step.code].opened_at
                handover.send_again(uow, event.agency.code, event.task, since)
        done += decision.state is not None
    return done
