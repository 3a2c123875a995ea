"""The pages of an agency without a system of its own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from services.routing.web import words
from tests.routing.town import LAND, Town
from tests.routing.worlds import CALENDAR, NOW
from tests.staff import carry_here

CODE = "000.00.01.H20-220301-0001"


@pytest.fixture
def signed_in(small_town: Town) -> Town:
    """A town with a browser signed in as phuong-1 by a pass that intake gave out."""
    town = small_town
    carry_here(town.web, town.service.web, ("agency", "phuong-1"))
    return town


def token(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found is not None
    return found[1]


def send(town: Town, task: str, kind: str, **fields: str) -> Any:
    page = town.web.get(f"/nhiem-vu/{task}").get_data(as_text=True)
    form = {"csrf_token": token(page), "answer_id": f"p-{kind}", "kind": kind} | fields
    return town.web.post(f"/nhiem-vu/{task}/tra-loi", data=form)


def test_the_list_says_what_is_due_in_words_and_colours(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    fresh = town.web.get("/nhiem-vu").get_data(as_text=True)
    assert CODE in fresh
    assert 'tone-going">Còn 2 ngày' in fresh
    town.clock.set(CALENDAR.add_days(NOW, 2) - timedelta(hours=3))
    assert 'tone-waiting">Còn 3 giờ' in town.web.get("/nhiem-vu").get_data(as_text=True)
    town.clock.advance(timedelta(hours=5))
    assert 'tone-bad">Quá hạn 2 giờ' in town.web.get("/nhiem-vu").get_data(as_text=True)


def test_what_is_near_its_date_has_a_list_of_its_own_at_both_doors(signed_in: Town) -> None:
    town, key = signed_in, signed_in.key("phuong-1")

    def listed() -> tuple[bool, int]:
        page = town.web.get("/nhiem-vu/sap-den-han").text
        told = town.web.get("/api/v1/tasks?state=near", headers=key).get_json()["items"]
        return CODE in page, len(told)

    town.receive(CODE)
    due_at = CALENDAR.add_days(NOW, 2)
    town.clock.set(due_at - timedelta(hours=24, minutes=1))
    assert listed() == (False, 0)
    town.clock.set(due_at - timedelta(hours=24))
    assert listed() == (True, 1)
    town.clock.set(due_at + timedelta(hours=1))
    assert listed() == (True, 1)
    town.grant("phuong-1")
    assert listed() == (False, 0)


def test_a_task_page_shows_what_the_step_shares_by_its_vietnamese_label(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    page = town.web.get(f"/nhiem-vu/{town.task('phuong-1')}").get_data(as_text=True)
    assert "Họ và tên mẹ" in page
    assert "Lê Thị Hoa" in page
    assert "0907123456" not in page
    assert "Tờ khai <small>(1 bản chính, 0 bản sao)" in page
    assert "Số tiền công dân phải nộp" not in page, "no payment follows this step"


def test_only_a_step_before_a_payment_is_asked_for_the_amount(small_town: Town) -> None:
    small_town.receive(CODE, LAND)
    task = small_town.task("thue")
    page = small_town.web.get(f"/nhiem-vu/{task}", headers=small_town.key("thue"))
    assert "Số tiền công dân phải nộp" in page.get_data(as_text=True)


def test_a_sum_that_could_be_two_is_refused_at_its_field(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    reply = send(town, town.task("phuong-1"), "completed", outcome="granted", amount_vnd="12500.00")
    assert reply.status_code == 422
    page = reply.get_data(as_text=True)
    assert "12500.00 có thể là 12.500 hoặc 1.250.000" in page
    assert "step.answered" not in town.names(CODE)


def test_taking_and_completing_a_task_by_buttons_moves_the_journey_on(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    task = town.task("phuong-1")
    assert send(town, task, "taken", officer="Trần Văn Cảnh").status_code == 303
    said = town.web.get(f"/nhiem-vu/{task}").get_data(as_text=True)
    assert "Đã ghi nhận: nhận nhiệm vụ." in said
    done = send(town, task, "completed", outcome="granted", result_code="KQ.1", document="05")
    assert done.status_code == 303
    town.rest()
    assert town.queue("cong-an")
    assert CODE in town.web.get("/nhiem-vu/da-xong").get_data(as_text=True)
    closed = town.web.get(f"/nhiem-vu/{task}").get_data(as_text=True)
    assert "Lê Thị Hoa" not in closed, "a closed task shows no personal data any more"


def test_asking_for_papers_and_more_time_by_buttons(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    task = town.task("phuong-1")
    until = "16:00 10/3/2022"
    assert send(town, task, "more_time_needed", until=until, reason="đông").status_code == 303
    town.rest()
    asked = town.one(CODE, "extension.requested")
    assert asked["until"] == "2022-03-10T09:00:00Z", "typed on Viet Nam's clock"
    assert "chờ lãnh đạo" in town.queue("phuong-1")[-1].data["note"]
    assert "Xin thêm thời gian</summary>" not in town.web.get(f"/nhiem-vu/{task}").text
    items = "Giấy chứng sinh\r\n\r\nẢnh"
    assert send(town, task, "supplement_needed", items=items, reason="thiếu").status_code == 303
    asked = town.one(CODE, "dossier.supplement_requested")
    assert asked["items"] == ["Giấy chứng sinh", "Ảnh"]
    assert "Không tính hạn" in town.web.get("/nhiem-vu").get_data(as_text=True)


def test_a_refusal_without_a_reason_is_shown_at_its_field(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    task = town.task("phuong-1")
    reply = send(town, task, "completed", outcome="refused", document="05/2022")
    assert reply.status_code == 422
    page = reply.get_data(as_text=True)
    assert "<li>Lý do: Không nhận kết quả: từ chối phải có lý do.</li>" in page
    assert 'value="05/2022"' in page, "what was typed is still there"
    assert "step.answered" not in town.names(CODE)


def test_pressing_a_button_twice_is_harmless(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    task = town.task("phuong-1")
    for _ in range(2):
        assert send(town, task, "refused", reason="không thuộc thẩm quyền").status_code == 303
    assert town.names(CODE).count("step.answered") == 1
    again = send(town, task, "refused", reason="lý do khác")
    assert again.status_code == 409


def test_a_form_without_its_token_is_refused(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    task = town.task("phuong-1")
    form = {"answer_id": "x", "kind": "refused", "reason": "giả mạo"}
    assert town.web.post(f"/nhiem-vu/{task}/tra-loi", data=form).status_code == 400
    assert "step.answered" not in town.names(CODE)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2022-02-20", "20/02/2022"),
        ("2022-99-99", "2022-99-99"),
        ("2022-W09-4", "2022-W09-4"),
        (True, "Có"),
        (None, "—"),
        (1250.5, "1.250,5"),
    ],
)
def test_form_values_read_as_people_write_them(given: object, shown: str) -> None:
    assert words.value(given) == shown


@pytest.mark.parametrize(
    ("unit", "shown"), [("m2", "1.250 m²"), ("vnd", "1.250 đồng"), ("ordinal", "1250")]
)
def test_a_number_is_shown_with_what_it_counts(unit: str, shown: str) -> None:
    assert words.value(1250, unit) == shown


def test_a_sum_with_its_unit_is_taken(small_town: Town) -> None:
    town = small_town
    town.receive(CODE, LAND)
    task = town.task("thue")
    carry_here(town.web, town.service.web, ("agency", "thue"))
    taken = send(town, task, "completed", outcome="granted", amount_vnd="1.250.000 đ")
    assert taken.status_code == 303
    town.rest()
    assert town.one(CODE, "dossier.payment_requested")["amount_vnd"] == 1_250_000


def test_a_day_is_never_guessed_and_what_was_typed_stays(signed_in: Town) -> None:
    town = signed_in
    town.receive(CODE)
    task = town.task("phuong-1")
    for typed, said in (
        ("03/13/2022", "Không có tháng 13"),
        ("25:00 10/3/2022", "Không có giờ này"),
    ):
        refused = send(town, task, "more_time_needed", until=typed, reason="đông")
        assert refused.status_code == 422
        page = refused.get_data(as_text=True)
        assert f'value="{typed}"' in page
        assert said in page
