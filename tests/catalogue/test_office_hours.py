"""The two calendars of an office, and the table of days they stand on."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from shared.kernel.calendar import Duration, due
from shared.kernel.clock import VN, to_vn
from shared.kernel.errors import MissingCalendar

SUNDAY = date(2022, 3, 6)
# Published days off on weekdays, year by year; 2027 is an estimate.
WEEKDAYS_OFF = {
    2021: "01-01 02-10 02-11 02-12 02-15 02-16 04-21 04-30 05-03 09-02 09-03",
    2022: "01-03 01-31 02-01 02-02 02-03 02-04 04-11 05-02 05-03 09-01 09-02",
    2023: "01-02 01-20 01-23 01-24 01-25 01-26 05-01 05-02 05-03 09-01 09-04",
    2024: "01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03",
    2025: "01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02",
    2026: "01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24",
    2027: "01-01 02-04 02-05 02-08 02-09 02-10 04-16 04-30 05-03 09-02 09-03 11-24",
}
GOLDEN = [
    ("2023-10-27 09:32", 5, "2023-11-03 09:32"),
    ("2022-03-25 14:00", 20, "2022-04-25 14:00"),
    ("2024-04-26 09:00", 1, "2024-05-02 09:00"),
    ("2024-04-26 09:00", 3, "2024-05-04 09:00"),
    ("2025-04-25 10:00", 1, "2025-04-26 10:00"),
    ("2025-12-31 16:00", 1, "2026-01-05 16:00"),
    ("2026-01-09 09:00", 1, "2026-01-10 09:00"),
    ("2026-02-13 16:30", 1, "2026-02-23 16:30"),
    ("2026-08-21 15:00", 1, "2026-08-22 15:00"),
    ("2026-08-28 08:00", 1, "2026-09-03 08:00"),
    ("2026-11-23 16:00", 1, "2026-11-25 16:00"),
    ("2026-11-20 17:45", 1, "2026-11-23 17:30"),
    ("2026-11-21 09:00", 1, "2026-11-23 17:30"),
    ("2026-11-20 12:10", 1, "2026-11-23 11:30"),
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VN)


@pytest.mark.parametrize(("received", "days", "promised"), GOLDEN)
def test_the_city_s_own_table_gives_the_golden_dates(city, received, days, promised):
    clock = city.calendar("mot-cua-thanh-pho")
    assert due(at(received), Duration(days, "working_day"), clock) == at(promised)


@pytest.mark.parametrize("year", WEEKDAYS_OFF)
def test_the_table_holds_the_published_days_off(city, year):
    off = {
        f"{day.date:%m-%d}"
        for day in city.holidays
        if day.date.year == year and day.kind == "off" and day.date.weekday() < 5
    }
    assert off == set(WEEKDAYS_OFF[year].split())


def test_swapped_saturdays_work_and_every_row_names_its_source(city):
    swapped = {day.date for day in city.holidays if day.kind == "working"}
    assert swapped == {date(2024, 5, 4), date(2025, 4, 26), date(2026, 1, 10), date(2026, 8, 22)}
    assert all(day.source for day in city.holidays)
    assert city.holidays_source


def test_on_the_friendly_sunday_the_desk_is_open_and_the_clock_is_not(city):
    desk, clock = city.reception("ubnd-phuong-2"), city.calendar("ubnd-phuong-2")
    assert desk.is_working_day(SUNDAY)
    assert not clock.is_working_day(SUNDAY)
    assert not city.reception("ubnd-phuong-1").is_working_day(SUNDAY)
    filed = at("2022-03-06 08:00")
    assert to_vn(clock.next_opening(filed)) == at("2022-03-07 07:30")
    assert to_vn(due(filed, Duration(1, "working_day"), clock)) == at("2022-03-07 17:30")


def test_a_holiday_closes_the_friendly_sunday_too(city):
    assert not city.reception("ubnd-phuong-2").is_working_day(date(2022, 4, 10))


def test_wednesday_at_phuong_11_needs_no_appointment(city):
    wednesday = date(2022, 3, 9)
    assert city.no_appointment("ubnd-phuong-11", wednesday)
    assert not city.no_appointment("ubnd-phuong-11", date(2022, 3, 10))
    assert not city.no_appointment("ubnd-phuong-1", wednesday)


def test_the_police_take_dossiers_on_saturday_morning_and_count_from_monday(city):
    saturday = date(2022, 3, 5)
    assert city.reception("cong-an-cao-lanh").is_working_day(saturday)
    assert not city.calendar("cong-an-cao-lanh").is_working_day(saturday)


def test_a_year_without_a_table_is_refused(city):
    with pytest.raises(MissingCalendar):
        due(at("2027-12-31 09:00"), Duration(3, "working_day"), city.calendar("bhxh-cao-lanh"))
