"""Agencies and heads read their pages in the language that they chose; nothing of them is left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.english import vietnamese_of
from tests.routing.test_agency_pages import send
from tests.routing.town import Town
from tests.routing.worlds import NOW
from tests.staff import carry_here

CODES = [f"000.00.01.H20-220301-000{number}" for number in range(1, 5)]
#: Names, what is shared of the citizen, what was typed, and the notes on record (written in Vietnamese).
DATA = (
    "Nguyễn Thị Hoa", "UBND Phường 1", "Cơ quan", "Bước", "Thủ tục", "Họ và tên trẻ", "Tờ khai",
    "Bé An", "Lê Thị Hoa", "Họ và tên mẹ", "Thiếu trang", "Không thuộc nơi này",
)  # fmt: skip


@pytest.fixture
def town(small_town: Town) -> Town:
    small_town.receive(CODES[0])
    return small_town


def given(town: Town) -> list[str]:
    """Tasks of phuong-1, one for each state that a page shows."""
    found = [town.task("phuong-1")]
    for code in CODES[1:]:
        town.receive(code)
        found.append(town.task("phuong-1"))
    return found


def reads_english(town: Town, *who: tuple[str, str]) -> None:
    carry_here(town.web, town.service.web, *who)
    assert town.web.get("/nhiem-vu?lang=en", follow_redirects=True).status_code in (200, 403)


def is_english(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    assert '<html lang="en"' in answer.text
    assert vietnamese_of(answer.text, DATA) == []
    return str(answer.text)


def test_no_page_of_an_agency_in_english_holds_vietnamese(town: Town) -> None:
    reads_english(town, ("agency", "phuong-1"))
    done, papers, longer, late = given(town)
    assert "2 days left" in is_english(town.web.get("/nhiem-vu"))
    answers: tuple[tuple[str, str, dict[str, str]], ...] = (
        (done, "taken", {"officer": "Mai"}),
        (done, "completed", {"outcome": "granted", "document": "1/2022"}),
        (papers, "supplement_needed", {"items": "Thiếu trang", "reason": "Thiếu trang"}),
        (longer, "more_time_needed", {"until": "17:00 10/03/2022", "reason": "Thiếu trang"}),
    )
    for task, kind, fields in answers:
        send(town, task, kind, **fields)
        town.rest()
        is_english(town.web.get(f"/nhiem-vu/{task}"))
    town.clock.set(NOW + timedelta(days=9))
    for path in ("", "/sap-den-han", "/da-xong", "/so-giao-nhan", f"/{late}"):
        is_english(town.web.get(f"/nhiem-vu{path}"))
    faulty = send(town, late, "completed", outcome="refused", amount_vnd="x", until="mai")
    told = is_english(faulty, 422)
    assert "Not sent. Please correct:" in told
    assert "lang=vi" not in told, "the link would lose what is typed"
    asked = send(town, late, "not_ours", reason="Không thuộc nơi này")
    assert "Hand this task on?" in is_english(asked)
    assert "Nhiệm vụ đang mở" in town.web.get("/nhiem-vu?lang=vi").text


def test_no_page_of_a_head_in_english_holds_vietnamese(town: Town) -> None:
    town.answer("phuong-1", "not_ours", town.task("phuong-1"), reason="Không thuộc nơi này")
    reads_english(town, ("head", "phuong-1"))
    for path in ("dieu-phoi", "cac-co-quan", "so-giao-nhan", "so-giao-nhan?co_quan=phuong-1"):
        is_english(town.web.get(f"/nhiem-vu/{path}"))


def test_the_book_as_a_file_stays_as_it_is_kept(town: Town) -> None:
    carry_here(town.web, town.service.web, ("agency", "phuong-1"))
    path = "/nhiem-vu/so-giao-nhan.xlsx"
    files = [town.web.get(f"{path}?lang={each}").data for each in ("vi", "en")]
    assert texts(files[0]) == texts(files[1])
    assert "Sổ giao nhận" in texts(files[0])


def texts(data: bytes) -> str:
    import io

    import openpyxl

    rows = openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True)
    return "\n".join(str(row) for row in rows)


def test_what_programs_read_does_not_turn_with_the_language(town: Town) -> None:
    key = town.key("phuong-1")
    told = [
        town.web.get(f"/api/v1/tasks/none?lang={each}", headers=key).get_json()
        for each in ("vi", "en")
    ]
    assert told[0]["detail"] == told[1]["detail"]
