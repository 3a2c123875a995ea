"""The kit's city in one process: everybody by a public door, everything at rest by one call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from shared.catalogue import Catalogue, load
from shared.settings import PROJECT, SERVICES
from simulation.kit import MORNING, AnswerRefused, City, Rejected, open_city
from tests.backends import Backend
from tests.migrating import migrate

BIRTH, LAND = "2.000986", "1.013831"
WARD, CITY_DESK = "ubnd-phuong-1", "mot-cua-thanh-pho"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")


@pytest.fixture
def city(backend: Backend, catalogue: Catalogue) -> Iterator[City]:
    for service in SERVICES:
        backend.migrated(service, partial(migrate, service))
    with open_city(
        backend.data_dir,
        catalogue=catalogue,
        database={name: backend.settings(name).database_url for name in SERVICES},
        broker=None if backend.embedded else backend.amqp_url(),
    ) as made:
        yield made


def test_a_dossier_goes_from_the_desk_over_its_agencies_to_the_citizen(city: City):
    desk = city.desk(WARD)
    receipt = desk.submit(BIRTH)
    for code in city.agencies_of(BIRTH, WARD):
        city.rest()
        with city.agency(code) as agency:
            (task,) = agency.tasks(receipt.code)
            agency.take(task.id, "Lê Thị Hoa")
            agency.grant(task)
    city.rest()
    assert desk.status(receipt.code) == 9
    desk.hand_over(receipt.code)
    city.rest()
    assert desk.status(receipt.code) == 10
    page = city.citizen(receipt.code, receipt.word).page()
    assert receipt.code in page
    assert "Nguyễn Thị Sáu" not in page, "who looks over the shoulder reads no name"
    told = [(each.moment, each.channel) for each in city.sent(receipt.code)]
    assert told == [("received", "sms"), ("resolved", "sms")], "not what was done at the desk"
    assert all(receipt.code in (each.text or "") for each in city.sent())


def test_agencies_that_play_by_themselves_are_at_rest_too(city: City):
    names = city.agencies_of(LAND, CITY_DESK)
    city.play(agencies=names)
    desk = city.desk(CITY_DESK)
    code = desk.submit(LAND).code
    city.rest()
    assert desk.status(code) == 6, "the citizen pays"
    desk.pay(code, 1_500_000, "BL-0001")
    city.rest()
    assert desk.status(code) == 9
    assert any("Đã" in entry["title"] for entry in desk.timeline(code))


def test_an_agency_may_work_by_its_queue(city: City):
    receipt = city.desk(WARD).submit(BIRTH)
    city.rest()
    agency = city.agency(city.agencies_of(BIRTH, WARD)[0], way="queue")
    city.until(lambda: len(agency.tasks(receipt.code)) == 1)
    (task,) = agency.tasks()
    agency.grant(task)
    city.rest()
    with city.agency(agency.code) as by_door:
        assert [each.id for each in by_door.tasks(closed=True)] == [task.id]
        with pytest.raises(AnswerRefused):
            by_door.complete(task.id, "refused", reason="nghĩ lại")


def test_time_passes_and_what_falls_due_happens_at_its_own_hour(city: City):
    code = city.desk(WARD).submit(BIRTH).code
    city.rest()
    due = city.desk(WARD).get(code)["due_at"]
    assert city.advance(timedelta(days=20)) == MORNING + timedelta(days=20)
    told = {(entry["title"], entry["at"]) for entry in city.desk(WARD).timeline(code)}
    assert any(at > "2022-03-14T01:30:00Z" and at <= due for _, at in told), "nobody asked it to"
    city.set(MORNING)
    assert city.now() == MORNING


def test_a_door_that_refuses_says_status_and_places_and_nothing_of_the_citizen(city: City):
    with pytest.raises(Rejected) as refused:
        city.desk(WARD).submit(BIRTH, form={"child_name": "Nguyễn Văn Bé"})
    assert refused.value.status == 422
    assert "form." in str(refused.value)
    assert "Nguyễn" not in str(refused.value)
    with pytest.raises(Rejected) as unknown:
        city.citizen("000.27.87.H20-220314-0001", "AAAAAA").page()
    assert unknown.value.status == 404


def test_pages_are_entered_with_the_same_keys(city: City):
    receipt = city.desk(WARD).submit(BIRTH)
    city.rest()
    assert receipt.code in city.desk(WARD).browser().get("/ho-so").text
    first = city.agencies_of(BIRTH, WARD)[0]
    assert receipt.code in city.agency(first).browser().get("/nhiem-vu").text
    assert receipt.code in city.operator().browser().get("/tin-nhan").text


def test_opened_again_in_its_folder_it_goes_on_where_it_was(tmp_path: Path, catalogue: Catalogue):
    with open_city(tmp_path, catalogue=catalogue) as city:
        receipt = city.desk(WARD).submit(BIRTH)
    with open_city(tmp_path, catalogue=catalogue) as city:
        city.rest()
        assert city.desk(WARD).status(receipt.code) == 4
        assert city.desk(WARD).submit(BIRTH).code != receipt.code
        assert len(city.sent(receipt.code)) == 1


def test_two_cities_of_one_process_hear_nothing_of_each_other(tmp_path: Path, catalogue: Catalogue):
    with (
        open_city(tmp_path / "a", catalogue=catalogue) as one,
        open_city(tmp_path / "b", catalogue=catalogue) as other,
    ):
        one.desk(WARD).submit(BIRTH)
        one.rest()
        assert (len(one.sent()), len(other.sent())) == (1, 0)


def test_a_seed_gives_the_same_city_to_the_letter(tmp_path: Path, catalogue: Catalogue):
    def played(folder: Path) -> list[object]:
        with open_city(folder, catalogue=catalogue, seed=7) as city:
            city.play()
            receipt = city.desk(WARD).submit(BIRTH)
            city.advance(timedelta(days=1))
            return [receipt.told, city.sent()]

    assert played(tmp_path / "one") == played(tmp_path / "two")
