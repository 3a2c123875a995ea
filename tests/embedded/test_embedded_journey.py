"""Whole journeys through the three services, from the desk to the citizen's phone, on both back ends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.embedded.city import City
from shared.catalogue import load
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.ids import SeededIds
from shared.messaging.tables import LEDGERS
from shared.settings import PROJECT, SERVICES
from simulation.autopilot import autopilots
from simulation.kit import City as KitCity
from simulation.kit import Desk
from tests.backends import Backend
from tests.embedded.townsfolk import (
    INTERLINKED,
    LAND,
    all_sent,
    desk_of,
    held,
    messages,
    moments,
    unsent,
)

START = datetime(2022, 3, 14, 1, 30, tzinfo=UTC)  # a Monday, 08:30 in Cao Lãnh


@pytest.fixture
def city(backend: Backend) -> Iterator[City]:
    made = open_here(backend)
    made.migrate()
    yield made
    made.close()


def open_here(backend: Backend, *, autopilot: bool = True, seed: int = 1) -> City:
    clock = FixedClock(START)
    made = City(
        {name: backend.settings(name) for name in SERVICES},
        catalogue=load(PROJECT / "catalogue"),
        clock=clock,
        ids=SeededIds(seed),
    )
    if autopilot:
        today = to_vn(START).date()
        # On a real broker each agency costs two connections: only those of one ward play.
        names = [a.code for a in made.catalogue.agencies(today) if a.territory in ("29866", "*")]
        made.add(
            autopilots(names, made.bus, clock, delay=timedelta(0), catch_up=made.unanswered_by)
        )
    return made


def test_an_interlinked_dossier_goes_from_the_desk_to_the_phone(city: City):
    desk = desk_of(city)
    code = desk.submit(INTERLINKED).code
    KitCity(city).until(lambda: desk.status(code) == 9)
    KitCity(city).until(lambda: all_sent(city, 2))
    desk.hand_over(code)
    KitCity(city).until(lambda: desk.status(code) == 10)
    city.pump()
    assert moments(messages(city)) == [("received", "sms"), ("resolved", "sms")]
    assert held(city) == []
    assert unsent(city) == 0


def test_the_citizens_messages_lie_where_a_person_can_read_them(city: City):
    desk = desk_of(city)
    code = desk.submit(INTERLINKED).code
    KitCity(city).until(lambda: all_sent(city, 2))
    folder = city.data_dir / "messages"
    texts = [path.read_text() for path in sorted((folder / "sms").iterdir())]
    assert len(texts) == 2
    assert all(code in text for text in texts)
    assert "Da tiep nhan" in texts[0]


def test_the_timeline_tells_the_whole_way_in_order(city: City):
    desk = desk_of(city)
    code = desk.submit(INTERLINKED).code
    KitCity(city).until(lambda: all_sent(city, 2) and desk.status(code) == 9)
    KitCity(city).until(lambda: _told(desk, code) >= 2)
    titles = [entry["title"] for entry in desk.timeline(code)]
    assert titles[0].startswith(("Đã tiếp nhận", "Tiếp nhận"))
    assert len(titles) >= 10


def _told(desk: Desk, code: str) -> int:
    entries = desk.timeline(code)
    return sum("Đã báo công dân" in entry["title"] for entry in entries)


def test_the_clock_stands_while_the_citizen_pays_and_the_journey_ends(city: City):
    desk = desk_of(city, "mot-cua-thanh-pho")
    code = desk.submit(LAND).code
    KitCity(city).until(lambda: desk.status(code) == 6)
    desk.pay(code, 1_500_000, "BL-0001")
    KitCity(city).until(lambda: desk.status(code) == 9)
    KitCity(city).until(lambda: all_sent(city, 3))
    assert [moment for moment, channel in moments(messages(city)) if channel == "sms"] == [
        "payment_requested",
        "received",
        "resolved",
    ]


def test_nothing_personal_is_on_the_way_of_facts_that_all_may_read(city: City):
    desk = desk_of(city)
    desk.submit(INTERLINKED)
    KitCity(city).until(lambda: all_sent(city, 2))
    for service in city.services.values():
        outbox = LEDGERS.outbox
        with service.store.read() as connection:
            rows = connection.execute(outbox.select()).all()
        for row in rows:
            if row.exchange != "citizen.contacts":
                assert "907100001" not in bytes(row.body).decode()
                assert "sau1@example.vn" not in bytes(row.body).decode()


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34])
def test_the_city_may_die_after_any_step_and_ends_the_same(embedded: Backend, steps: int):
    city = open_here(embedded)
    city.migrate()
    code = desk_of(city).submit(INTERLINKED).code
    one_by_one(city, steps)
    die(city)

    city = open_here(embedded, seed=2)
    desk = desk_of(city)
    KitCity(city).until(lambda: all_sent(city, 2) and desk.status(code) == 9)
    city.pump()
    assert moments(messages(city)) == [
        ("received", "sms"),
        ("resolved", "sms"),
    ]
    assert (held(city), unsent(city)) == ([], 0)
    assert len(list((city.data_dir / "messages").rglob("*.txt"))) == 2
    assert _told(desk, code) == 2
    city.close()


def test_after_a_stop_nothing_is_sent_again_and_after_a_crash_what_was_not_handled_is(
    embedded: Backend,
):
    city = open_here(embedded)
    city.migrate()
    desk = desk_of(city)
    desk.submit(INTERLINKED)
    city.pump()
    city.close()

    city = open_here(embedded, seed=2)
    assert sent_at_start(city) == 0
    desk_of(city).submit(INTERLINKED, number=2)
    put_on_the_bus = sent_at_start(city)
    die(city)
    open_here(embedded, seed=3).close()  # looked at only: its relays never began

    city = open_here(embedded, seed=4)
    assert sent_at_start(city) == put_on_the_bus > 0
    KitCity(city).until(lambda: all_sent(city, 4))
    city.pump()
    die(city)

    city = open_here(embedded, seed=5)
    assert sent_at_start(city) == 0, "all of it was handled"
    city.close()


def die(city: City) -> None:
    """The process is gone, and what its bus held with it; nobody closes anything in order."""
    for service in city.services.values():
        service.close()


def sent_at_start(city: City) -> int:
    """How many facts the relays send before anything new happens."""
    relays = [loop for loop in city.loops if loop.name.endswith(".relay")]
    return sum(relay.step(0) for relay in relays)


def one_by_one(city: City, steps: int) -> None:
    """So many steps that did something, of any loop in turn."""
    while steps > 0:
        moved = 0
        for loop in city.loops:
            if steps > 0 and loop.step(0):
                moved, steps = moved + 1, steps - 1
        if not moved:
            return


def test_the_city_may_stop_and_start_on_real_servers(on_servers: Backend):
    city = open_here(on_servers)
    city.migrate()
    code = desk_of(city).submit(INTERLINKED).code
    city.intake.loops[0].step(1)
    city.close()

    city = open_here(on_servers, seed=2)
    desk = desk_of(city)
    KitCity(city).until(lambda: all_sent(city, 2) and desk.status(code) == 9)
    assert held(city) == []
    city.close()
