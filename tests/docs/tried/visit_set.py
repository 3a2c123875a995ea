"""Run in a tree with the answer of docs/changing.md: by the door, by the queue and at the pages."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import partner
from partner.__main__ import parser
from simulation.kit import City, Desk, open_city
from simulation.kit.people import Way

OFFICE, PROCEDURE = "ubnd-phuong-1", "1.004194"
SAID = "hẹn ngày kiểm tra thực địa"
DAY = "08:30 ngày 15/03/2022"  # a day after the city's first morning


def told(desk: Desk, code: str) -> list[str]:
    timeline = desk.timeline(code)
    return [" ".join((each["title"], *each["details"])) for each in timeline]


def try_with_the_kit(city: City, way: Way) -> None:
    desk = city.desk(OFFICE)
    code = desk.submit(PROCEDURE).code
    city.rest()
    (police,) = city.agencies_of(PROCEDURE, OFFICE)
    with city.agency(police, way=way) as agency:
        (task,) = agency.tasks(code)
        client: Any = agency.client  # its new method is in the changed tree alone
        client.set_visit(task.id, city.now() + timedelta(days=1), "Số 2 Lý Thường Kiệt")
        client.flush()
        city.rest()
        assert client.refusals() == []
        assert [each.state for each in agency.tasks(code)] == ["taken"]
        (line,) = [each for each in told(desk, code) if SAID in each]
        assert f"{DAY}, Số 2 Lý Thường Kiệt" in line, line
        agency.grant(task)
    city.rest()
    assert desk.status(code) == 9, way


def try_at_the_doors(city: City) -> None:
    desk = city.desk(OFFICE)
    code = desk.submit(PROCEDURE).code
    city.rest()
    (police,) = city.agencies_of(PROCEDURE, OFFICE)
    with city.agency(police) as agency:
        (task,) = agency.tasks(code)
        missing = {"answer_id": "a-1", "kind": "visit_set"}
        reply = agency.ask("POST", f"/tasks/{task.id}/answers", body=missing)
        assert reply.status == 422, reply.text
        assert [fault["place"] for fault in reply.json()["errors"]] == ["visit_at"]
        past = {"answer_id": "a-2", "kind": "visit_set", "visit_at": "2022-03-01T08:30:00Z"}
        (fault,) = agency.ask("POST", f"/tasks/{task.id}/answers", body=past).json()["errors"]
        assert (fault["rule"], fault["place"]) == ("visit_past", "visit_at")
        assert "đã qua" in fault["vi"]
        pages, page = agency.browser(), f"/nhiem-vu/{task.id}"
        form = {"kind": "visit_set", "answer_id": "a-3", "visit_at": "2022-03-15T08:30"}
        shown = pages.post(f"{page}/tra-loi", form, page=page).text
        assert "Đã ghi nhận: hẹn ngày kiểm tra." in shown
    city.rest()
    assert any(DAY in each for each in told(desk, code))


def try_the_command() -> None:
    typed = parser({}).parse_args(["visit", "t-1", "--at", "2022-03-15T08:30+07:00"])
    assert typed.task == "t-1"


if __name__ == "__main__":
    assert hasattr(partner.Client, "set_visit")
    with open_city(Path(sys.argv[1])) as opened:
        try_with_the_kit(opened, "door")
        try_with_the_kit(opened, "queue")
        try_at_the_doors(opened)
    try_the_command()
