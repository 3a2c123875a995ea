"""A promised date that was missed: the apology is prepared, and goes out with a new date.

Routing says who is late and why; the head of the office may name the date, else the clock's word
counts. Each apology is added beside the first promise, never over it. Not here: the paper itself
(papers/negative.py), and an agency's own date (progress.extended).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from services.intake.domain.circumstances import Circumstances, agency
from services.intake.domain.dossier import Dossier, Extension, Missed
from services.intake.domain.lateness import late
from services.intake.domain.texts import check_text
from services.intake.domain.waits import must_allow, promised_dates
from shared.events.decision import Decision
from shared.events.event import Event
from shared.events.intake import DossierApologised
from shared.events.parts import Agency
from shared.events.routing import ApologyDue, DeadlineMissed
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput, MissingCalendar

CAME_LATE: Final = "Kết quả có sau ngày hẹn"
NAMED_BEFORE: Final = "Đã có ngày hẹn khác; không cần xin lỗi cho ngày này nữa."


def prepare(dossier: Dossier, event: DeadlineMissed) -> Decision[Dossier]:
    """The date has passed: who is late and why is kept for the apology to come."""
    if dossier.due_at != event.due_at or event.agency is None:
        return Decision(note=NAMED_BEFORE)
    missed = Missed(
        due_at=event.due_at,
        agency=event.agency.code,
        cause=event.cause or "",
        new_due_at=event.new_due_at,
        apology_at=event.apology_at,
    )
    return Decision(replace(dossier, missed=missed))


def apologise_by_rule(
    dossier: Dossier, event: ApologyDue, around: Circumstances
) -> Decision[Dossier]:
    """Nobody has named a date within the time that the city sets: it apologises by itself."""
    if dossier.due_at != event.missed_at:
        return Decision(note=NAMED_BEFORE)
    return _apologised(dossier, around, event.agency, event.reason, event.due_at, "clock")


def apologise(
    dossier: Dossier, around: Circumstances, *, reason: str, due_at: datetime | None
) -> Decision[Dossier]:
    """The head of the office apologises for whoever is late and names the new date."""
    must_allow(dossier, "apologise")
    faults: list[Fault] = []
    why = check_text(reason, "reason", faults) or ""
    date = _to_come(dossier, around, due_at, faults)
    if faults or date is None:
        raise InvalidInput(faults)
    known = dossier.missed
    at_fault = around.agency(known.agency) if known else agency(around.office(dossier))
    return _apologised(dossier, around, at_fault, why, date, "head")


def apologise_with_result(
    dossier: Dossier, resolved_at: datetime, around: Circumstances
) -> tuple[Dossier, tuple[Event, ...]]:
    """The result came on a later day than was promised, and nobody had apologised for that day."""
    due_at = dossier.due_at
    if due_at is None or not late(due_at, resolved_at, stopped_since=dossier.paused_since):
        return dossier, ()
    if to_vn(resolved_at).date() <= to_vn(due_at).date():
        return dossier, ()
    known = dossier.missed
    at_fault = around.agency(known.agency) if known else agency(around.office(dossier))
    said = _apologised(dossier, around, at_fault, CAME_LATE, None, "clock", resolved_at)
    return said.state or dossier, said.events


def _to_come(
    dossier: Dossier, around: Circumstances, due_at: datetime | None, faults: list[Fault]
) -> datetime | None:
    """The date as it binds: while the office is open, and still to come."""
    if due_at is None:
        faults.append(Fault("due_at", "Bắt buộc phải có.", "is required"))
        return None
    try:
        date = around.calendar(dossier).drawn_in(due_at)
    except MissingCalendar as unknown:
        faults.append(Fault("due_at", unknown.vi, unknown.en))
        return None
    if date <= around.now:
        faults.append(
            Fault("due_at", "Ngày hẹn mới phải còn ở phía trước.", "must be in the future")
        )
        return None
    return date


def _apologised(
    dossier: Dossier,
    around: Circumstances,
    at_fault: Agency,
    reason: str,
    due_at: datetime | None,
    by: Literal["head", "clock"],
    at: datetime | None = None,
) -> Decision[Dossier]:
    promised_at, missed_at = promised_dates(dossier)
    at = at or around.now
    number = 1 + max((each.number for each in dossier.extensions), default=0)
    extension = Extension(number, at, due_at or at, at_fault.code, reason, by, missed_at)
    later = replace(
        dossier,
        extensions=(*dossier.extensions, extension),
        due_at=due_at or dossier.due_at,
        missed=None,
    )
    event = DossierApologised(
        dossier=dossier.code,
        agency=at_fault,
        reason=reason,
        by=by,
        promised_at=promised_at,
        missed_at=missed_at,
        due_at=due_at,
        apologised_at=at,
        number=number,
    )
    return Decision(later, (event,))
