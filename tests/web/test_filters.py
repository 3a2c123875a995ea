from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.statuses import Status
from shared.kernel.errors import Fault
from shared.web.faults import OTHERWISE, faults_of, vietnamese
from shared.web.filters import (
    status_name,
    status_tone,
    vn_date,
    vn_datetime,
    vn_money,
    vn_time,
)

LATE = datetime(2023, 11, 3, 18, 5, tzinfo=UTC)


def test_instants_read_on_the_clock_of_viet_nam():
    assert vn_datetime(datetime(2023, 11, 3, 2, 32, tzinfo=UTC)) == "09:32 ngày 03/11/2023"
    assert vn_datetime("2023-11-03T02:32:00Z") == "09:32 ngày 03/11/2023"
    assert vn_datetime(LATE) == "01:05 ngày 04/11/2023"
    assert vn_time(LATE) == "01:05"
    assert vn_date(LATE) == "04/11/2023"


def test_dates_have_no_hour_to_shift_them():
    assert vn_date(date(2023, 11, 3)) == "03/11/2023"
    assert vn_date("2023-11-03") == "03/11/2023"


def test_nothing_reads_as_a_dash():
    assert {vn_datetime(None), vn_time(""), vn_date(None), vn_money(None)} == {"—"}


def test_money_reads_in_dong():
    assert vn_money(1250000) == "1.250.000 đồng"
    assert vn_money(0) == "0 đồng"


def test_the_status_names_are_the_official_ones():
    for status in Status:
        assert status_name(status) == status.vi
        assert status_name(int(status)) == status_name(str(int(status))) == status.vi
        assert status_name(status.name) == status.vi
        assert status_tone(status) in {"new", "going", "waiting", "good", "bad", "quiet"}
    assert status_name("khác") == "khác"


@pytest.mark.parametrize(
    ("en", "vi"),
    [
        ("Missing data for required field.", "Thiếu trường bắt buộc."),
        ("Must be one of: direct, online.", "Phải là một trong: direct, online."),
        ("Must be greater than or equal to 1.", "Phải lớn hơn hoặc bằng 1."),
        (
            "Must be greater than or equal to 1 and less than or equal to 9.",
            "Phải từ 1 đến 9.",
        ),
        ("Longer than maximum length 20.", "Dài hơn 20 ký tự hoặc phần tử."),
        ("Length must be between 1 and 5.", "Độ dài phải từ 1 đến 5."),
        ("Something nobody translated.", OTHERWISE),
    ],
)
def test_messages_of_the_form_library_have_a_vietnamese_text(en, vi):
    assert vietnamese(en) == vi


def test_places_of_nested_faults_read_like_a_path():
    messages = {
        "json": {
            "papers": {0: {"code": ["Unknown field."]}},
            "form": {"json": ["Unknown field."]},
            "_schema": ["Invalid input type."],
        }
    }
    assert [fault.place for fault in faults_of(messages)] == ["papers.0.code", "form.json", ""]


def test_a_fault_of_our_own_passes_as_it_is():
    own = Fault("phone", "Số cũ.", "an old number")
    assert faults_of({"json": {"phone": [own]}}) == (own,)


@given(st.recursive(st.text(), lambda b: st.lists(b) | st.dictionaries(st.text(), b), max_leaves=9))
def test_no_shape_of_messages_is_lost_on_the_way(messages):
    assert all(fault.vi and isinstance(fault.place, str) for fault in faults_of(messages))
