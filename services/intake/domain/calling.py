"""Calls that the desk is asked for: whom no message reached, what to say, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal, get_args

from services.intake.domain.circumstances import Circumstances
from services.intake.domain.dossier import Call, Dossier
from services.intake.domain.statuses import Status
from services.intake.domain.waits import must_allow
from shared.events.decision import Decision
from shared.events.event import Event
from shared.events.intake import CitizenCalled
from shared.events.notify import AddressFailed, CallDropped, CitizenUnreachable, StopChanged
from shared.kernel.errors import Fault, InvalidInput, ParkNow
from shared.kernel.text import msgid

Outcome = Literal["reached", "called_back", "no_answer", "wrong_number", "met"]
#: What an officer may say of a call -> in words.
OUTCOMES: Final = {
    "reached": msgid("Đã gặp, đã nói"),
    "called_back": msgid("Công dân đã gọi lại, đã nói"),
    "no_answer": msgid("Không ai nghe máy, sẽ gọi lại"),
    "wrong_number": msgid("Sai số, không phải người này"),
}
SMS: Final = "sms"
#: Of a version that did not say whether somebody has to call: after these the citizen has to act.
_MATTERS: Final = frozenset(
    {
        "refused", "supplement_requested", "supplement_reminder", "supplement_extended",
        "supplement_dropped", "payment_requested", "resolved", "extended", "stopped",
    }
)  # fmt: skip


def unreachable(
    dossier: Dossier | None, event: CitizenUnreachable, around: Circumstances
) -> Decision[Dossier]:
    """A message that matters reached nobody: somebody has to call, also after the dossier's end."""
    dossier = _known(dossier)
    if event.party is not None:
        return Decision()  # nobody has to call them: they have nothing to do here
    if event.call is None and event.moment not in _MATTERS:
        return Decision()
    call = Call(event.moment, event.at, event.call, event.words)
    if dossier.status in (Status.RETURNED, Status.WITHDRAWN):
        told = _answered(dossier.code, (call,), "met", around.now) if event.call else ()
        return Decision(events=told)
    if event.call is None and dossier.call_since is not None:
        return Decision()
    return Decision(with_calls(dossier, (*dossier.calls, call)))


def dropped(dossier: Dossier | None, event: CallDropped, _: Circumstances) -> Decision[Dossier]:
    """A message has arrived after all: nobody has to call about that any more."""
    dossier = _known(dossier)
    left = tuple(call for call in dossier.calls if call.id != event.call)
    return Decision() if left == dossier.calls else Decision(with_calls(dossier, left))


def failed(dossier: Dossier | None, event: AddressFailed, _: Circumstances) -> Decision[Dossier]:
    """Nothing arrives at the number or mailbox: the desk sees it, and asks for another."""
    dossier = _known(dossier)
    if event.channel in dossier.bounced:
        return Decision()
    return Decision(replace(dossier, bounced=(*dossier.bounced, event.channel)))


def stop_changed(
    dossier: Dossier | None, event: StopChanged, _: Circumstances
) -> Decision[Dossier]:
    """The citizen has ended what is sent by this way, or begun it again: the desk sees it."""
    dossier = _known(dossier)
    others = tuple(each for each in dossier.opted_out if each != event.channel)
    after = (*others, event.channel) if event.stopped else others
    if after == dossier.opted_out:
        return Decision()
    return Decision(replace(dossier, opted_out=after))


def called(
    dossier: Dossier, around: Circumstances, *, outcome: str = "reached"
) -> Decision[Dossier]:
    """Take down what came of a call; where nobody answered the desk is to call again."""
    must_allow(dossier, "called")
    if outcome not in OUTCOMES:
        said = ", ".join(OUTCOMES)
        fault = Fault("outcome", "Chọn kết quả cuộc gọi.", f"one of: {said}")
        raise InvalidInput([fault])
    known: Outcome = next(each for each in get_args(Outcome) if each == outcome)
    events = _answered(dossier.code, dossier.calls, known, around.now)
    if outcome == "no_answer":
        tried = tuple(
            replace(call, tries=call.tries + 1, tried_at=around.now) for call in dossier.calls
        )
        return Decision(replace(dossier, calls=tried), events)
    after = with_calls(dossier, ())
    if outcome == "wrong_number" and SMS not in after.bounced:
        after = replace(after, bounced=(*after.bounced, SMS))
    return Decision(after, events)


def met(dossier: Dossier, now: datetime) -> tuple[Dossier, tuple[Event, ...]]:
    """The desk has spoken to the citizen: nobody has to call any more."""
    asked = tuple(call for call in dossier.calls if call.id is not None)
    events = _answered(dossier.code, asked, "met", now) if asked else ()
    return with_calls(dossier, ()), events


def with_calls(dossier: Dossier, calls: tuple[Call, ...]) -> Dossier:
    """The dossier with these calls to be made."""
    since = min((call.since for call in calls), default=None)
    return replace(dossier, calls=calls, call_since=since)


def _answered(
    code: str, calls: Sequence[Call], outcome: Outcome, now: datetime
) -> tuple[CitizenCalled, ...]:
    ids = tuple(call.id for call in calls if call.id is not None)
    return (CitizenCalled(dossier=code, called_at=now, outcome=outcome, calls=ids),)


def _known(dossier: Dossier | None) -> Dossier:
    if dossier is None:
        raise ParkNow(
            "a fact names a dossier that was never filed here",
            vi="Bản tin nói về một hồ sơ chưa từng được nộp ở đây.",
        )
    return dossier
