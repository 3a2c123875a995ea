"""Steps that go back, are verified, wait, and lie elsewhere, through the whole city."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.catalogue import load
from shared.kernel.calendar import Duration, due
from shared.kernel.clock import parse_instant
from simulation.kit import City, Receipt, filing, open_city
from tests.catalogue.invented import (
    CHOICE,
    PARTY,
    PLACE,
    TIMES,
    TODAYS_SECOND,
    VERIFICATION,
    with_invented,
)

WARD, OTHER = "ubnd-phuong-cao-lanh", "ubnd-phuong-my-tra"
POOR = "1.011607"
# Monday 2026-03-16, 08:30 in Cao Lãnh: version 2 of it is in force.
THEN = datetime(2026, 3, 16, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One for all: each test has dossiers of its own."""
    folder = tmp_path_factory.mktemp("steps")
    book = load(with_invented(folder / "catalogue"))
    with open_city(folder / "city", at=THEN, catalogue=book) as opened:
        yield opened


def filed(city: City, code: str, desk: str = WARD, **changes: Any) -> Receipt:
    receipt = city.desk(desk).file(filing(city.catalogue.procedure(code, THEN.date()), **changes))
    city.rest()
    return receipt


def titles(city: City, code: str) -> list[str]:
    return [each["title"] for each in city.desk(WARD).timeline(code)]


def test_a_meeting_sends_back_the_posting_waits_and_the_dossier_ends(city: City):
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
    city: City, way: str
):
    receipt = filed(city, VERIFICATION, number=3 + (way == "page"))
    desk, ward = city.desk(WARD), city.agency(WARD)
    before = desk.get(receipt.code)
    by_queue = city.agency(WARD, way="queue")
    (task,) = (by_queue if way == "queue" else ward).tasks(receipt.code)
    reason = "Đối chiếu với sổ gốc ở Phường 2"
    assert task.may == ["verification_needed"]
    if way == "queue":
        by_queue.verify(task.id, reason)
    else:
        hands, where = ward.browser(), f"/nhiem-vu/{task.id}"
        assert "Mở xác minh bổ sung" in hands.get(where).text
        said = {"kind": "verification_needed", "answer_id": "xm-1", "reason": reason}
        hands.post(f"{where}/tra-loi", said)
    city.rest()
    now = desk.get(receipt.code)
    calendar = city.catalogue.calendar(WARD)
    expected = due(parse_instant(before["due_at"]), Duration(5, "working_day"), calendar)
    assert parse_instant(now["due_at"]) == expected
    assert now["promised_at"] == before["promised_at"]
    assert "Ngày hẹn trả lùi theo luật vì xác minh bổ sung" in titles(city, receipt.code)
    assert "xác minh bổ sung" in city.citizen(receipt.code, receipt.word).page()
    slip = desk.browser().get(f"/ho-so/{receipt.code}/phieu-kiem-soat").text
    assert "xác minh bổ sung" in slip
    for _ in range(2):
        ward.grant(ward.tasks(receipt.code)[0])
        city.rest()
    assert desk.status(receipt.code) == 9
    told = [sent.moment for sent in city.sent(receipt.code) if sent.channel == "sms"]
    assert told == ["received", "verifying", "resolved"]


def test_an_officer_chooses_the_branch_once_and_the_citizen_is_told_the_later_date(city: City):
    """By the page, with nothing lost where nothing was chosen; by the queue, which names the ways."""
    receipt = filed(city, CHOICE, number=11)
    desk, ward = city.desk(WARD), city.agency(WARD)
    before = desk.get(receipt.code)
    (task,) = city.agency(WARD, way="queue").tasks(receipt.code)
    assert task.branches == ["archive", "survey"]
    hands, where = ward.browser(), f"/nhiem-vu/{task.id}"
    assert "Đo đạc lại (hẹn trả lùi 10 ngày làm việc)" in hands.get(where).text
    said = {"kind": "completed", "outcome": "granted", "document": "7/TTr"}
    refused = hands.post(f"{where}/tra-loi", said | {"answer_id": "cn-1"})
    assert "Bước này phải chọn cách giải quyết tiếp" in refused.text
    assert "7/TTr" in refused.text
    hands.post(f"{where}/tra-loi", said | {"answer_id": "cn-2", "branch": "survey"})
    city.rest()
    assert "Đo đạc lại" in hands.get(where).text
    now = desk.get(receipt.code)
    expected = due(
        parse_instant(before["due_at"]),
        Duration(10, "working_day"),
        city.catalogue.calendar(WARD),
    )
    assert parse_instant(now["due_at"]) == expected
    assert now["promised_at"] == before["promised_at"]
    name = city.catalogue.agency(WARD).name
    told = titles(city, receipt.code)
    assert f"{name} chọn: Đo đạc lại" in told
    assert "Ngày hẹn trả lùi theo luật vì cách giải quyết đã chọn" in told
    assert "chọn cách giải quyết" in city.citizen(receipt.code, receipt.word).page()
    assert "chọn: Đo đạc lại" in desk.browser().get(f"/ho-so/{receipt.code}/phieu-kiem-soat").text
    done = []
    while open_ := [each for each in ward.tasks(receipt.code) if each.id != task.id]:
        done.append(open_[0].data["step"]["code"])
        ward.grant(open_[0])
        city.rest()
    assert done == ["measure", "check", "sign"]
    assert desk.status(receipt.code) == 9
    sms = [sent.moment for sent in city.sent(receipt.code) if sent.channel == "sms"]
    assert sms == ["received", "branched", "resolved"]


def test_a_neighbour_is_told_what_is_named_for_them_and_the_desk_sees_it(city: City):
    """Entered on the page, where a mistake loses nothing; mended by REST; told by their own consent."""
    desk = city.desk(WARD)
    hands, where = desk.browser(), f"/ho-so/moi/{PARTY}"
    assert "Hộ giáp ranh" in hands.get(where).text
    said = {
        "channel": "direct", "f.matter": "Đo ranh", "p.don.original": "1",
        "c.name": "Nguyễn Thị Sáu", "c.phone": "0907100001", "c.sms": "1", "c.language": "vi",
        "t.giap-ranh.name": "Trần Văn Ranh", "t.giap-ranh.sms": "1", "t.giap-ranh.language": "vi",
    }  # fmt: skip
    refused = hands.post(where, said)
    assert "phải có số điện thoại" in refused.text
    assert "Trần Văn Ranh" in refused.text
    contact = {"name": "Trần Văn Ranh", "phone": "0907100002", "consent": {"sms": True}}
    receipt = filed(city, PARTY, number=12, parties={"giap-ranh": contact})
    held = desk.get(receipt.code)
    assert held["parties"]["giap-ranh"]["phone"] == "+84907100002"
    mended = {**contact, "phone": "0907100003"}
    own = {"name": "Nguyễn Thị Sáu", "phone": "0907100001", "consent": {"sms": True}}
    desk.act(receipt.code, "contact", {**own, "parties": {"giap-ranh": mended}})
    city.rest()
    assert desk.get(receipt.code)["parties"]["giap-ranh"]["phone"] == "+84907100003"
    page = desk.browser().get(f"/ho-so/{receipt.code}").text
    assert "Trần Văn Ranh – 0907100003" in page
    ward = city.agency(WARD)
    (task,) = ward.tasks(receipt.code)
    assert "Trần Văn" not in str(task.data), "no agency hears of them"
    ward.grant(task)
    city.rest()
    told = titles(city, receipt.code)
    assert sum(each.startswith("Đã báo người liên quan (giap-ranh)") for each in told) == 2
    texts = [s.text or "" for s in city.sent(receipt.code) if "ranh gioi" in (s.text or "")]
    assert len(texts) == 2
    assert not [each for each in texts if receipt.word in each or "Sáu" in each]


def test_the_promise_and_the_step_follow_the_way_of_filing_the_case_and_the_branch(city: City):
    calendar, desk = city.catalogue.calendar(WARD), city.desk(WARD)
    for number, (matter, branches, days, check) in enumerate(
        [("Thường", [], 10, 2), ("Khó", ["card"], 15, 9)], 5
    ):
        receipt = filed(city, TIMES, number=number, form={"matter": matter}, branches=branches)
        promised = parse_instant(desk.get(receipt.code)["promised_at"])
        assert promised == due(city.now(), Duration(days, "working_day"), calendar)
        (task,) = city.agency(WARD).tasks(receipt.code)
        assert parse_instant(task.due_at or "") == due(
            city.now(), Duration(check, "working_day"), calendar
        )
        paper = desk.browser().get(f"/ho-so/{receipt.code}/giay-hen").text
        assert f"{days} ngày làm việc" in paper


def test_the_ward_where_the_land_lies_has_the_task_whichever_desk_received_it(city: City):
    form = {"land_ward": "Xã Mỹ Ngãi"}
    for number, desk in enumerate((OTHER, WARD, TODAYS_SECOND), 7):
        receipt = filed(city, PLACE, desk, number=number, form=form)
        # The commune of that name is no more: the ward that has its area is competent.
        (task,) = city.agency("ubnd-phuong-my-ngai").tasks(receipt.code)
        assert task.data["form"] == form
