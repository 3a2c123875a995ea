"""How near a date is, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.web.due import Due, time_left


@pytest.mark.parametrize(
    ("left", "units", "word", "tone"),
    [
        (timedelta(days=2, hours=3, minutes=4), 2, "Còn 2 ngày 3 giờ", "going"),
        (timedelta(days=2, hours=3, minutes=4), 1, "Còn 2 ngày", "going"),
        (timedelta(days=2, minutes=4), 2, "Còn 2 ngày", "going"),
        (timedelta(days=1), 2, "Còn 1 ngày", "waiting"),
        (timedelta(hours=5, minutes=30), 2, "Còn 5 giờ 30 phút", "waiting"),
        (timedelta(hours=5, minutes=30), 1, "Còn 5 giờ", "waiting"),
        (timedelta(seconds=59), 2, "Còn 0 phút", "waiting"),
        (-timedelta(minutes=7, seconds=30), 1, "Quá hạn 7 phút", "bad"),
        (-timedelta(days=3, hours=1), 1, "Quá hạn 3 ngày", "bad"),
    ],
)
def test_what_is_left_is_said_in_as_many_units_as_asked_for(
    left: timedelta, units: int, word: str, tone: str
) -> None:
    assert time_left(left, units=units) == Due(word, tone)
