"""Reconciliation: an agency's sums against ours, what differs, whose turn it is, and healing it.

Nothing is asked of an agency that does not compare: what nobody there has seen is found at night.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from services.routing.domain.reconciling import (
    Compared,
    DaySum,
    Span,
    compare,
    count,
    merged,
    without,
)
from services.routing.storage import reconciliations as storage
from services.routing.storage.reconciliations import Difference
from services.routing.usecases.rules import Rules
from shared.database import Store, UnitOfWork
from shared.kernel.actor import CLOCK
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput, MissingCalendar, NotFound
from shared.messaging.advice import Both

#: Days that are looked at each night; the kit compares as many.
DAYS: Final = 7
#: Days of which anything is kept, and as far back as an agency may compare.
KEPT: Final = 31
#: Nights in which the same is sent again; then it is a person's turn.
TIMES: Final = 3
#: So long a message may be on its way.
_ON_ITS_WAY: Final = timedelta(minutes=10)
_OPERATOR: Final = ("unknown", "other_ids")


def sums(connection: sa.Connection, agency: str, today: date, days: int) -> list[DaySum]:
    """The city's sums of so many days up to today, the newest last."""
    first = today - timedelta(days=days - 1)
    return list(storage.day_sums(connection, agency, first, today).values())


def hand_in(
    uow: UnitOfWork, agency: str, given: Sequence[DaySum], *, resend: bool
) -> list[Compared]:
    """Compare an agency's sums with ours and keep what differs of days that are over.

    With `resend` what it lacks is sent again; else it fetches that itself. InvalidInput for a day
    that lies too far back, or ahead.
    """
    today = to_vn(uow.now).date()
    days = [each.day for each in given] or [today]
    _refuse_far(days, today)
    ours = storage.day_sums(uow.connection, agency, min(days), max(days))
    last = storage.last_number(uow.connection, agency)
    known = {each.day: each for each in storage.kept(uow.connection, agency)}
    told = []
    for theirs in given:
        compared = compare(ours[theirs.day], theirs, last)
        told.append(compared)
        if resend:
            storage.send_again(uow, agency, compared.missing, uow.now - _ON_ITS_WAY)
        if theirs.day < today and (compared.ours.count or compared.trouble):
            storage.put(uow, _said(known.get(theirs.day), agency, compared, uow.now))
    return told


def _refuse_far(days: Sequence[date], today: date) -> None:
    first, last = today - timedelta(days=KEPT), today + timedelta(days=1)  # clocks differ
    if not all(first <= day <= last for day in days):
        vi = f"Chỉ so được {KEPT} ngày gần đây: từ {first:%d/%m/%Y}."
        en = f"only the last {KEPT} days are compared: from {first.isoformat()} on"
        raise InvalidInput([Fault("days", vi, en)])


def _said(before: Difference | None, agency: str, compared: Compared, now: datetime) -> Difference:
    ours, trouble = compared.ours, compared.trouble
    given = before or Difference(agency, ours.day, 0, "")
    given = replace(given, count=ours.count, sha256=ours.sha256, said_at=now)
    if trouble is None:
        return _healed(given, now)
    spans = compared.unknown or compared.missing or ours.spans
    return _in_trouble(given, trouble, spans, now)


def _in_trouble(
    given: Difference, trouble: str, spans: Sequence[Span], now: datetime
) -> Difference:
    same = given.trouble == trouble
    return replace(
        given,
        trouble=trouble,
        spans=tuple(spans),
        since=given.since if given.trouble is not None else now,
        sent_again=given.sent_again if same else 0,
        healed_at=None,
    )


def _healed(given: Difference, now: datetime) -> Difference:
    if given.trouble is None:
        return given
    return replace(given, trouble=None, spans=(), healed_at=now)


# --- at night ----------------------------------------------------------------------------------


def nightly(rules: Rules) -> Callable[[Store, object], Iterator[object]]:
    """The work of a night: agency by agency, each committed when it is told."""

    def work(store: Store, _settings: object) -> Iterator[object]:
        today = to_vn(store.clock.now()).date()
        with store.begin(CLOCK) as uow:
            storage.forget_before(uow, today - timedelta(days=KEPT))
            found = storage.agencies(uow.connection, today - timedelta(days=DAYS))
        for agency in found:
            with store.begin(CLOCK) as uow:
                look_after(uow, rules, agency)
            yield agency

    return work


def look_after(uow: UnitOfWork, rules: Rules, agency: str) -> None:
    """Find what nobody at an agency has seen, close what is healed, send the rest again."""
    today = to_vn(uow.now).date()
    first, last = today - timedelta(days=DAYS), _long_enough_ago(rules, agency, today)
    known = {each.day: each for each in storage.kept(uow.connection, agency)}
    unseen = storage.unseen(uow.connection, agency, first, last)
    ours = storage.day_sums(uow.connection, agency, first, last) if unseen else {}
    for day in sorted({*known, *unseen}):
        given = known.get(day)
        if given is None:
            given = Difference(agency, day, ours[day].count, ours[day].sha256)
        now = _as_it_stands(uow, given, unseen.get(day, ()), first)
        if now.trouble in ("missing", "unseen") and now.sent_again < TIMES:
            storage.send_again(uow, agency, now.spans, uow.now - _ON_ITS_WAY)
            now = replace(now, sent_again=now.sent_again + 1)
        if now != known.get(day):
            storage.put(uow, now)


def _as_it_stands(
    uow: UnitOfWork, given: Difference, unseen: Collection[int], first: date
) -> Difference:
    if given.trouble == "missing":
        left = _unfetched(uow.connection, given)
        return replace(given, spans=left) if left else _healed(given, uow.now)
    agreed = given.said_at is not None and given.trouble is None
    if unseen and (not agreed or given.trouble == "unseen"):
        spans = merged((number, number) for number in unseen)
        return _in_trouble(given, "unseen", spans, uow.now)
    if given.trouble == "unseen" and given.day >= first:
        return _healed(given, uow.now)
    return given


def _unfetched(connection: sa.Connection, given: Difference) -> tuple[Span, ...]:
    """What of the missing numbers was not served at the door since the agency said so."""
    served = storage.served_since(
        connection, given.agency, given.said_at or storage.begins(given.day)
    )
    return without(given.spans, served)


def _long_enough_ago(rules: Rules, agency: str, today: date) -> date:
    """The last day after which the agency has had a whole working day to see what came."""
    day = today - timedelta(days=1)
    try:
        calendar = rules.catalogue.calendar(agency)
        while (today - day).days < DAYS and not calendar.is_working_day(day):
            day -= timedelta(days=1)
    except (MissingCalendar, NotFound):
        pass
    return day - timedelta(days=1)


# --- for people --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """A difference that is not healed, with whose turn it is and what to do, in words."""

    of: Difference
    numbers: int
    what: Both
    owner: Both
    step: Both


def standing(connection: sa.Connection, agency: str | None = None) -> list[Standing]:
    """What differs now, of an agency or of all; what was healed since the night is left out."""
    found = []
    for each in storage.kept(connection, agency, open_only=True):
        spans = each.spans
        if each.trouble == "missing":
            spans = _unfetched(connection, each)
        elif each.trouble == "unseen":
            still = storage.unseen(connection, each.agency, each.day, each.day)
            spans = merged((number, number) for number in still.get(each.day, ()))
        if spans:
            found.append(_standing(replace(each, spans=spans)))
    return found


def _standing(of: Difference) -> Standing:
    what, step = _WORDS[of.trouble or ""]
    owner = _CITY if of.trouble in _OPERATOR else _AGENCY
    return Standing(of, count(of.spans), what, owner, step)


_CITY: Final = Both("Vận hành của thành phố", "The city's operator")
_AGENCY: Final = Both("Cơ quan", "The agency")
_WORDS: Final = {
    "missing": (
        Both("Cơ quan thiếu những số này", "the agency lacks these"),
        Both(
            "Đã gửi lại, tối đa ba đêm. Cơ quan: chạy python -m partner reconcile.",
            "Sent again, on three nights at most. The agency: python -m partner reconcile.",
        ),
    ),
    "unseen": (
        Both("Chưa ai ở cơ quan thấy những việc này", "nobody there has seen these tasks"),
        Both(
            "Đã gửi lại, tối đa ba đêm. Cơ quan: mở các việc này, hoặc chạy chương trình nhận việc.",
            "Sent again, on three nights at most. The agency: open these, or start its program.",
        ),
    ),
    "unknown": (
        Both("Cơ quan có những số mà thành phố không có", "the agency has these, the city has not"),
        Both(
            "Cơ sở dữ liệu bị khôi phục mà chưa khai báo? Chạy lienthong restored --service routing.",
            "Was the database restored and nobody said so? lienthong restored --service routing.",
        ),
    ),
    "other_ids": (
        Both("Cùng số nhưng khác bản tin", "the same numbers, other messages"),
        Both(
            "So sổ giao nhận của ngày này với cơ quan; cơ sở dữ liệu có lẽ đã khôi phục mà chưa khai báo.",
            "Compare the book of this day with the agency; was a restored database not declared?",
        ),
    ),
}
