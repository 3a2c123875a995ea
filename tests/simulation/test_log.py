"""Reading an event log for replay: what is used, what is listed as unusable, how dates move."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.kernel.clock import to_vn
from shared.kernel.errors import InvalidInput
from simulation.log import Activity, into_years, load_terms, read_log
from simulation.replaying import parts

HEADER = "case,channel,start,activity,group,timestamp\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "log.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_rows_become_cases_in_the_order_of_their_first_event(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        HEADER + "b,Desk,,Work,g,2022-03-02 10:00:00+01:00\n"
        "a,Internet,,Receipt,g,2022-03-01 09:00:00+01:00\n"
        "b,Desk,,Receipt,g,2022-03-02 09:00:00+01:00\n",
    )
    log = read_log(file, load_terms())
    assert [(case.id, case.channel, len(case.activities)) for case in log.cases] == [
        ("a", "online", 1),
        ("b", "direct", 2),
    ]
    assert [each.name for each in log.cases[1].work] == ["Work"]


def test_the_hour_on_the_wall_of_the_log_is_kept(tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + "a,Post,,Receipt,g,2022-03-01 09:30:00+01:00\n")
    submitted = to_vn(read_log(file, load_terms()).cases[0].submitted_at)
    assert (submitted.hour, submitted.minute) == (9, 30)


def test_rows_that_cannot_be_used_are_listed_with_line_and_reason(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        HEADER + ",Desk,,Receipt,g,2022-03-01 09:00:00\n"
        "a,Pigeon,,Receipt,g,2022-03-01 09:00:00\n"
        "b,Desk,,Receipt,g,yesterday\n"
        "c,Desk,,,g,2022-03-01 09:00:00\n"
        "d,Desk,,Receipt,g,2022-03-01 09:00:00\n",
    )
    log = read_log(file, load_terms())
    assert [case.id for case in log.cases] == ["d"]
    assert [row.line for row in log.unusable] == [2, 3, 4, 5]
    assert "Pigeon" in log.unusable[1].en
    assert all(row.vi and row.en for row in log.unusable)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_log(written(tmp_path, "case,channel\n1,Desk\n"), load_terms())
    assert [fault.place for fault in refused.value.faults] == ["activity", "timestamp"]


def test_dates_move_by_whole_weeks_into_years_that_have_a_calendar(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        HEADER + "a,Desk,,Receipt,g,2010-10-04 09:00:00\nb,Desk,,Receipt,g,2011-09-16 11:00:00\n",
    )
    log = read_log(file, load_terms())
    moved = into_years(log, frozenset({2021, 2022}))
    before, after = log.cases[0].submitted_at, moved.cases[0].submitted_at
    assert moved.shifted_weeks == 574
    assert (after.year, after.weekday(), after.time()) == (2021, before.weekday(), before.time())
    assert moved.cases[1].submitted_at.year == 2022


def test_a_log_of_known_years_is_left_alone(tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + "a,Desk,,Receipt,g,2022-03-01 09:00:00\n")
    log = read_log(file, load_terms())
    assert into_years(log, frozenset({2021, 2022})) == log


def test_a_log_longer_than_all_calendars_is_refused(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        HEADER + "a,Desk,,Receipt,g,2001-10-04 09:00:00\nb,Desk,,Receipt,g,2011-09-16 11:00:00\n",
    )
    with pytest.raises(InvalidInput):
        into_years(read_log(file, load_terms()), frozenset({2021, 2022}))


def test_activities_are_shared_out_over_the_steps_in_order_and_none_is_lost() -> None:
    work = [Activity(str(n), datetime(2022, 3, n + 1, tzinfo=UTC)) for n in range(5)]
    shared = parts(work, ["one", "two", "three"])
    assert [each.name for step in shared.values() for each in step] == ["0", "1", "2", "3", "4"]
    assert {step: len(own) for step, own in shared.items()} == {"one": 1, "two": 2, "three": 2}
