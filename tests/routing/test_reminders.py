"""The list of a working day for an agency's staff: when it is stated, with what, and how often."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from services.routing.app import build
from services.routing.storage import agency_mail
from services.routing.usecases.remind import next_time, set_addresses
from shared.kernel.clock import VN, as_utc, to_vn
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import SeededIds
from shared.messaging import Bus
from shared.messaging.loops.pump import pump
from tests.backends import Backend, EmbeddedBackend
from tests.routing.town import DATES_RULE, Town, at, catalogue, migrate
from tests.routing.worlds import CALENDAR, DOSSIER, NOW

OFFICE = "phuong-1"
HEAD, DEPUTY = "truong@phuong1.example", "pho@phuong1.example"


def vn(day: date, hour: int, minute: int = 0) -> datetime:
    return as_utc(datetime.combine(day, time(hour, minute), VN))


def write_down(town: Town, code: str, *addresses: str, remove: bool = False) -> tuple[str, ...]:
    with town.service.store.begin() as uow:
        return set_addresses(uow, town.rules, code, addresses, remove=remove)


def days(town: Town, code: str = OFFICE) -> list[str]:
    return [str(to_vn(at(data["reminded_at"])).date()) for data in lists(town, code)]


def lists(town: Town, code: str = OFFICE) -> list[dict[str, Any]]:
    return [data for name, data in town.facts(code) if name == "agency.reminded"]


def pass_hours(town: Town, until: datetime) -> None:
    while town.clock.now() < until:
        town.clock.advance(timedelta(minutes=30))
        town.rest()


@pytest.fixture
def reminded(town: Town) -> Town:
    """A town whose office has a step that is due on Thursday at nine."""
    write_down(town, OFFICE, HEAD, DEPUTY)
    town.receive(DOSSIER)
    return town


def test_nothing_is_said_before_a_date_is_near_and_once_on_each_working_day_from_then(
    reminded: Town,
):
    pass_hours(reminded, vn(date(2022, 3, 8), 18))
    assert days(reminded) == ["2022-03-03", "2022-03-04", "2022-03-07", "2022-03-08"]
    near, overdue, *_ = lists(reminded)
    assert (near["near"], near["overdue"], near["undecided"]) == (1, 0, 0)
    assert (overdue["near"], overdue["overdue"]) == (0, 1)
    assert near["addresses"] == [HEAD, DEPUTY]
    assert near["reminded_at"] == "2022-03-03T00:30:00Z"
    (task,) = near["tasks"]
    assert task == {
        "task": reminded.task(OFFICE),
        "dossier": DOSSIER,
        "procedure": {"code": "2.000986", "name": "Thủ tục 2.000986"},
        "step": {"code": "birth", "name": "Bước birth"},
        "due_at": "2022-03-03T02:00:00Z",
        "undecided": False,
    }


def test_a_week_with_a_holiday_has_a_list_on_its_working_days_alone(small_town: Town):
    town = small_town
    town.receive(DOSSIER)
    town.clock.set(vn(date(2022, 4, 7), 18))
    write_down(town, OFFICE, HEAD)
    pass_hours(town, vn(date(2022, 4, 13), 18))
    # The 11th, a Monday, is a holiday of this town.
    assert days(town) == ["2022-04-08", "2022-04-12", "2022-04-13"]


def test_what_fell_due_while_nothing_ran_is_todays_list_alone(reminded: Town, backend: Backend):
    reminded.clock.set(vn(date(2022, 3, 10), 6))
    reminded.rest()
    assert days(reminded) == [], "before the hour"
    reminded.clock.set(vn(date(2022, 3, 10), 11))
    reminded.rest()
    assert days(reminded) == ["2022-03-10"]
    again = _another(reminded, backend)
    reminded.clock.set(vn(date(2022, 3, 10), 16))
    pump([loop for loop in again.loops if loop.name == "routing.reminders"])
    again.close()
    assert days(reminded) == ["2022-03-10"]


def test_a_start_on_a_day_off_waits_for_the_next_working_day(reminded: Town):
    reminded.clock.set(vn(date(2022, 3, 5), 11))  # a Saturday
    reminded.rest()
    assert days(reminded) == []
    pass_hours(reminded, vn(date(2022, 3, 7), 8))
    assert days(reminded) == ["2022-03-07"]


def _another(town: Town, backend: Backend) -> Any:
    """A second process of the same town."""
    return build(
        backend.settings("routing"),
        catalogue=town.rules,
        clock=town.clock,
        ids=SeededIds(99),
        bus=Bus(backend.amqp_url()),
    )


def test_two_workers_at_once_state_one_list(reminded: Town, backend: Backend):
    other = _another(reminded, backend)
    reminded.clock.set(vn(date(2022, 3, 4), 7, 30))
    loops = [
        loop
        for service in (reminded.service, other)
        for loop in service.loops
        if loop.name == "routing.reminders"
    ]
    together, did = threading.Barrier(2), []

    def work(loop: Any) -> None:
        together.wait(10)
        loop.wake()
        did.append(loop.step(0))

    threads = [threading.Thread(target=work, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    other.close()
    assert sorted(did) == [0, 1]
    assert days(reminded) == ["2022-03-04"]


def test_a_removed_address_hears_nothing_more_and_the_last_one_ends_it(reminded: Town):
    pass_hours(reminded, vn(date(2022, 3, 3), 9))
    assert write_down(reminded, OFFICE, HEAD, remove=True) == (DEPUTY,)
    pass_hours(reminded, vn(date(2022, 3, 4), 9))
    assert [data["addresses"] for data in lists(reminded)] == [[HEAD, DEPUTY], [DEPUTY]]
    assert write_down(reminded, OFFICE, remove=True) == ()
    pass_hours(reminded, vn(date(2022, 3, 7), 9))
    assert days(reminded) == ["2022-03-03", "2022-03-04"]
    with reminded.service.store.read() as connection:
        assert agency_mail.every(connection) == []


def test_more_than_one_way_of_writing_addresses_on_the_day_sends_no_second_list(reminded: Town):
    pass_hours(reminded, vn(date(2022, 3, 3), 9))
    write_down(reminded, OFFICE, remove=True)
    write_down(reminded, OFFICE, HEAD)
    pass_hours(reminded, vn(date(2022, 3, 3), 18))
    assert days(reminded) == ["2022-03-03"]


def test_a_request_for_more_time_is_in_the_list_of_who_asked_and_of_who_decides(small_town: Town):
    town = small_town
    town.receive(DOSSIER)
    town.grant(OFFICE, result_code="KQ.1")
    town.answer(
        "cong-an",
        "more_time_needed",
        town.task("cong-an"),
        reason="xác minh",
        until=CALENDAR.add_days(NOW, 6),
    )
    for code in (OFFICE, "cong-an", "bhxh"):
        write_down(town, code, f"{code}@x.example")
    pass_hours(town, vn(date(2022, 3, 2), 8))
    for code in (OFFICE, "cong-an"):
        (told,) = lists(town, code)
        assert (told["undecided"], told["near"], told["overdue"]) == (1, 0, 0)
        assert [(task["step"]["code"], task["undecided"]) for task in told["tasks"]] == [
            ("residence", True)
        ]
    assert lists(town, "bhxh") == []


def test_without_an_hour_in_the_rules_there_are_no_lists(embedded: EmbeddedBackend):
    embedded.migrated("routing", migrate)
    silent = catalogue(dates_rules=(replace(DATES_RULE, mail_at=None),))
    for town in _open(embedded, silent):
        write_down(town, OFFICE, HEAD)
        town.receive(DOSSIER)
        pass_hours(town, vn(date(2022, 3, 4), 18))
        assert lists(town) == []


def _open(backend: EmbeddedBackend, rules: Any) -> Iterator[Town]:
    town = Town(backend.settings("routing"), rules)
    yield town
    town.close()


def test_the_next_time_is_after_now_at_the_hour_that_the_city_sets():
    rules = catalogue()
    for hour, day in ((7, 3), (8, 4), (23, 4)):
        at = next_time(rules, vn(date(2022, 3, 3), hour))
        assert to_vn(at) == datetime(2022, 3, day, 7, 30, tzinfo=VN)
    assert next_time(rules, vn(date(2022, 3, 3), 7, 30)) == vn(date(2022, 3, 4), 7, 30)


@pytest.mark.parametrize("typed", ["truong", "trưởng@x.vn", "a@b", "a b@x.vn", "x@y.vn,z@y.vn", ""])
def test_an_address_that_cannot_be_is_refused_by_its_place_alone(small_town: Town, typed: str):
    with pytest.raises(InvalidInput) as refused:
        write_down(small_town, OFFICE, HEAD, typed)
    (fault,) = refused.value.faults
    assert fault.place == "addresses.2"
    assert not typed or typed not in f"{fault}{refused.value}"
    with pytest.raises(InvalidInput):
        write_down(small_town, "khong-co", HEAD)
    with pytest.raises(InvalidInput):
        write_down(small_town, OFFICE, *(f"a{n}@x.example" for n in range(21)))
    with small_town.service.store.read() as connection:
        assert agency_mail.every(connection) == []
