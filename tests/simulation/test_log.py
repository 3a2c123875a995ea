"""Reading an event log for replay: what is used, what is listed as unusable, how dates move."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


ROWS = "case,channel,activity,timestamp\nHS-1,Desk,Nộp,2022-03-01T08:00:00\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1258"])
def test_a_file_is_read_however_excel_saved_it(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    text = ROWS.replace(",", separator).replace("\n", "\r\n")
    if encoding == "cp1258":  # that page has letters and marks apart
        text = text.replace("Nộp", "Nô\u0323p")
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    file = tmp_path / "log.csv"
    file.write_bytes(mark + text.encode(encoding))
    log = read_log(file, load_terms())
    assert [each.name for each in log.cases[0].activities] == ["Nộp"]
    assert log.unusable == ()


def test_the_line_that_tells_excel_its_separator_and_blank_lines_are_no_rows(
    tmp_path: Path,
) -> None:
    file = written(
        tmp_path, "sep=;\r\n\r\n" + ROWS.replace(",", ";") + ";;;\r\nx;Desk;Nộp;soon\r\n"
    )
    log = read_log(file, load_terms())
    assert [case.id for case in log.cases] == ["HS-1"]
    assert [row.line for row in log.unusable] == [6]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"PK\x03\x04" + bytes(range(256)), "CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "CSV UTF-8"),
        (b"\xff\xfec\x00a", "CSV UTF-8"),
        (b"case\0channel", "CSV UTF-8"),
        (bytes(range(256)) * 4, "CSV UTF-8"),
        (b"", "case"),
        (b"a" * 200_000 + b",b\n", "cột"),
    ],
)
def test_what_is_no_csv_is_refused_with_what_to_do(tmp_path: Path, raw: bytes, said: str) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes(raw)
    with pytest.raises(InvalidInput) as refused:
        read_log(file, load_terms())
    assert said in refused.value.faults[0].vi


@pytest.mark.parametrize("time", ["2022-W09-2T08:00", "01/03/2022 08:00", "20220301T0800"])
def test_a_time_that_could_be_another_is_no_time_and_the_right_way_is_named(
    tmp_path: Path, time: str
) -> None:
    log = read_log(written(tmp_path, HEADER + f"a,Desk,,Receipt,g,{time}\n"), load_terms())
    assert "2022-03-01 08:00" in log.unusable[0].vi


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(b"case,channel,activity,timestamp\n" + raw)
    with suppress(InvalidInput):
        log = read_log(file, load_terms())
        assert all(row.line > 1 for row in log.unusable)
