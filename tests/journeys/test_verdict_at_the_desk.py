"""What an agency answered and could not be applied: the desk reads that it was not taken, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from simulation.kit.people import Way
from tests.journeys.conftest import OpenCity
from tests.journeys.matters import BIRTH, case_of, filed, the_task, vn

PROCEDURE = BIRTH
DONE = "đã xong"


def _lines(desk, code: str) -> list[str]:
    return [" ".join((each["title"], *each["details"])) for each in desk.timeline(code)]


@pytest.mark.parametrize("way", ["queue"])
def test_the_desk_does_not_read_that_a_refused_answer_is_done(opened: OpenCity, way: Way):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, PROCEDURE)
    city.rest()
    first, *_ = city.agencies_of(PROCEDURE, desk.office)
    with city.agency(first, way=way) as agency:
        task = the_task(agency, code)
        agency.complete(task.id, "granted", amount_vnd=5)
        city.rest()
        assert case_of(city, code).tasks[task.data["step"]["code"]].is_open
        (line,) = [each for each in _lines(desk, code) if "không được ghi nhận" in each]
        assert "không phải nộp tiền" in line
        assert not any(DONE in each for each in _lines(desk, code))
        assert DONE not in desk.browser().get(f"/ho-so/{code}").text
        agency.grant(task)
        city.rest()
    assert desk.status(code) == 9


def test_the_desk_reads_that_a_task_was_handed_over_again(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, PROCEDURE)
    city.rest()
    city.set(city.now() + timedelta(days=1))
    city.rest()
    assert any("Giao lại việc (lần 1)" in each for each in _lines(desk, code))
