"""How a promise moves with the time that stood still: by the rule, and never twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.deadline import Rules, start_clock, stop_clock
from services.intake.domain.dossier import Extension
from shared.kernel.calendar import Duration, due
from tests.intake.made import CALENDAR, NOW, PROCEDURE, dossier, rules, vn

RESTART = replace(rules(), restart=True)


def after_pause(since, until, *, held=None, how=None):
    how = how or rules()
    held = held or dossier()
    return start_clock(stop_clock(held, since, restart=how.restart), until, how)


def test_time_that_stood_still_is_given_back_in_session_time():
    moved = after_pause(vn(2022, 3, 2, 10), vn(2022, 3, 4, 14))
    assert moved.due_at == vn(2022, 3, 10, 11)
    assert moved.adjusted_due_at == moved.due_at
    assert moved.pauses[0].adjusted_due_after == moved.adjusted_due_at


def test_a_pause_over_a_weekend_alone_moves_nothing():
    moved = after_pause(vn(2022, 3, 4, 17, 30), vn(2022, 3, 7, 7, 30))
    assert moved.due_at == vn(2022, 3, 8, 9)


def test_restart_gives_the_whole_period_from_the_complete_papers():
    moved = after_pause(vn(2022, 3, 2, 10), vn(2022, 3, 4, 14), how=RESTART)
    assert moved.due_at == vn(2022, 3, 11, 14)


def test_a_date_already_missed_stays_missed():
    moved = after_pause(vn(2022, 3, 9, 10), vn(2022, 3, 11, 14), how=RESTART)
    assert moved.due_at == vn(2022, 3, 8, 9)


def test_plain_days_run_on_the_wall_clock_and_move_off_a_day_off():
    procedure = replace(PROCEDURE, duration=Duration(10, "day"))
    held = dossier(procedure=procedure)  # due Fri 11 March 09:00
    assert held.due_at == vn(2022, 3, 11, 9)
    moved = after_pause(vn(2022, 3, 2, 9), vn(2022, 3, 3, 9), held=held, how=rules(procedure))
    assert moved.due_at == vn(2022, 3, 14, 9)


def test_wall_hours_move_by_the_wall_clock():
    procedure = replace(PROCEDURE, duration=Duration(24, "hour"))
    held = dossier(procedure=procedure)
    moved = after_pause(vn(2022, 3, 1, 20), vn(2022, 3, 2, 1), held=held, how=rules(procedure))
    assert moved.due_at == vn(2022, 3, 2, 14)


def test_a_date_given_during_a_pause_is_only_moved_by_the_rest_of_it():
    held = stop_clock(dossier(), vn(2022, 3, 2, 9), restart=False)
    new = Extension(1, vn(2022, 3, 3, 9), vn(2022, 3, 15, 9), "thue", "x")
    held = replace(held, extensions=(new,), due_at=new.due_at)
    moved = start_clock(held, vn(2022, 3, 4, 9), rules())
    assert moved.due_at == vn(2022, 3, 16, 9)
    assert moved.adjusted_due_at == vn(2022, 3, 10, 9)


pauses = st.lists(st.tuples(st.integers(1, 4000), st.integers(0, 4000)), max_size=4)


@given(pauses, st.integers(1, 15), st.booleans())
def test_the_time_really_worked_is_the_legal_time_however_often_it_stood_still(
    spans, days, restart
):
    how = Rules(Duration(days, "working_day"), CALENDAR, restart)
    procedure = replace(PROCEDURE, duration=how.duration)
    held, at, last_resume = dossier(procedure=procedure), NOW, NOW
    worked = 0
    for wait, length in spans:
        since, until = at + timedelta(minutes=wait), at + timedelta(minutes=wait + length)
        assert held.due_at is not None
        if held.due_at < since:
            break
        worked += CALENDAR.minutes_between(last_resume, since)
        held = start_clock(stop_clock(held, since, restart=restart), until, how)
        at = last_resume = until
        if restart:
            worked = 0
            assert held.due_at >= due(until, how.duration, CALENDAR)
    assert held.promised_at == due(NOW, how.duration, CALENDAR)
    assert held.due_at == held.adjusted_due_at
    if not restart:
        assert held.due_at is not None
        left = CALENDAR.minutes_between(last_resume, held.due_at)
        assert worked + left == days * CALENDAR.nominal_day_minutes
