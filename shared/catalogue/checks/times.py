"""Budgets of the steps against the legal time of the procedure, along the longest path.

Everything is brought to working days: five of seven calendar days work, an hour is a 24th of a
calendar day, a working hour a share of the shortest office day. Steps that stop the clock and
steps after the result take nothing of the legal time.
"""

from __future__ import annotations

from fractions import Fraction

from shared.catalogue.model import Procedure, Step
from shared.catalogue.read import Folder
from shared.catalogue.read.calendars import OfficeCalendar
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
        path = longest_path(found.value, shortest)
        spent = sum((_days(step.budget, shortest) for step in path), Fraction(0))
        legal = _days(found.value.duration, shortest)
        if spent > legal:
            way = " -> ".join(f"{step.code} ({_words(step.budget)})" for step in path)
            law = _words(found.value.duration)
            found.entry.fault(
                "steps",
                en=f"the budgets add up to {float(spent):.1f} working days, the law gives "
                f"{float(legal):.1f} ({law}): shorten {way}",
                vi=f"tổng thời gian các bước là {float(spent):.1f} ngày làm việc, luật cho "
                f"{float(legal):.1f} ({law}): hãy giảm {way}",
            )


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


def longest_path(procedure: Procedure, day_minutes: int) -> list[Step]:
    """The chain of steps that takes most of the legal time; cycles are not followed twice."""
    steps = {step.code: step for step in procedure.steps}
    found: dict[str, tuple[Fraction, list[Step]]] = {}

    def to(step: Step, seen: frozenset[str]) -> tuple[Fraction, list[Step]]:
        if step.code in found:
            return found[step.code]
        before = _longest(
            [to(steps[code], seen | {code}) for code in step.after if code in steps.keys() - seen]
        )
        counts = not (step.pauses_clock or step.after_result or step.budget is None)
        cost = _days(step.budget, day_minutes) if counts else Fraction(0)
        found[step.code] = (before[0] + cost, [*before[1], step] if counts else before[1])
        return found[step.code]

    return _longest([to(step, frozenset({step.code})) for step in steps.values()])[1]


def _longest(ways: list[tuple[Fraction, list[Step]]]) -> tuple[Fraction, list[Step]]:
    return max(ways, key=lambda way: way[0], default=(Fraction(0), []))
