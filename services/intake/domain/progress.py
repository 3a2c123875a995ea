"""What the agencies' work does to a dossier at its desk: what follows from each event of routing.

Instants are those of the events, not of their arrival. What comes after the end changes nothing:
the dossier's row decides which end it is, and only an end that it took is confirmed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TypeVar

from services.intake.domain import extensions
from services.intake.domain.apologies import apologise_by_rule, apologise_with_result, prepare
from services.intake.domain.circumstances import Circumstances
from services.intake.domain.deadline import stop_clock
from services.intake.domain.dossier import ClockStop, Dossier, Ending, Extension, Wait
from services.intake.domain.expiry import planned
from services.intake.domain.statuses import Status
from services.intake.domain.waits import (
    drop_waits,
    open_wait,
    promised_dates,
    resume_clock,
    settle,
)
from shared.events.decision import Decision
from shared.events.event import Event
from shared.events.intake import (
    Because,
    DeadlineStated,
    DossierBranched,
    DossierVerifying,
    DropConfirmed,
    ResultConfirmed,
    SilenceConfirmed,
    StopConfirmed,
    SupplementRequested,
)
from shared.events.routing import (
    ApologyDue,
    BranchChosen,
    ClockResumed,
    ClockStopped,
    CorrectionOvertaken,
    DeadlineMissed,
    DossierExtended,
    DossierResolved,
    DossierStarted,
    DossierStopped,
    ExtensionDropped,
    ExtensionRequested,
    PaymentRequested,
    StepAnswered,
    SupplementDropped,
    VerificationOpened,
)
from shared.kernel.calendar import Duration, due
from shared.kernel.errors import ParkNow

E = TypeVar("E", bound=Event)


def _until_its_end(
    decide: Callable[[Dossier, E, Circumstances], Decision[Dossier]],
) -> Callable[[Dossier | None, E, Circumstances], Decision[Dossier]]:
    """Decide for a dossier that was filed here and has not come to its end."""

    @wraps(decide)
    def guarded(dossier: Dossier | None, event: E, around: Circumstances) -> Decision[Dossier]:
        dossier = _known(dossier)
        if dossier.status.final or dossier.status is Status.RESOLVED:
            return _late(dossier)
        return decide(dossier, event, around)

    return guarded


def _known(dossier: Dossier | None) -> Dossier:
    if dossier is None:
        raise ParkNow(
            "a fact names a dossier that was never filed here",
            vi="Bản tin nói về một hồ sơ chưa từng được nộp ở đây.",
        )
    return dossier


def _late(dossier: Dossier) -> Decision[Dossier]:
    return Decision(note=f"Đến muộn: hồ sơ đã ở trạng thái «{dossier.status.vi}».")


@_until_its_end
def started(dossier: Dossier, _: DossierStarted, __: Circumstances) -> Decision[Dossier]:
    """The first step is open: 2 -> 4; a waiting dossier will go on in 4."""
    if dossier.underlying is not Status.RECEIVED:
        return Decision()
    status = dossier.status if dossier.open_waits else dossier.becoming(Status.PROCESSING)
    return Decision(replace(dossier, underlying=Status.PROCESSING, status=status))


@_until_its_end
def papers_requested(
    dossier: Dossier, event: SupplementRequested, around: Circumstances
) -> Decision[Dossier]:
    """An agency asks the citizen for papers: 4 -> 5, the clock stops."""
    at = event.requested_at
    wait = Wait(
        kind="supplement",
        asked_by="routing",
        asked_at=at,
        stops_clock=True,
        round=event.round,
        step=event.step,
        agency=event.agency.code,
        items=event.items,
        reason=event.reason,
        respond_by=event.respond_by,
    )
    rules = around.rules(dossier)
    wait = planned(wait, at, around.papers_rule(at), rules.calendar)
    if event.respond_by is not None and event.respond_by <= around.now:
        wait = replace(wait, lapse_at=None)  # the citizen could not know of it in time
    return Decision(open_wait(dossier, wait, restart=rules.restart))


@_until_its_end
def payment_requested(
    dossier: Dossier, event: PaymentRequested, around: Circumstances
) -> Decision[Dossier]:
    """An agency asks for money: 4 -> 6, the clock stops where the procedure's step says so.

    A later notice for the same step takes the place of one that is not paid yet.
    """
    asked = [w for w in dossier.waits if w.kind == "payment" and w.step == event.step]
    if any(wait.answered for wait in asked):
        return Decision(note="Công dân đã nộp tiền; thông báo thay thế không thay đổi gì.")
    replaced = f"Thay bằng thông báo {event.reference}."
    waits = tuple(
        replace(w, closed_at=event.requested_at, dropped=replaced) if w in asked and w.open else w
        for w in dossier.waits
    )
    known = around.procedure(dossier).step(event.step)
    wait = Wait(
        kind="payment",
        asked_by="routing",
        asked_at=event.requested_at,
        stops_clock=known is None or known.pauses_clock,
        step=event.step,
        agency=event.agency.code,
        reference=event.reference,
        amount_vnd=event.amount_vnd,
    )
    return Decision(open_wait(replace(dossier, waits=waits), wait, restart=False))


@_until_its_end
def request_dropped(
    dossier: Dossier, event: SupplementDropped, around: Circumstances
) -> Decision[Dossier]:
    """Nobody waits for the papers of that round any more: 5 -> 4, the clock may run again."""
    at = event.dropped_at
    awaited = [w for w in dossier.open_waits if w.kind == "supplement" and w.round == event.round]
    waits = tuple(
        replace(w, closed_at=at, dropped=event.reason) if w in awaited else w for w in dossier.waits
    )
    freed = resume_clock(replace(dossier, waits=waits), at, around.rules(dossier))
    dated = _with_date(settle(freed), "supplement_dropped", around)
    if not (awaited and event.proposed):
        return dated
    confirmed = DropConfirmed(
        dossier=dossier.code,
        round=event.round,
        step=event.step,
        reason=event.reason,
        dropped_at=at,
        confirmed_at=around.now,
    )
    return replace(dated, events=(confirmed, *dated.events))


@_until_its_end
def clock_stopped(dossier: Dossier, event: ClockStopped, _: Circumstances) -> Decision[Dossier]:
    """A step that the law does not count is open: the clock stands, the status stays."""
    stop = ClockStop(event.stopped_at, event.step.code, event.agency.code)
    return Decision(stop_clock(replace(dossier, clock_stop=stop), stop.since, restart=False))


@_until_its_end
def clock_resumed(
    dossier: Dossier, event: ClockResumed, around: Circumstances
) -> Decision[Dossier]:
    """The last such step has ended; the clock runs again unless the citizen must act."""
    free = replace(dossier, clock_stop=None)
    running = resume_clock(free, event.resumed_at, around.rules(dossier))
    return _with_date(running, "clock_resumed", around)


@_until_its_end
def stopped(dossier: Dossier, event: DossierStopped, around: Circumstances) -> Decision[Dossier]:
    """The agencies cannot go on: -> 8."""
    at = event.stopped_at
    free = drop_waits(dossier, at, around.rules(dossier), reason=event.reason)
    ended = replace(
        free,
        status=dossier.becoming(Status.STOPPED),
        ending=Ending(event.reason, event.next_step),
        finished_at=at,
    )
    confirmed = StopConfirmed(
        dossier=dossier.code,
        reason=event.reason,
        next_step=event.next_step,
        agency=event.agency,
        step=event.step,
        stopped_at=at,
        confirmed_at=around.now,
    )
    return Decision(ended, (confirmed,) if event.proposed else ())


@_until_its_end
def resolved(dossier: Dossier, event: DossierResolved, around: Circumstances) -> Decision[Dossier]:
    """Every branch has its result: -> 9; a request that was still open falls away."""
    at = event.resolved_at
    dossier, apology = apologise_with_result(dossier, at, around)
    free = settle(drop_waits(dossier, at, around.rules(dossier)))
    ended = replace(
        free, status=free.becoming(Status.RESOLVED), results=event.results, finished_at=at
    )
    confirmed = ResultConfirmed(
        dossier=dossier.code, results=event.results, resolved_at=at, confirmed_at=around.now
    )
    return Decision(ended, (*apology, confirmed) if event.proposed else apology)


def date_missed(
    dossier: Dossier | None, event: DeadlineMissed, around: Circumstances
) -> Decision[Dossier]:
    """A step's date has passed, or the dossier's own: then the apology is prepared.

    An agency kept silent where that is consent: true if nothing had ended the dossier by then.
    Whatever intake stated up to now stands before this in its stream, so that routing knows it.
    """
    if event.scope == "dossier":
        return _promise_missed(dossier, event, around)
    if not event.consent or event.task is None:
        return Decision()
    dossier = _known(dossier)
    if dossier.status in (Status.WITHDRAWN, Status.STOPPED):
        return _late(dossier)
    confirmed = SilenceConfirmed(
        dossier=dossier.code, task=event.task, due_at=event.due_at, confirmed_at=around.now
    )
    return Decision(events=(confirmed,))


def answered(dossier: Dossier | None, event: StepAnswered, _: Circumstances) -> Decision[Dossier]:
    """An agency has answered finally: what it decided on is not corrected any more."""
    if dossier is None or event.outcome is None or dossier.answered_by is not None:
        return Decision()
    return Decision(replace(dossier, answered_by=event.agency.name))


def overtaken(
    dossier: Dossier | None, event: CorrectionOvertaken, _: Circumstances
) -> Decision[Dossier]:
    """An agency had answered before a correction came to it: the desk is told which."""
    dossier = _known(dossier)
    name = event.agency.name
    corrections = tuple(
        replace(each, overtaken=(*each.overtaken, name))
        if each.number == event.number and name not in each.overtaken
        else each
        for each in dossier.corrections
    )
    return Decision(replace(dossier, corrections=corrections))


@_until_its_end
def _promise_missed(dossier: Dossier, event: DeadlineMissed, _: Circumstances) -> Decision[Dossier]:
    return prepare(dossier, event)


@_until_its_end
def apology_due(dossier: Dossier, event: ApologyDue, around: Circumstances) -> Decision[Dossier]:
    """Nobody has named a new date for one that was missed: the city's rule does."""
    return apologise_by_rule(dossier, event, around)


@_until_its_end
def time_asked(dossier: Dossier, event: ExtensionRequested, _: Circumstances) -> Decision[Dossier]:
    """An agency asks for more time: pending until the head decides."""
    return extensions.ask(dossier, event)


@_until_its_end
def time_not_asked(
    dossier: Dossier, event: ExtensionDropped, _: Circumstances
) -> Decision[Dossier]:
    """The agency has answered, or its date has passed: there is nothing left to decide."""
    return extensions.drop(dossier, event)


@_until_its_end
def extended(dossier: Dossier, event: DossierExtended, around: Circumstances) -> Decision[Dossier]:
    """An agency apologises and names a new date: it is added, the first promise stays."""
    number, missed = event.number, dossier.missed if dossier.unapologised else None
    of_same_number = next((e for e in dossier.extensions if e.number == number), None)
    if of_same_number is not None and of_same_number.by == "agency":
        return _with_date(dossier, "extended", around)  # routing says it again, after a restore
    if of_same_number is not None:  # both had a date at once, of which routing could not know
        number = 1 + max(each.number for each in dossier.extensions)
    extension = Extension(
        number,
        event.extended_at,
        event.due_at,
        event.agency.code,
        event.reason,
        missed_at=missed.due_at if missed else None,
    )
    named = (*dossier.extensions, extension)
    later = replace(dossier, extensions=named, due_at=extension.due_at, missed=None)
    return _with_date(later, "extended", around)


@_until_its_end
def verifying(
    dossier: Dossier, event: VerificationOpened, around: Circumstances
) -> Decision[Dossier]:
    """The law gives an extra verification time of its own: the date moves, and nobody is late."""
    step = around.procedure(dossier).step(event.step.code)
    promised_at, before = promised_dates(dossier)
    if step is None or step.verification is None:
        return _with_date(dossier, "extended", around)
    later = replace(_given(dossier, step.verification.time, around), missed=None)
    stated = DossierVerifying(
        dossier=dossier.code,
        agency=event.agency,
        step=event.step,
        reason=event.reason,
        promised_at=promised_at,
        due_before=before,
        due_at=promised_dates(later)[1],
        stated_at=around.now,
    )
    return Decision(later, (stated,))


@_until_its_end
def branch_chosen(
    dossier: Dossier, event: BranchChosen, around: Circumstances
) -> Decision[Dossier]:
    """An officer chose how it goes on: by the catalogue the date moves for some branches.

    Not one that was missed by then: what the office owes for that is an apology, whose date has room
    for the steps of the branch.
    """
    if not event.has_time:
        return Decision()
    step = around.procedure(dossier).step(event.step.code)
    choice = None if step is None else step.choice(event.branch.code)
    promised_at, before = promised_dates(dossier)
    time = None if choice is None or dossier.unapologised else choice.time
    later = dossier if time is None else _given(dossier, time, around)
    stated = DossierBranched(
        dossier=dossier.code,
        agency=event.agency,
        step=event.step,
        branch=event.branch,
        promised_at=promised_at,
        due_before=before,
        due_at=promised_dates(later)[1],
        stated_at=around.now,
    )
    return Decision(later, (stated,))


def _given(dossier: Dossier, time: Duration, around: Circumstances) -> Dossier:
    """The dossier with its dates so much later, as the law gives it; the first promise stays."""
    calendar, (_, before) = around.calendar(dossier), promised_dates(dossier)
    adjusted = due(dossier.adjusted_due_at or before, time, calendar)
    return replace(dossier, due_at=due(before, time, calendar), adjusted_due_at=adjusted)


def _with_date(dossier: Dossier, because: Because, around: Circumstances) -> Decision[Dossier]:
    """The date that follows is stated anew, so that the last word on it is intake's."""
    promised_at, due_at = promised_dates(dossier)
    stated = DeadlineStated(
        dossier=dossier.code,
        because=because,
        clock="stands" if dossier.paused_since else "runs",
        promised_at=promised_at,
        due_at=due_at,
        stated_at=around.now,
    )
    return Decision(dossier, (stated,))
