"""Days as they are typed: read as they are written here, never with day and month exchanged."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.clock import VN
from shared.kernel.days import read_day, read_moment, read_month
from shared.kernel.numbers import Unreadable

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
WAYS = ["{:%d/%m/%Y}", "{:%d-%m-%Y}", "{:%d.%m.%Y}", "{:%d %m %Y}", "{:%d%m%Y}", "{:%Y-%m-%d}",
        "{0.day}/{0.month}/{0.year}", " {0.day} / {0.month} / {0.year} "]  # fmt: skip


@given(DAYS, st.sampled_from(WAYS))
def test_every_day_is_read_as_it_was_written(day, way):
    assert read_day(way.format(day)) == day


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 9999), st.sampled_from("/-. "))
def test_the_day_stands_first_or_nothing_is_read(day, month, year, between):
    for text in (f"{day}{between}{month}{between}{year:04}", f"{day:02}{month:02}{year:04}"):
        read = read_day(text)
        assert isinstance(read, Unreadable) or (read.day, read.month, read.year) == (
            day,
            month,
            year,
        )


@pytest.mark.parametrize("text", ["０５/０３/２０２２", "\u200b05/03/2022", "05\u00a0/03/2022"])
def test_odd_letters_are_the_plain_ones(text):
    assert read_day(text) == date(2022, 3, 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("03/13/2022", "Không có tháng 13. Ghi ngày trước, tháng sau"),
        ("02/30/2022", "Không có tháng 30."),
        ("29/02/2023", "Tháng 2/2023 không có ngày 29."),
        ("0/3/2022", "không có ngày 0"),
        ("5/3/22", "Năm phải đủ bốn chữ số."),
        ("050322", "Không đọc được ngày này."),
        ("20220305", "Không có tháng 22."),
        ("2022/03/05", "Không đọc được ngày này."),
        ("2022-3-5", "Không đọc được ngày này."),
        ("5/3/1822", "Năm phải từ 1900 đến 2100."),
        ("0000-00-00", "Không có tháng 0."),
        ("hôm nay", "dd/mm/yyyy, ví dụ 05/03/2022"),
        ("", "Không đọc được"),
        ("5/3/2022/1", "Không đọc được"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused_with_how_to_write_it(text, said):
    read = read_day(text)
    assert isinstance(read, Unreadable)
    assert said in read.vi
    assert not any(digit in read.en for digit in "0123456789")


@pytest.mark.parametrize("text", ["3/2022", "03/2022", "032022", "03-2022", "2022-03", " 3 . 2022"])
def test_a_month_is_read(text):
    assert read_month(text) == date(2022, 3, 1)


@pytest.mark.parametrize("text", ["13/2022", "2022", "3/22", "2022-13", "x", "", "1/3/2022"])
def test_what_is_no_month_is_refused(text):
    assert isinstance(read_month(text), Unreadable)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("05/03/2022", (17, 0)),
        ("16:30 5/3/2022", (16, 30)),
        ("5/3/2022 16:30", (16, 30)),
        ("16h30 05032022", (16, 30)),
        ("16g05, 5-3-2022", (16, 5)),
        ("2022-03-05T16:30", (16, 30)),
    ],
)
def test_a_moment_is_on_the_clock_of_viet_nam(text, hour):
    assert read_moment(text) == datetime(2022, 3, 5, *hour, tzinfo=VN)


@pytest.mark.parametrize("text", ["25:00 05/03/2022", "16:30", "5/13/2022 16:30", "mai", ""])
def test_what_is_no_moment_is_refused(text):
    assert isinstance(read_moment(text), Unreadable)
