"""One moment, one person, several ways: what follows for the others from how one of them stands.

The ways are tried one after the other, each once: where one fails, or gives no word in its time, the
next goes; the last may be a call of the desk. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.notify.domain.contacts import CALL
from services.notify.domain.messages import (
    EXPIRED,
    TOO_SLOW,
    Message,
    moment_lost,
    unreachable,
)
from services.notify.domain.states import LOST, State
from shared.events.event import Event
from shared.events.notify import CallDropped

#: One that is in a sender's hands is looked at again so much later.
SOON: Final = timedelta(minutes=10)
_GONE: Final = (State.SPARED, State.CANCELLED, State.RECALLED)
_NOT_GONE: Final = (
    State.STANDBY,
    State.QUEUED,
    State.HELD,
    State.FAILED,
    State.TO_CALL,
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a way is waited for: one that took the letter or not, and one nobody knows of."""

    next_after: timedelta
    uncertain_after: timedelta


def follow(
    group: Sequence[Message], now: datetime, patience: Patience | None, *, final: bool = False
) -> tuple[list[Message], list[Event]]:
    """The messages of one moment and person that change, and what happened by it.

    `final`: what was sent has arrived as far as anybody will ever know. Without `patience` no time
    is planned: whoever looks by the clock does that.
    """
    rungs = sorted(group, key=lambda message: message.rung)
    if any(each.state is State.DELIVERED for each in rungs):
        return _all(rungs, _NOT_GONE, State.SPARED, now)
    standing = [each for each in rungs if each.state is State.STANDBY]
    tried = [each for each in rungs if each.state is not State.STANDBY]
    if not standing or not tried:
        return _lost(rungs, now)
    last = tried[-1]
    if last.state in _GONE:
        return _all(standing, (State.STANDBY,), last.state, now, last.reason)
    if last.state is State.SENT and final:
        return _all(standing, (State.STANDBY,), State.SPARED, now)
    return _climb(last, standing, now, patience)


def _climb(
    last: Message, standing: Sequence[Message], now: datetime, patience: Patience | None
) -> tuple[list[Message], list[Event]]:
    upcoming = standing[0]
    if last.state in LOST:
        return _next(last, standing, now)
    at = _planned(last, upcoming, patience)
    if at is None or at > now or patience is None:
        return ([replace(upcoming, next_at=at)] if at != upcoming.next_at else []), []
    if last.state is State.SENDING:
        return [replace(upcoming, next_at=now + SOON)], []
    if last.state in (State.QUEUED, State.HELD, State.FAILED):
        slow = last.moved(State.UNDELIVERABLE, now, next_at=None, reason=TOO_SLOW)
        changed, events = _next(slow, standing, now)
        return [slow, *changed], events
    return _next(last, standing, now)


def _planned(last: Message, upcoming: Message, patience: Patience | None) -> datetime | None:
    """When the next way has its turn, should nothing be heard of this one; None: not by the clock."""
    if patience is None or (last.state is State.SENDING and upcoming.next_at is not None):
        return upcoming.next_at
    if last.state is State.SENT:
        return (last.sent_at or last.changed_at) + patience.next_after
    if last.state is State.UNCERTAIN:
        return last.changed_at + patience.uncertain_after
    # A gateway that is away for hours is no reason for the desk to call everybody.
    if last.state is State.FAILED and upcoming.channel != CALL:
        return upcoming.next_at or last.changed_at + patience.next_after
    return upcoming.next_at if last.state is not State.FAILED else None


def _next(
    last: Message, standing: Sequence[Message], now: datetime
) -> tuple[list[Message], list[Event]]:
    upcoming, *others = standing
    if upcoming.good_until is not None and now >= upcoming.good_until:
        return _all(standing, (State.STANDBY,), State.CANCELLED, now, EXPIRED)
    rest = [replace(each, next_at=None) for each in others if each.next_at is not None]
    if upcoming.channel != CALL:
        return [upcoming.moved(State.QUEUED, now, next_at=now, reason=None), *rest], []
    asked, event = call(upcoming, last.reason or last.state.value, now)
    return [asked, *rest], [event]


def call(message: Message, reason: str, now: datetime) -> tuple[Message, Event]:
    """The desk is asked to call, for this reason."""
    asked = message.moved(State.TO_CALL, now, next_at=None, reason=reason, told_unreachable=True)
    return asked, unreachable(asked, reason, now)


def revived(group: Iterable[Message], lost: Message, now: datetime) -> list[Message]:
    """The ways that were spared since this one was taken, which has come back: they stand by again.

    None where another has gone meanwhile, or what they say was erased.
    """
    mine = [each for each in group if (each.moment, each.role) == (lost.moment, lost.role)]
    if any(each.state in (State.SENT, State.DELIVERED) for each in mine):
        return []
    spared = (e for e in mine if e.state is State.SPARED and e.rung > lost.rung and e.body)
    return [each.moved(State.STANDBY, now) for each in spared]


def _lost(rungs: Sequence[Message], now: datetime) -> tuple[list[Message], list[Event]]:
    if not moment_lost(rungs):
        return [], []
    told = replace(rungs[-1], told_unreachable=True)
    return [told], [unreachable(told, told.reason or State.UNDELIVERABLE.value, now)]


def _all(
    group: Iterable[Message],
    states: Sequence[State],
    end: State,
    now: datetime,
    reason: str | None = None,
) -> tuple[list[Message], list[Event]]:
    """Those in these states come to this end; the desk is told where it was asked to call."""
    ending = [each for each in group if each.state in states]
    return [each.moved(end, now, next_at=None, reason=reason) for each in ending], [
        CallDropped(dossier=each.dossier, call=each.id, at=now)
        for each in ending
        if each.state is State.TO_CALL
    ]
