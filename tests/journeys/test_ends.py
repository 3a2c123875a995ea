"""Ends that cross, and news that comes late: by the doors, with one service away, on both back ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from services.routing.domain.case import Case
from services.routing.storage.cases import Cases
from simulation.kit import MORNING, Agency, City, Desk, open_city
from tests.backends import Backend

EXCHANGE = "1.012783"  # one step with a result, one after it
SERVICES = ("intake", "routing", "notify")


@pytest.fixture
def city(backend: Backend) -> Iterator[City]:
    urls = {name: backend.settings(name).database_url for name in SERVICES}
    broker = None if backend.embedded else backend.amqp_url()
    with open_city(backend.data_dir, at=MORNING, database=urls, broker=broker) as made:
        yield made


@pytest.fixture
def desk(city: City) -> Desk:
    return city.desk("mot-cua-thanh-pho")


@pytest.fixture
def agency(city: City) -> Agency:
    return city.agency(city.agencies_of(EXCHANGE, "mot-cua-thanh-pho")[0])


@pytest.fixture
def code(city: City, desk: Desk) -> str:
    filed = desk.submit(EXCHANGE).code
    city.rest()
    return filed


def told(city: City, code: str) -> list[str]:
    return [sent.moment for sent in city.sent(code) if sent.channel == "sms"]


def case(city: City, code: str) -> Case:
    with city.built.routing.store.begin() as uow:
        found = uow.get(Cases).get(code)
    assert found is not None
    return found


def test_of_a_result_and_a_withdrawal_that_cross_the_citizen_hears_the_one_that_intake_took(
    city: City, desk: Desk, agency: Agency, code: str
) -> None:
    (task,) = agency.tasks(code)
    agency.grant(task)
    desk.withdraw(code, "đổi ý")
    city.rest()
    assert (desk.status(code), case(city, code).state) == (7, "withdrawn")
    assert told(city, code) == ["received", "withdrawn"]
    assert agency.tasks(code) == [], "the step after the result is cancelled too"
    late = [entry for entry in desk.timeline(code) if entry["late"]]
    assert [entry["type"] for entry in late] == ["dossier.resolved"]


def test_a_result_is_told_once_and_only_when_intake_has_taken_it(
    city: City, desk: Desk, agency: Agency, code: str
) -> None:
    agency.grant(agency.tasks(code)[0])
    _away(city, "intake")
    assert told(city, code) == ["received"]
    city.rest()
    assert told(city, code) == ["received", "resolved"]
    desk.hand_over(code)
    city.rest()
    assert told(city, code) == ["received", "resolved"], "the result was taken at the desk"


def test_papers_taken_in_time_are_in_time_although_routing_hears_of_them_after_the_date(
    city: City, desk: Desk, agency: Agency, code: str
) -> None:
    by = city.now() + timedelta(hours=8)
    agency.ask_papers(agency.tasks(code)[0].id, ["Sổ"], "mờ", respond_by=by)
    city.rest()
    city.set(by - timedelta(minutes=30))
    desk.supplement(code, "Sổ rõ")
    city.set(by + timedelta(hours=1))
    (ticker,) = (loop for loop in city.built.routing.loops if loop.name == "routing.deadlines")
    ticker.step(0)  # its clock rings before it hears anything
    city.rest()
    assert desk.status(code) == 4
    assert case(city, code).due_at.isoformat() == _due(desk, code)
    assert told(city, code) == ["received", "supplement_requested"], "brought to the desk"


def test_papers_that_never_come_stop_the_dossier_as_of_the_date_and_the_citizen_hears_it_once(
    city: City, desk: Desk, agency: Agency, code: str
) -> None:
    by = city.now() + timedelta(hours=8)
    agency.ask_papers(agency.tasks(code)[0].id, ["Sổ"], "mờ", respond_by=by)
    city.rest()
    city.set(by + timedelta(hours=3))
    _away(city, "intake")
    assert "stopped" not in told(city, code), "whether papers came, intake knows"
    city.rest()
    assert desk.status(code) == 8
    stopped = case(city, code)
    assert (stopped.state, stopped.closed_at) == ("stopped", by)
    assert [moment for moment in told(city, code) if moment != "supplement_reminder"] == [
        "received",
        "supplement_requested",
        "stopped",
    ]


def test_a_request_for_papers_that_crosses_with_the_withdrawal_is_not_told(
    city: City, desk: Desk, agency: Agency, code: str
) -> None:
    desk.withdraw(code, "đổi ý")
    agency.ask_papers(agency.tasks(code)[0].id, ["Sổ"], "mờ")
    for loop in city.built.intake.loops:  # the withdrawal is on its way first
        loop.step(0)
    for loop in city.built.notify.loops:
        loop.step(0)
    city.rest()
    assert desk.status(code) == 7
    assert told(city, code)[-1] == "withdrawn"


def _due(desk: Desk, code: str) -> str:
    return str(desk.get(code)["due_at"]).replace("Z", "+00:00")


def _away(city: City, name: str) -> None:
    """All but one service carry on until nothing moves."""
    others = [each for each in SERVICES if each != name]
    for _ in range(5):
        for each in others:
            for loop in city.built.services[each].loops:
                loop.step(0)
