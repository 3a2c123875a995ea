"""The golden vectors of deadlines, and what must hold for every calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.calendar import Duration, Session, WorkingCalendar, due
from shared.kernel.clock import VN, to_vn
from shared.kernel.errors import MissingCalendar

MORNING = Session(time(7, 30), time(11, 30))
AFTERNOON = Session(time(13, 30), time(17, 30))
FULL = (MORNING, AFTERNOON)


def days(*texts: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in texts)


def span(first: str, last: str) -> frozenset[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return frozenset(start + timedelta(days=n) for n in range((end - start).days + 1))


# Days off as announced, and the working Saturdays that were swapped for them.
OFF = (
    days("2022-01-03", "2022-04-11", "2022-05-02", "2022-05-03", "2022-09-01", "2022-09-02")
    | days("2023-01-02", "2023-09-01", "2023-09-04", "2024-01-01", "2024-04-18", "2024-04-29")
    | days("2024-04-30", "2024-05-01", "2024-09-02", "2024-09-03", "2025-01-01", "2025-04-07")
    | days("2025-04-30", "2025-05-01", "2025-05-02", "2025-09-01", "2025-09-02", "2026-01-01")
    | days("2026-01-02", "2026-04-27", "2026-04-30", "2026-05-01", "2026-08-31", "2026-09-01")
    | days("2026-09-02", "2026-11-24")
    | span("2022-01-31", "2022-02-04")
    | span("2023-01-20", "2023-01-26")
    | span("2023-05-01", "2023-05-03")
    | span("2024-02-08", "2024-02-14")
    | span("2025-01-27", "2025-01-31")
    | span("2026-02-16", "2026-02-20")
)
EXTRA = dict.fromkeys(days("2024-05-04", "2025-04-26", "2026-01-10", "2026-08-22"), FULL)
OFFICE = WorkingCalendar(
    weekly=dict.fromkeys(range(5), FULL),
    off=OFF,
    extra=EXTRA,
    years=frozenset(range(2022, 2027)),
)
SHORT = WorkingCalendar(
    weekly=dict.fromkeys(range(5), (MORNING, Session(time(13, 30), time(17, 0)))),
    off=OFF,
    extra=EXTRA,
    years=frozenset(range(2022, 2027)),
)
POLICE = WorkingCalendar(
    weekly={**dict.fromkeys(range(5), FULL), 5: (MORNING,)},
    off=OFF,
    years=frozenset(range(2022, 2027)),
)


def vn(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VN).astimezone(UTC)


def told(at: datetime) -> str:
    return to_vn(at).strftime("%Y-%m-%d %H:%M")


GOLDEN = [
    ("2023-10-27 09:32", 5, "2023-11-03 09:32", "plain; a real receipt"),
    ("2022-03-25 14:00", 20, "2022-04-25 14:00", "ancestors' day in lieu"),
    ("2024-04-26 09:00", 1, "2024-05-02 09:00", "29 April swapped off"),
    ("2024-04-26 09:00", 3, "2024-05-04 09:00", "working Saturday 2024"),
    ("2025-04-25 10:00", 1, "2025-04-26 10:00", "working Saturday 2025"),
    ("2025-12-31 16:00", 1, "2026-01-05 16:00", "1 and 2 January off"),
    ("2026-01-09 09:00", 1, "2026-01-10 09:00", "working Saturday January 2026"),
    ("2026-02-13 16:30", 1, "2026-02-23 16:30", "Tết"),
    ("2026-08-21 15:00", 1, "2026-08-22 15:00", "working Saturday August 2026"),
    ("2026-08-28 08:00", 1, "2026-09-03 08:00", "National Day"),
    ("2026-11-23 16:00", 1, "2026-11-25 16:00", "the new holiday of 24 November"),
    ("2026-11-20 17:45", 1, "2026-11-23 17:30", "after closing"),
    ("2026-11-21 09:00", 1, "2026-11-23 17:30", "filed online at the weekend"),
    ("2026-11-20 12:10", 1, "2026-11-23 11:30", "at lunch: four hours and four hours"),
]


@pytest.mark.parametrize(("received", "count", "expected", "why"), GOLDEN)
def test_working_days_end_where_the_golden_vectors_say(received, count, expected, why):
    promised = due(vn(received), Duration(count, "working_day"), OFFICE)
    assert told(promised) == expected, why
    assert promised.tzinfo is UTC


def test_a_working_day_is_the_nominal_day_of_the_office_not_eight_hours():
    assert SHORT.nominal_day_minutes == 450
    assert told(SHORT.add_days(vn("2023-10-27 09:32"), 5)) == "2023-11-03 09:32"
    assert told(SHORT.add_minutes(vn("2023-10-27 09:32"), 5 * 480)) == "2023-11-03 14:02"


def test_a_saturday_morning_does_not_change_the_nominal_day_and_is_spent():
    assert POLICE.nominal_day_minutes == 480
    assert told(POLICE.add_days(vn("2022-03-18 15:30"), 1)) == "2022-03-21 09:30"


def test_an_answer_on_a_session_end_is_the_earlier_instant():
    assert told(OFFICE.add_minutes(vn("2022-03-01 07:30"), 240)) == "2022-03-01 11:30"
    assert told(OFFICE.add_minutes(vn("2022-03-01 07:30"), 480)) == "2022-03-01 17:30"
    assert told(OFFICE.next_opening(vn("2022-03-01 11:30"))) == "2022-03-01 13:30"
    assert told(OFFICE.next_opening(vn("2022-03-04 17:30"))) == "2022-03-07 07:30"


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2022-03-01 06:00", "2022-03-01 17:30"),
        ("2022-03-01 14:59", "2022-03-01 17:30"),
        ("2022-03-01 15:00", "2022-03-01 17:30"),
        ("2022-03-01 15:01", "2022-03-02 17:30"),
        ("2022-03-04 16:00", "2022-03-07 17:30"),
        ("2022-03-05 09:00", "2022-03-07 17:30"),
    ],
)
def test_same_day_procedures_go_by_the_three_o_clock_rule(received, expected):
    assert told(due(vn(received), Duration(1, "same_day"), OFFICE)) == expected


def test_a_same_day_cutoff_of_its_own_is_kept():
    early = Duration(1, "same_day", cutoff=time(10, 0))
    assert told(due(vn("2022-03-01 10:30"), early, OFFICE)) == "2022-03-02 17:30"


def test_plain_days_run_over_the_weekend_and_move_off_a_day_off():
    assert told(due(vn("2022-03-01 09:00"), Duration(10, "day"), OFFICE)) == "2022-03-11 09:00"
    assert told(due(vn("2022-03-01 09:00"), Duration(11, "day"), OFFICE)) == "2022-03-14 09:00"
    assert told(due(vn("2022-04-29 09:00"), Duration(1, "day"), OFFICE)) == "2022-05-04 09:00"


def test_plain_days_that_end_on_a_shorter_day_end_within_its_sessions():
    assert told(due(vn("2022-03-17 16:00"), Duration(2, "day"), POLICE)) == "2022-03-19 11:30"


def test_hours_run_on_the_wall_clock_or_in_sessions_as_the_rule_says():
    assert told(due(vn("2022-03-04 16:30"), Duration(24, "hour"), OFFICE)) == "2022-03-05 16:30"
    assert (
        told(due(vn("2022-03-04 16:30"), Duration(2, "working_hour"), OFFICE)) == "2022-03-07 08:30"
    )


@pytest.mark.parametrize("unit", ["working_day", "day", "hour", "working_hour", "same_day"])
def test_a_year_without_a_calendar_is_refused(unit):
    with pytest.raises(MissingCalendar) as refused:
        due(vn("2026-12-31 17:45"), Duration(24, unit), OFFICE)
    assert refused.value.year == 2027
    assert "2027" in refused.value.vi


def test_a_calendar_with_overlapping_or_no_sessions_cannot_be_made():
    with pytest.raises(ValueError, match="overlap"):
        WorkingCalendar(weekly={0: (MORNING, MORNING)})
    with pytest.raises(ValueError, match="at least one"):
        WorkingCalendar(weekly={0: ()})
    with pytest.raises(ValueError, match="must end after"):
        Session(time(9), time(9))


def test_a_sunday_opening_is_working_time():
    friendly = WorkingCalendar(
        weekly=dict.fromkeys(range(5), FULL),
        extra={date(2022, 3, 6): (MORNING,)},
        years=frozenset({2022}),
    )
    assert friendly.is_working_day(date(2022, 3, 6))
    assert told(friendly.add_minutes(vn("2022-03-04 17:00"), 60)) == "2022-03-06 08:00"


# --- what holds for any instant, any amount and each shape of calendar -----------------------

instants = st.datetimes(
    datetime(2022, 1, 1),
    datetime(2026, 8, 1),
    timezones=st.just(UTC),
)
amounts = st.integers(0, 30 * 480)
calendars = st.sampled_from([OFFICE, SHORT, POLICE])


@given(calendars, instants, amounts, amounts)
def test_spending_is_additive(calendar, start, one, other):
    whole = calendar.add_minutes(start, one + other)
    assert calendar.add_minutes(calendar.add_minutes(start, one), other) == whole


@given(calendars, instants, instants, amounts)
def test_spending_is_monotone_in_the_start(calendar, a, b, minutes):
    first, second = sorted((a, b))
    assert calendar.add_minutes(first, minutes) <= calendar.add_minutes(second, minutes)


@given(calendars, instants, amounts, amounts)
def test_spending_is_monotone_in_the_amount(calendar, start, one, other):
    less, more = sorted((one, other))
    early, late = calendar.add_minutes(start, less), calendar.add_minutes(start, more)
    assert early <= late
    assert early != late or less == more


@given(calendars, instants, amounts)
def test_what_was_spent_can_be_counted_again(calendar, start, minutes):
    assert calendar.minutes_between(start, calendar.add_minutes(start, minutes)) == minutes


@given(calendars, instants, amounts)
def test_no_deadline_lies_outside_the_sessions(calendar, start, minutes):
    end = to_vn(calendar.add_minutes(start, minutes))
    sessions = calendar.sessions_on(end.date())
    assert any(each.start <= end.time() <= each.end for each in sessions)


@given(calendars, instants, st.integers(0, 40), st.sampled_from(["day", "working_day"]))
def test_a_promise_is_never_before_the_reception(calendar, start, count, unit):
    assert due(start, Duration(count, unit), calendar) >= start


@given(calendars, instants, instants)
def test_the_time_between_two_instants_turns_its_sign_with_them(calendar, a, b):
    assert calendar.minutes_between(a, b) == -calendar.minutes_between(b, a)


@given(calendars, instants)
def test_the_next_opening_is_open_and_not_before(calendar, at):
    opening = calendar.next_opening(at)
    assert opening >= at
    assert calendar.minutes_between(at, opening) == 0
    assert calendar.minutes_between(opening, opening + timedelta(minutes=1)) in (0, 1)


@given(calendars, instants, amounts, st.integers(1, 20_000))
def test_the_instant_before_a_deadline_leaves_just_so_much_time(calendar, since, minutes, length):
    end = calendar.add_minutes(since, length)
    before = calendar.minutes_before(end, minutes, since)
    if before is None:
        assert minutes >= length
    else:
        assert since < before < end or minutes == 0
        assert calendar.minutes_between(before, end) == minutes
