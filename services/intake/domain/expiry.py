"""Papers that never come: when the citizen is reminded, and when a request for them lapses.

Both instants are worked out once, when the request is made or extended, by the rule of that day,
and kept with the request. Intake takes the papers, so it alone says that they did not come; what
becomes of a dossier whose agency asked for them is then routing's to say.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.intake.domain.circumstances import Circumstances, agency
from services.intake.domain.dossier import Dossier, Ending, Language, Wait
from services.intake.domain.waits import (
    must_allow,
    not_received,
    promised_dates,
    resume_clock,
    settle,
    vn_minute,
)
from shared.catalogue import PapersRule
from shared.events.decision import Decision
from shared.events.intake import SupplementExtended, SupplementLapsed, SupplementReminded
from shared.kernel.calendar import Duration, WorkingCalendar, before
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput, MissingCalendar, NotFound

NO_PAPERS: Final = "Công dân không bổ sung giấy tờ trong thời hạn đã nêu."


def binding(
    respond_by: datetime | None, now: datetime, calendar: WorkingCalendar, faults: list[Fault]
) -> datetime | None:
    """The date as it binds the citizen: while the office is open, never before `now` (UTC)."""
    if respond_by is None:
        return None
    if respond_by <= now:
        faults.append(Fault("respond_by", "Hạn trả lời đã qua.", "must be in the future"))
        return None
    try:
        return calendar.latest(respond_by, now)
    except MissingCalendar as unknown:
        faults.append(Fault("respond_by", unknown.vi, unknown.en))
        return None


def planned(
    wait: Wait, since: datetime, rule: PapersRule | None, calendar: WorkingCalendar
) -> Wait:
    """The request with its reminder and the instant at which it lapses.

    Whether a desk's own lapses is the rule's to say; an agency's always does.
    """
    by, remind_at = wait.respond_by, None
    closes = wait.asked_by == "routing" or (rule is not None and rule.unanswered == "close")
    if by is not None and rule is not None:
        remind_at = _reminder(since, by, rule.remind_before, calendar)
    return replace(wait, remind_at=remind_at, lapse_at=by if closes else None)


def _reminder(
    since: datetime, respond_by: datetime, rest: Duration | None, calendar: WorkingCalendar
) -> datetime | None:
    """So long before the date; None where that is not after `since` or has no calendar."""
    try:
        return None if rest is None else before(respond_by, rest, calendar, since)
    except MissingCalendar:
        return None


def extend_supplement(
    dossier: Dossier, around: Circumstances, *, respond_by: datetime | None
) -> Decision[Dossier]:
    """The desk gives more time for its own request; a later date only, reminded of anew."""
    must_allow(dossier, "extend-supplement")
    wait = next(w for w in dossier.open_waits if w.asked_by == "desk")
    calendar = around.calendar(dossier)
    faults: list[Fault] = []
    if respond_by is None:
        faults.append(Fault("respond_by", "Bắt buộc phải có.", "is required"))
    date = binding(respond_by, around.now, calendar, faults)
    if date is not None and wait.respond_by is not None and date <= wait.respond_by:
        faults.append(
            Fault("respond_by", "Hạn mới phải sau hạn hiện nay.", "must be later than it is now")
        )
    if faults or date is None:
        raise InvalidInput(faults)
    rule = around.papers_rule(around.now)
    longer = planned(replace(wait, respond_by=date), around.now, rule, calendar)
    event = SupplementExtended(
        dossier=dossier.code,
        round=wait.round or 1,
        agency=agency(around.office(dossier)),
        items=wait.items,
        respond_by=date,
        extended_at=around.now,
    )
    return Decision(_with(dossier, wait, longer), (event,))


def pass_time(dossier: Dossier, around: Circumstances) -> Decision[Dossier]:
    """What time alone has brought about by now: a request lapses, or the citizen is reminded."""
    now = around.now
    lapsed = _lapsed(dossier, now)
    if lapsed is not None:
        lapse = _lapse if dossier.received_at is None else _lapse_received
        return lapse(dossier, lapsed, around)
    reminders: list[SupplementReminded] = []
    for wait in dossier.open_waits:
        if wait.lapse_at is not None and wait.lapse_at <= now:
            dossier = _with(dossier, wait, replace(wait, lapse_at=None, remind_at=None))
            continue  # received meanwhile: it is no longer the desk's to close
        if wait.remind_at is None or wait.remind_at > now or wait.respond_by is None:
            continue
        dossier = _with(dossier, wait, replace(wait, remind_at=None))
        if now < wait.respond_by:  # a reminder that comes after the date helps nobody
            reminders.append(_reminded(dossier, wait, wait.respond_by, around))
    return Decision(dossier, tuple(reminders))


def _reminded(
    dossier: Dossier, wait: Wait, respond_by: datetime, around: Circumstances
) -> SupplementReminded:
    return SupplementReminded(
        dossier=dossier.code,
        round=wait.round or 1,
        agency=around.agency(wait.agency or dossier.office),
        items=wait.items,
        reason=wait.reason or "",
        respond_by=respond_by,
        reminded_at=around.now,
    )


def _lapsed(dossier: Dossier, now: datetime) -> Wait | None:
    """The request whose date has passed unanswered; not one of before the reception that came since."""
    received_at = dossier.received_at
    for wait in dossier.open_waits:
        lapses = wait.lapse_at is not None and wait.lapse_at <= now
        of_now = received_at is None or wait.asked_by == "routing" or wait.asked_at >= received_at
        if lapses and of_now:
            return wait
    return None


def _lapse_received(dossier: Dossier, wait: Wait, around: Circumstances) -> Decision[Dossier]:
    """5 -> 4, as of the date that was told: the clock runs again until routing says what follows."""
    at = wait.lapse_at or around.now
    closed = replace(wait, closed_at=at, dropped=NO_PAPERS)
    after = settle(resume_clock(_with(dossier, wait, closed), at, around.rules(dossier)))
    promised_at, due_at = promised_dates(after)
    event = SupplementLapsed(
        dossier=dossier.code,
        round=wait.round or 1,
        step=wait.step,
        reason=NO_PAPERS,
        lapsed_at=at,
        promised_at=promised_at,
        due_at=due_at,
    )
    return Decision(after, (event,))


def _lapse(dossier: Dossier, wait: Wait, around: Circumstances) -> Decision[Dossier]:
    """5 -> 3. The file keeps the reason in Vietnamese, the citizen is told in their language."""
    rule = around.papers_rule(wait.asked_at)
    if rule is None:
        raise NotFound("the rule under which papers were asked for is gone from the catalogue")
    office = around.office(dossier).name
    kept = _filled(rule, "vi", wait, office)
    told = _filled(rule, dossier.contact.language, wait, office)
    closed = replace(wait, closed_at=around.now, dropped=kept.reason)
    return not_received(_with(dossier, wait, closed), around, kept, told)


def _filled(rule: PapersRule, language: Language, wait: Wait, office: str) -> Ending:
    by, asked = to_vn(wait.respond_by or wait.asked_at), to_vn(wait.asked_at)
    values = {
        "asked": asked.strftime("%d/%m" if asked.year == by.year else "%d/%m/%Y"),
        "respond_by": vn_minute(by),
        "office": office,
    }
    reason, next_step = getattr(rule.reason, language), getattr(rule.next_step, language)
    for name, value in values.items():
        reason = reason.replace(f"{{{name}}}", value)
        next_step = next_step.replace(f"{{{name}}}", value)
    return Ending(reason, next_step)


def _with(dossier: Dossier, old: Wait, new: Wait) -> Dossier:
    return replace(dossier, waits=tuple(new if w is old else w for w in dossier.waits))
