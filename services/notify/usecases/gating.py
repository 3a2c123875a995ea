"""Asked of claimed messages just before they go: whether each still holds, and is due by the hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notify.domain.contacts import OPTED_OUT
from services.notify.domain.courtesy import Around, Barred, Drop, Go, Hold, judge
from services.notify.domain.ladder import Patience
from services.notify.domain.messages import APPLICANT, OVER_BUDGET, Message, held
from services.notify.domain.states import State
from services.notify.storage import beside, stops
from services.notify.storage.messages import Messages
from services.notify.usecases.telling import follow_up, hold, stop_told
from shared.catalogue.model import TellingRule
from shared.database import UnitOfWork
from shared.kernel.clock import to_vn


@dataclass(frozen=True, slots=True)
class Manners:
    """How citizens are told at an instant (UTC): by the catalogue's rule of that day."""

    rule: Callable[[datetime], TellingRule]

    def patience(self, now: datetime) -> Patience:
        """How long a way is waited for."""
        rule = self.rule(now)
        return Patience(
            timedelta(hours=rule.next_after_hours), timedelta(hours=rule.uncertain_after_hours)
        )


def without_hours(rule: TellingRule) -> TellingRule:
    """The rule of a city in which nothing waits (`LIENTHONG_COURTESY=off`)."""
    return replace(rule, quiet_from=None, together_minutes=0, most_a_day=None, most_per_dossier={})


def gate(uow: UnitOfWork, claimed: Sequence[Message], manners: Manners) -> list[Message]:
    """Those that go now; the others are held, or come to their end, in this unit."""
    if not claimed:
        return []
    now, day = uow.now, to_vn(uow.now).date()
    rule = manners.rule(now)
    known = beside.around(uow.connection, claimed, day)
    going, stayed, fresh = [], [], {}
    parts = Counter[tuple[str, str, str]]()
    for message in claimed:
        address = beside.digest(uow.connection, message.to)
        person = (message.dossier, message.role)
        others = known.beside.get(person, ())
        contact, today = known.contacts.get(person), known.today.get(address, 0)
        stopped = known.stopped.get(person, set())
        way = *person, message.channel
        verdict = judge(message, Around(others, contact, today, stopped, parts[way]), rule, now)
        if not isinstance(verdict, Go):
            stayed.append(_stayed(message, verdict, now))
            continue
        going.append(replace(message, to=verdict.to))
        parts[way] += message.parts
        if message.is_citizens and message.tries <= 1:
            known.today[address] = fresh[address] = today + 1
    _write(uow, claimed, going, stayed, manners)
    if rule.most_a_day is not None:
        beside.count_up(uow.connection, fresh, day)
    return going


def _stayed(message: Message, verdict: Hold | Drop | Barred, now: datetime) -> Message:
    if isinstance(verdict, Hold):
        return held(message, verdict.until, verdict.reason, now)
    if isinstance(verdict, Drop):
        gone = message.moved(State.CANCELLED, now, next_at=None, reason=verdict.reason)
        return replace(gone, tries=message.tries - 1)
    if verdict.reason == OPTED_OUT:
        ended = message.moved(State.OPTED_OUT, now, next_at=None, reason=verdict.reason)
        return replace(ended, tries=message.tries - 1)
    if verdict.reason == OVER_BUDGET:
        unsent = message.moved(State.SKIPPED, now, next_at=None, reason=verdict.reason)
        return replace(unsent, tries=message.tries - 1)
    return message.moved(State.UNDELIVERABLE, now, next_at=None, reason=verdict.reason)


def _write(
    uow: UnitOfWork,
    claimed: Sequence[Message],
    going: Sequence[Message],
    stayed: Sequence[Message],
    manners: Manners,
) -> None:
    before = {message.id: message.to for message in claimed}
    beside.redirect(uow.connection, [each for each in going if each.to != before[each.id]])
    ended = [each for each in stayed if each.state is not State.HELD]
    hold(uow, ended)
    for message in stayed:
        uow.get(Messages).change(message)
    out = [each for each in ended if each.role == APPLICANT and each.state is State.OPTED_OUT]
    if refused := out:
        uow.record(*stop_told(stops.untold(uow.connection, refused), uow.now))
    follow_up(uow, ended, manners.patience)
