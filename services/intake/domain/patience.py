"""Papers that never come: when the citizen is reminded, and when a desk's own request lapses.

Both instants are worked out once, when the request is made or extended, by the rule of that day,
and kept with the request. What happens to an agency's unanswered request is routing's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.intake.domain.dossier import Dossier, Ending, Wait
from services.intake.domain.facts import (
    DossierRefused,
    Fact,
    SupplementExtended,
    SupplementReminded,
)
from services.intake.domain.statuses import Status, move
from services.intake.domain.waits import must_allow, vn_minute
from shared.catalogue import Agency, PapersRule, Procedure
from shared.kernel.calendar import Duration, WorkingCalendar
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput, MissingCalendar

Outcome = tuple[Dossier, tuple[Fact, ...]]
_LOOK_BACK: Final = (2, 6, 14)  # days before a date in which its reminder is looked for first


@dataclass(frozen=True, slots=True)
class Patience:
    """The city's rule of the day of the request (None: there was none) and the office's clock."""

    rule: PapersRule | None
    calendar: WorkingCalendar


def binding(
    respond_by: datetime | None, now: datetime, patience: Patience, faults: list[Fault]
) -> datetime | None:
    """The date as it binds the citizen: one on a day off ends with the next working day (UTC)."""
    if respond_by is None:
        return None
    if respond_by <= now:
        faults.append(Fault("respond_by", "Hạn trả lời đã qua.", "must be in the future"))
        return None
    day = to_vn(respond_by).date()
    try:
        if patience.calendar.is_working_day(day):
            return respond_by
        return patience.calendar.closing(day)
    except MissingCalendar as unknown:
        faults.append(Fault("respond_by", unknown.vi, unknown.en))
        return None


def planned(wait: Wait, since: datetime, patience: Patience) -> Wait:
    """The request with its reminder and, for a desk's own, the instant at which it lapses."""
    if wait.respond_by is None or patience.rule is None:
        return replace(wait, remind_at=None, lapse_at=None)
    closes = wait.asked_by == "desk" and patience.rule.unanswered == "close"
    return replace(
        wait,
        remind_at=_reminder(since, wait.respond_by, patience.rule.remind_before, patience.calendar),
        lapse_at=wait.respond_by if closes else None,
    )


def _reminder(
    since: datetime, respond_by: datetime, before: Duration | None, calendar: WorkingCalendar
) -> datetime | None:
    """So long before the date; None where that is not after `since` or has no calendar."""
    if before is None:
        return None
    if before.unit in ("day", "hour"):
        at = respond_by - timedelta(**{f"{before.unit}s": before.value})
        return at if at > since else None
    day = 60 if before.unit == "working_hour" else calendar.nominal_day_minutes
    try:
        return _working_minutes_before(since, respond_by, before.value * day, calendar)
    except MissingCalendar:
        return None


def _working_minutes_before(
    since: datetime, respond_by: datetime, minutes: int, calendar: WorkingCalendar
) -> datetime | None:
    bases = (respond_by - timedelta(days=days) for days in _LOOK_BACK)
    for base in (*(base for base in bases if base > since), since):
        spare = calendar.minutes_between(base, respond_by) - minutes
        if spare > 0:
            return calendar.add_minutes(base, spare)
    return None


def extend_request(
    dossier: Dossier,
    office: Agency,
    patience: Patience,
    now: datetime,
    *,
    respond_by: datetime | None,
) -> Outcome:
    """The desk gives more time for its own request; a later date only, reminded of anew."""
    must_allow(dossier, "extend-supplement")
    wait = next(w for w in dossier.open_waits if w.asked_by == "desk")
    faults: list[Fault] = []
    if respond_by is None:
        faults.append(Fault("respond_by", "Bắt buộc phải có.", "is required"))
    date = binding(respond_by, now, patience, faults)
    if date is not None and wait.respond_by is not None and date <= wait.respond_by:
        faults.append(
            Fault("respond_by", "Hạn mới phải sau hạn hiện nay.", "must be later than it is now")
        )
    if faults or date is None:
        raise InvalidInput(faults)
    longer = planned(replace(wait, respond_by=date), now, patience)
    extended = _with(dossier, wait, longer)
    return extended, (SupplementExtended(extended, office, longer, date, now),)


def pass_time(
    dossier: Dossier,
    procedure: Procedure,
    office: Agency,
    rule: PapersRule | None,
    askers: Mapping[str, str],
    now: datetime,
) -> Outcome:
    """What time alone has brought about by `now`: a request lapses, or the citizen is reminded.

    `rule` is that of the day of the lapsing request, `askers` the names of the agencies by code.
    """
    lapsed = lapsing(dossier, now)
    if lapsed is not None and rule is not None:
        return _lapse(dossier, lapsed, procedure, office, rule, now)
    facts: list[Fact] = []
    for wait in dossier.open_waits:
        if wait.lapse_at is not None and wait.lapse_at <= now:
            dossier = _with(dossier, wait, replace(wait, lapse_at=None, remind_at=None))
            continue  # received meanwhile: it is no longer the desk's to close
        if wait.remind_at is None or wait.remind_at > now or wait.respond_by is None:
            continue
        dossier = _with(dossier, wait, replace(wait, remind_at=None))
        if now < wait.respond_by:  # a reminder that comes after the date helps nobody
            asker = wait.agency or office.code
            facts.append(
                SupplementReminded(
                    dossier, asker, askers.get(asker, office.name), wait, wait.respond_by, now
                )
            )
    return dossier, tuple(facts)


def lapsing(dossier: Dossier, now: datetime) -> Wait | None:
    """The desk's own request whose date has passed unanswered, while it is still awaited."""
    for wait in dossier.open_waits:
        if wait.lapse_at is not None and wait.lapse_at <= now and dossier.received_at is None:
            return wait
    return None


def _lapse(
    dossier: Dossier,
    wait: Wait,
    procedure: Procedure,
    office: Agency,
    rule: PapersRule,
    now: datetime,
) -> Outcome:
    """5 -> 3. The file keeps the reason in Vietnamese, the citizen is told in their language."""
    reason = _filled(rule.reason.vi, wait, office)
    then = _filled(rule.next_step.vi, wait, office)
    closed = _with(dossier, wait, replace(wait, closed_at=now, dropped=reason))
    refused = replace(
        closed,
        status=move(closed.status, Status.REFUSED, standing=closed.standing),
        ending=Ending(reason, then),
    )
    if dossier.contact.language == "en":
        reason = _filled(rule.reason.en, wait, office)
        then = _filled(rule.next_step.en, wait, office)
    return refused, (DossierRefused(refused, procedure, office, reason, then, now),)


def _filled(words: str, wait: Wait, office: Agency) -> str:
    by, asked = to_vn(wait.respond_by or wait.asked_at), to_vn(wait.asked_at)
    values = {
        "asked": asked.strftime("%d/%m" if asked.year == by.year else "%d/%m/%Y"),
        "respond_by": vn_minute(by),
        "office": office.name,
    }
    for name, value in values.items():
        words = words.replace(f"{{{name}}}", value)
    return words


def _with(dossier: Dossier, old: Wait, new: Wait) -> Dossier:
    return replace(dossier, waits=tuple(new if w is old else w for w in dossier.waits))
