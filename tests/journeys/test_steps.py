"""Steps that go back, are verified, wait, and lie elsewhere, through the whole city."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.catalogue import Catalogue, load
from shared.kernel.calendar import Duration, due
from shared.kernel.clock import parse_instant
from simulation.kit import City, Receipt, filing, open_city
from tests.catalogue.invented import PLACE, SECOND, TIMES, VERIFICATION, with_invented

WARD, CITY_DESK = "ubnd-phuong-1", "mot-cua-thanh-pho"
POOR = "1.011607"
# Monday 2026-03-16, 08:30 in Cao Lãnh: version 2 of it is in force.
THEN = datetime(2026, 3, 16, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return load(with_invented(tmp_path_factory.mktemp("invented") / "catalogue"))


def filed(city: City, code: str, desk: str = WARD, **changes: Any) -> Receipt:
    receipt = city.desk(desk).file(filing(city.catalogue.procedure(code, THEN.date()), **changes))
    city.rest()
    return receipt


def titles(city: City, code: str) -> list[str]:
    return [each["title"] for each in city.desk(WARD).timeline(code)]


def test_a_meeting_sends_back_the_posting_waits_and_the_dossier_ends(tmp_path: Path):
    with open_city(tmp_path, at=THEN) as city:
        receipt, ward = filed(city, POOR), city.agency(WARD)
        (task,) = ward.tasks(receipt.code)
        ward.grant(task)
        city.rest()
        (meeting,) = ward.tasks(receipt.code)
        page = ward.browser().get(f"/nhiem-vu/{meeting.id}").text
        assert "Trả về bước trước" in page
        assert "Lập danh sách, chấm điểm hộ" in page
        ward.send_back(meeting.id, "Dưới một nửa số người dự họp đồng ý")
        city.rest()
        (again,) = ward.tasks(receipt.code)
        assert again.data["step"]["code"] == "score"
        for _ in range(2):
            ward.grant(ward.tasks(receipt.code)[0])
            city.rest()
        assert ward.tasks(receipt.code) == [], "a waiting period is nobody's task"
        assert city.desk(WARD).status(receipt.code) == 4
        city.advance(timedelta(days=4))
        (decide,) = ward.tasks(receipt.code)
        ward.grant(decide)
        city.rest()
        assert city.desk(WARD).status(receipt.code) == 9
        name = city.catalogue.agency(WARD).name
        told = titles(city, receipt.code)
        assert f"{name}: hết thời gian chờ" in told
        assert f"{name} trả hồ sơ về bước trước (lần 1): Lập danh sách, chấm điểm hộ" in told
        slip = city.desk(WARD).browser().get(f"/ho-so/{receipt.code}/phieu-kiem-soat").text
        assert "trả về bước Lập danh sách, chấm điểm hộ" in slip
        assert "làm lại" in slip


@pytest.mark.parametrize("way", ["queue", "page"])
def test_an_extra_verification_moves_the_date_and_the_citizen_is_told_without_an_apology(
    tmp_path: Path, book: Catalogue, way: str
):
    with open_city(tmp_path, at=THEN, catalogue=book) as city:
        receipt = filed(city, VERIFICATION)
        ward = city.agency(WARD, way="queue" if way == "queue" else "door")
        before = city.desk(WARD).get(receipt.code)
        (task,) = ward.tasks(receipt.code)
        reason = "Đối chiếu với sổ gốc ở Phường 2"
        if way == "queue":
            assert task.may == ["verification_needed"]
            ward.verify(task.id, reason)
        else:
            where = f"/nhiem-vu/{task.id}"
            hands = ward.browser()
            assert "Mở xác minh bổ sung" in hands.get(where).text
            hands.post(f"{where}/tra-loi", {"kind": "verification_needed", "reason": reason})
        city.rest()
        now = city.desk(WARD).get(receipt.code)
        five = Duration(5, "working_day")
        expected = due(parse_instant(before["due_at"]), five, book.calendar(WARD))
        assert parse_instant(now["due_at"]) == expected
        assert now["promised_at"] == before["promised_at"]
        assert [s.moment for s in city.sent(receipt.code)].count("verifying") == 1
        assert "Ngày hẹn trả lùi theo luật vì xác minh bổ sung" in titles(city, receipt.code)
        city.play()
        city.rest()
        assert city.desk(WARD).status(receipt.code) == 9
        assert "extended" not in [s.moment for s in city.sent(receipt.code)]
        slip = city.desk(WARD).browser().get(f"/ho-so/{receipt.code}/phieu-kiem-soat").text
        assert "xác minh bổ sung" in slip


def test_the_promise_and_the_step_follow_the_way_of_filing_the_case_and_the_branch(
    tmp_path: Path, book: Catalogue
):
    with open_city(tmp_path, at=THEN, catalogue=book) as city:
        calendar = book.calendar(WARD)
        for number, (matter, branches, days, check) in enumerate(
            [("Thường", [], 10, 2), ("Khó", ["card"], 15, 9)], 1
        ):
            receipt = filed(city, TIMES, number=number, form={"matter": matter}, branches=branches)
            promised = parse_instant(city.desk(WARD).get(receipt.code)["promised_at"])
            assert promised == due(THEN, Duration(days, "working_day"), calendar)
            (task,) = city.agency(WARD).tasks(receipt.code)
            assert parse_instant(task.due_at or "") == due(
                THEN, Duration(check, "working_day"), calendar
            )
            paper = city.desk(WARD).browser().get(f"/ho-so/{receipt.code}/giay-hen").text
            assert f"{days} ngày làm việc" in paper


def test_the_ward_where_the_land_lies_has_the_task_whichever_desk_received_it(
    tmp_path: Path, book: Catalogue
):
    with open_city(tmp_path, at=THEN, catalogue=book) as city:
        for number, desk in enumerate((CITY_DESK, WARD, SECOND), 1):
            form = {"land_ward": "Xã Mỹ Ngãi"}
            receipt = filed(city, PLACE, desk, number=number, form=form)
            (task,) = city.agency("ubnd-xa-my-ngai").tasks(receipt.code)
            assert task.data["form"] == form
