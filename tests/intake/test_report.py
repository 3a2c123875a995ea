"""Form II.06a: every received dossier counted once, judged by its promise, the same for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.dossier import Pause
from services.intake.domain.report import Counts, History, count, report
from services.intake.domain.statuses import Status
from tests.intake.made import vn

START, END = vn(2022, 3, 1), vn(2022, 4, 1)
BASE = History(
    office="ubnd-phuong-1",
    field="Hộ tịch",
    channel="direct",
    status=Status.PROCESSING,
    received_at=vn(2022, 3, 10, 9),
    promised_at=vn(2022, 3, 17, 9),
    finished_at=None,
    pauses=(),
)


def done(at, status=Status.RESOLVED, **more):
    return replace(BASE, finished_at=at, status=status, **more)


@pytest.mark.parametrize(
    ("history", "column"),
    [
        (done(vn(2022, 3, 16, 17)), "resolved_early"),
        (done(vn(2022, 3, 17, 17)), "resolved_on_time"),
        (done(vn(2022, 3, 18, 8)), "resolved_late"),
        (done(vn(2022, 3, 11), Status.WITHDRAWN), "resolved_on_time"),
        (done(vn(2022, 3, 11), Status.STOPPED), "resolved_on_time"),
        (done(vn(2022, 3, 20), Status.WITHDRAWN), "resolved_late"),
        (done(vn(2022, 3, 16), Status.RETURNED), "resolved_early"),
        (BASE, "in_progress_late"),
        (replace(BASE, promised_at=vn(2022, 4, 1, 8)), "in_progress_in_time"),
        (done(vn(2022, 4, 2)), "in_progress_late"),
        (replace(BASE, pauses=(Pause(vn(2022, 3, 15)),)), "in_progress_in_time"),
        (replace(BASE, pauses=(Pause(vn(2022, 3, 20)),)), "in_progress_late"),
    ],
)
def test_each_dossier_has_its_column(history, column):
    found = count(history, START, END)
    assert found is not None
    assert found.received_other == 1
    assert getattr(found, column) == 1
    assert found.received_total == found.resolved_total + found.in_progress_total == 1


def test_what_came_before_is_carried_over_and_what_was_done_before_is_out():
    before = replace(BASE, received_at=vn(2022, 2, 20, 9))
    found = count(before, START, END)
    assert found is not None
    assert found.carried_over == 1
    assert count(replace(before, finished_at=vn(2022, 2, 28)), START, END) is None
    assert count(replace(BASE, received_at=END), START, END) is None


def test_a_pause_moves_the_date_that_judges_and_an_extension_does_not():
    paused = Pause(
        vn(2022, 3, 11),
        until=vn(2022, 3, 15),
        due_after=vn(2022, 3, 30),
        adjusted_due_after=vn(2022, 3, 21),
    )
    late = count(done(vn(2022, 3, 22), pauses=(paused,)), START, END)
    on_time = count(done(vn(2022, 3, 21, 17), pauses=(paused,)), START, END)
    assert late is not None
    assert on_time is not None
    assert (late.resolved_late, on_time.resolved_on_time) == (1, 1)


instants = st.integers(-90 * 24, 90 * 24).map(lambda hours: START + timedelta(hours=hours))


@st.composite
def histories(draw):
    received = draw(instants)
    promised = received + timedelta(hours=draw(st.integers(1, 600)))
    finished = draw(st.none() | st.integers(0, 900).map(lambda h: received + timedelta(hours=h)))
    pauses, at = [], received
    for wait, length in draw(
        st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), max_size=2)
    ):
        since, until = at + timedelta(hours=wait), at + timedelta(hours=wait + length)
        moved = promised + timedelta(hours=length)
        pauses.append(Pause(since, until=until, due_after=moved, adjusted_due_after=moved))
        at = until
    return History(
        office=draw(st.sampled_from(["a", "b"])),
        field=draw(st.sampled_from(["Hộ tịch", "Đất đai"])),
        channel=draw(st.sampled_from(["direct", "online", "postal"])),
        status=Status.RESOLVED if finished else Status.PROCESSING,
        received_at=received,
        promised_at=promised,
        finished_at=finished,
        pauses=tuple(pauses),
    )


@given(st.lists(histories(), max_size=25))
def test_received_is_always_resolved_and_in_progress_together(found):
    rows = report(found, START, END)
    for row in rows:
        assert row.counts.received_total == row.counts.resolved_total + row.counts.in_progress_total
    total = sum((row.counts for row in rows), Counts())
    assert total.received_total == sum(count(h, START, END) is not None for h in found)


@given(st.lists(histories(), max_size=25))
def test_what_is_in_progress_at_the_end_is_carried_into_the_next_period(found):
    following = END + timedelta(days=30)
    first = sum((r.counts for r in report(found, START, END)), Counts())
    second = sum((r.counts for r in report(found, END, following)), Counts())
    assert second.carried_over == first.in_progress_total


@given(st.lists(histories(), max_size=25))
def test_a_past_period_gives_the_same_answer_whenever_it_is_asked(found):
    # As it would have been asked at the very end of the period, knowing nothing of what followed.
    then = [
        replace(
            h,
            finished_at=h.finished_at if h.finished_at and h.finished_at < END else None,
            status=h.status if h.finished_at and h.finished_at < END else Status.PROCESSING,
            pauses=tuple(
                p if p.until and p.until <= END else Pause(p.since)
                for p in h.pauses
                if p.since < END
            ),
        )
        for h in found
        if h.received_at < END
    ]
    assert report(found, START, END) == report(then, START, END)


def test_in_a_period_that_still_runs_nothing_is_late_before_its_time():
    early = count(BASE, START, END, now=vn(2022, 3, 16))
    late = count(BASE, START, END, now=vn(2022, 3, 18))
    assert early is not None
    assert late is not None
    assert (early.in_progress_in_time, late.in_progress_late) == (1, 1)
