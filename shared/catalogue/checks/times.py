"""Budgets of the steps against the legal time of the procedure, along the longest path.

Everything is brought to working days: five of seven calendar days work, an hour is a 24th of a
calendar day, a working hour a share of the shortest office day. Steps that stop the clock and
steps after the result take nothing of the legal time. Where times differ by the way of filing, the
case or the branch, each kind of dossier is looked at, and each way that officers may choose, with the
time that it adds; a loop and an extra verification are not in.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from shared.catalogue.model import Procedure
from shared.catalogue.read import Folder
from shared.catalogue.read.calendars import OfficeCalendar
from shared.catalogue.step import Step
from shared.kernel.calendar import Duration, WorkingCalendar

CALENDAR_DAY = Fraction(5, 7)
USUAL_DAY = 480  # minutes, where no calendar could be read


def check_times(folder: Folder) -> None:
    """Every procedure version."""
    shortest = min(
        (_day_minutes(found.value) for found in folder.calendars if found.value.weekly),
        default=USUAL_DAY,
    )
    for found in folder.procedures:
        for kind in _kinds(found.value):
            path = longest_path(found.value, shortest, kind)
            spent = sum((_days(step.time(*kind), shortest) for step in path), Fraction(0))
            time = found.value.legal_time(*kind)
            legal = _days(time, shortest) + _added(found.value, kind, shortest)
            if spent <= legal:
                continue
            way = " -> ".join(f"{step.code} ({_words(step.time(*kind))})" for step in path)
            law = _words(time) + _named(kind)
            found.entry.fault(
                "steps",
                en=f"the budgets add up to {float(spent):.1f} working days, the law gives "
                f"{float(legal):.1f} ({law}): shorten {way}",
                vi=f"tổng thời gian các bước là {float(spent):.1f} ngày làm việc, luật cho "
                f"{float(legal):.1f} ({law}): hãy giảm {way}",
            )
            break


class Kind(NamedTuple):
    """Dossiers that have the same times."""

    channel: str
    form: dict[str, str | None]
    branches: frozenset[str]


def _kinds(procedure: Procedure) -> Iterator[Kind]:
    """Every kind that the other times tell apart; one alone where there are none.

    The branches that no time asks for are all chosen: that is the longest way.
    """
    others = [*procedure.other_times, *(o for step in procedure.steps for o in step.other_times)]
    channels = {o.channel for o in others if o.channel}
    ways = list(dict.fromkeys(c if c in channels else "" for c in procedure.channels))
    cases: dict[str, dict[str | None, None]] = {}
    for other in others:
        if other.field:
            cases.setdefault(other.field, {None: None})[other.value] = None
    asked = sorted({o.branch for o in others if o.branch})
    always = frozenset(b.code for b in procedure.branches) - set(asked)
    chosen = [[branch, None] for branch in asked]
    chosen += [[each.code for each in step.chooses] for step in procedure.steps if step.chooses]
    for channel, answers, there in product(ways, product(*cases.values()), product(*chosen)):
        form = dict(zip(cases, answers, strict=True))
        yield Kind(channel, form, always | {branch for branch in there if branch})


def _added(procedure: Procedure, kind: Kind, day_minutes: int) -> Fraction:
    """What the branches that officers chose add to the legal time."""
    given = (each for step in procedure.steps for each in step.chooses)
    times = (each.time for each in given if each.code in kind.branches)
    return sum((_days(time, day_minutes) for time in times), Fraction(0))


def _named(kind: Kind) -> str:
    answers = [f"{name}: {value}" for name, value in kind.form.items() if value]
    told = ", ".join([*([kind.channel] if kind.channel else []), *answers])
    return f", {told}" if told else ""


def _day_minutes(calendar: OfficeCalendar) -> int:
    return WorkingCalendar(weekly=calendar.weekly).nominal_day_minutes


def _words(duration: Duration | None) -> str:
    if duration is None:
        return "-"
    return "same_day" if duration.unit == "same_day" else f"{duration.value} {duration.unit}"


def _days(duration: Duration | None, day_minutes: int) -> Fraction:
    """A duration in working days."""
    if duration is None:
        return Fraction(0)
    each = {
        "same_day": Fraction(1),
        "working_day": Fraction(1),
        "day": CALENDAR_DAY,
        "working_hour": Fraction(60, day_minutes),
        "hour": CALENDAR_DAY / 24,
    }[duration.unit]
    return each if duration.unit == "same_day" else each * duration.value


def longest_path(procedure: Procedure, day_minutes: int, kind: Kind) -> list[Step]:
    """The chain of steps that takes most of the legal time; cycles are not followed twice."""
    steps = {step.code: step for step in procedure.steps}
    found: dict[str, tuple[Fraction, list[Step]]] = {}

    def to(step: Step, seen: frozenset[str]) -> tuple[Fraction, list[Step]]:
        if step.code in found:
            return found[step.code]
        before = _longest(
            [to(steps[code], seen | {code}) for code in step.after if code in steps.keys() - seen]
        )
        there = step.branch is None or step.branch in kind.branches
        counts = there and not (step.pauses_clock or step.after_result)
        cost = _days(step.time(*kind), day_minutes) if counts else Fraction(0)
        found[step.code] = (before[0] + cost, [*before[1], step] if cost else before[1])
        return found[step.code]

    return _longest([to(step, frozenset({step.code})) for step in steps.values()])[1]


def _longest(ways: list[tuple[Fraction, list[Step]]]) -> tuple[Fraction, list[Step]]:
    return max(ways, key=lambda way: way[0], default=(Fraction(0), []))
