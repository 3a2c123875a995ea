"""What time alone brings about: warnings, missed deadlines, consent, tasks handed over again."""

from __future__ import annotations

from typing import Final

from services.routing.domain.deadlines import time_passed
from services.routing.storage import handover, views
from services.routing.storage.cases import Cases
from services.routing.usecases.rules import Rules
from shared import log
from shared.database import UnitOfWork
from shared.events.routing import StepRepeated
from shared.kernel.errors import ParkNow, Refused
from shared.messaging.handling import keep

BATCH: Final = 100
_log = log.get("routing")


def pass_time(uow: UnitOfWork, rules: Rules) -> int:
    """Take in what has become due by now for up to `BATCH` dossiers; returns how many changed.

    A dossier that cannot be judged (a year without a calendar) is put off and told in the log, so
    that it never holds up the others.
    """
    due = views.due_dossiers(uow.connection, uow.now, BATCH)
    cases = uow.get(Cases)
    cases.load(due)
    done = 0
    for dossier in due:
        case = cases.get(dossier)
        if case is None:
            continue
        try:
            decision = time_passed(case, rules.for_case(case, uow.now, uow.ids.new))
        except (Refused, ParkNow) as error:
            _log.error("routing.deadline_put_off", dossier=dossier, reason=str(error))
            cases.put_off(dossier)
            done += 1
            continue
        keep(uow, cases, decision)
        for event in decision.events:
            if isinstance(event, StepRepeated):
                since = case.tasks[event.step.code].opened_at
                handover.send_again(uow, event.agency.code, event.task, since)
        done += decision.state is not None
    return done
