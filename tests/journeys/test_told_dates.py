"""Dates that a citizen or an agency is told: while somebody is there, and judged by one rule."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner import DoorRefused
from services.intake.domain.deadline import Rules, moved
from services.intake.domain.dossier import Pause
from shared.kernel.calendar import Duration, Unit, WorkingCalendar
from shared.kernel.clock import to_vn
from simulation.kit import AnswerRefused
from tests.journeys.conftest import OpenCity
from tests.journeys.matters import (
    BIRTH,
    LAND,
    LAND_OFFICE,
    WARD,
    case_of,
    dossier_of,
    filed,
    the_task,
    vn,
)
from tests.routing.worlds import CALENDAR

LIMITED = "1.013225"
UNITS: tuple[Unit, ...] = ("working_day", "day")
MONDAY = vn(2026, 3, 2, 9)


def _open(calendar: WorkingCalendar, at: datetime) -> bool:
    local = to_vn(at)
    return any(s.start <= local.time() <= s.end for s in calendar.sessions_on(local.date()))


@given(minutes=st.integers(0, 365 * 24 * 60))
def test_an_instant_is_drawn_into_working_time_and_stays_there(minutes: int):
    at = vn(2022, 1, 3) + timedelta(minutes=minutes)
    drawn = CALENDAR.drawn_in(at)
    assert _open(CALENDAR, drawn)
    assert CALENDAR.drawn_in(drawn) == drawn
    assert drawn == at or not _open(CALENDAR, at)
    for after in (at - timedelta(minutes=1), at - timedelta(hours=9)):
        latest = CALENDAR.latest(at, after)
        assert _open(CALENDAR, latest)
        assert latest > after


@pytest.mark.long("servers")
@pytest.mark.parametrize(
    ("given_", "told"),
    [
        (vn(2026, 3, 8, 9), vn(2026, 3, 9, 17, 30)),  # a Sunday ends with Monday
        (vn(2026, 3, 6, 22, 15), vn(2026, 3, 6, 17, 30)),
        (vn(2026, 3, 6, 12), vn(2026, 3, 6, 11, 30)),
        (vn(2026, 3, 6, 3), vn(2026, 3, 6, 7, 30)),
        (vn(2026, 3, 2, 22), vn(2026, 3, 2, 17, 30)),
        (vn(2026, 3, 6, 10), vn(2026, 3, 6, 10)),
    ],
)
def test_papers_are_awaited_until_the_desk_is_open_and_the_agency_is_told(
    opened: OpenCity, given_: datetime, told: datetime
):
    city = opened(at=MONDAY)
    _, code = filed(city, BIRTH)
    city.rest()
    with city.agency(WARD) as agency:
        agency.ask_papers(the_task(agency, code).id, ["bản vẽ"], "thiếu", respond_by=given_)
        city.rest()
        message = agency.collect()[-1]
    (wait,) = dossier_of(city, code).open_waits
    assert wait.respond_by == case_of(city, code).respond_by == told
    assert ("ngoài giờ làm việc" in str(message.data["note"])) == (told != given_)


@pytest.mark.long("servers")
@pytest.mark.parametrize(
    ("until", "told"),
    [(vn(2026, 4, 30, 22, 15), vn(2026, 5, 4, 17, 30)), (vn(2026, 4, 7, 3), vn(2026, 4, 7, 7, 30))],
)
def test_more_time_ends_while_the_agency_and_the_desk_work(
    opened: OpenCity, until: datetime, told: datetime
):
    city = opened(at=MONDAY)
    _, code = filed(city, BIRTH)
    city.rest()
    with city.agency(WARD) as agency:
        agency.more_time(the_task(agency, code).id, "đông", until)
        city.rest()
        message = agency.collect()[-1]
        assert "ngoài giờ làm việc" in str(message.data["note"])
        city.desk(WARD).act(code, "grant-extension", {})
        city.rest()
        task = the_task(agency, code)
    assert datetime.fromisoformat(str(task.due_at)) == told
    assert dossier_of(city, code).due_at == case_of(city, code).due_at == told


@given(
    date=st.integers(0, 60 * 24 * 20),
    stood=st.integers(0, 60 * 24 * 20),
    unit=st.sampled_from(UNITS),
)
def test_a_date_that_a_pause_has_moved_lies_inside_working_time(date: int, stood: int, unit: Unit):
    since = vn(2022, 3, 1, 9)
    due_at = CALENDAR.drawn_in(since + timedelta(minutes=date))
    until = since + timedelta(minutes=stood)  # papers may be taken down at three in the morning
    rules = Rules(Duration(5, unit), CALENDAR, restart=False)
    after = moved(due_at, since, until, Pause(since), rules)
    assert _open(CALENDAR, after)
    assert after >= due_at


def test_a_withdrawal_in_a_pause_is_late_nowhere_and_needs_no_calendar_of_next_year(
    opened: OpenCity,
):
    city = opened(at=vn(2027, 11, 29, 9))  # there is no calendar of 2028
    desk, code = filed(city, LAND)
    city.rest()
    with city.agency(LAND_OFFICE) as agency:
        agency.ask_papers(the_task(agency, code).id, ["bản vẽ"], "thiếu")
    city.rest()
    city.set(vn(2027, 12, 31, 16))
    desk.withdraw(code, "đổi ý")
    city.rest()
    assert (desk.status(code), case_of(city, code).state) == (7, "withdrawn")
    report = desk.told("GET", "/reports/ii06a?from=2027-12-01&to=2027-12-31")
    assert report["total"]["resolved"]["late"] == 0
    browser = desk.browser()
    for page in ("/ho-so?xem=tat-ca", f"/ho-so/{code}"):
        assert code in browser.get(page).text
        assert "trễ hạn" not in browser.get(page).text
    assert desk.get(code)["overdue"] is False
    listed = desk.told("GET", "/dossiers", query={"overdue": "true"})
    assert listed["total"] == 0


def test_rounds_at_the_desk_and_of_agencies_are_one_numbering_under_one_limit(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, LIMITED, channel="online")
    limit = city.built.catalogue.procedure(LIMITED, vn(2026, 3, 2).date()).max_supplement_rounds
    assert limit is not None
    desk.ask_papers(code, ["sổ"], "thiếu")
    desk.supplement(code, "Sổ")
    desk.receive(code)
    city.rest()
    first = city.agencies_of(LIMITED, desk.office)[0]
    with city.agency(first) as agency:
        for _ in range(limit - 1):
            agency.ask_papers(agency.tasks(code)[0].id, ["bản vẽ"], "thiếu")
            city.rest()
            desk.supplement(code, "Bản vẽ")
            city.rest()
        task = agency.tasks(code)[0]
        body = {"answer_id": "x-1", "kind": "supplement_needed", "items": ["a"], "reason": "b"}
        told = agency.ask("POST", f"/tasks/{task.id}/answers", body=body)
        assert (told.status, told.json()["code"]) == (409, "rounds_used")
        assert str(limit) in told.json()["errors"][0]["vi"]
        with pytest.raises((AnswerRefused, DoorRefused), match=str(limit)):
            agency.ask_papers(task.id, ["bản vẽ"], "thiếu")
    city.rest()
    assert [wait.round for wait in dossier_of(city, code).waits] == list(range(1, limit + 1))
