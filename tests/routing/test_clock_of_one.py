"""One dossier whose clock cannot be passed takes none of the others along."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from shared.events.names import short
from shared.messaging.parked import list_held
from shared.messaging.timeline import timeline
from simulation.kit import City, open_city

BIRTH, OFFICE = "2.000986", "ubnd-phuong-1"


def missed(city: City, code: str) -> bool:
    with city.built.routing.store.read() as connection:
        return any(short(each.type) == "deadline.missed" for each in timeline(connection, code))


def spoil(city: City, code: str, change: str) -> None:
    with city.built.routing.store.begin() as uow:
        uow.connection.exec_driver_sql(f"UPDATE cases SET {change} WHERE dossier = '{code}'")


def test_a_case_that_cannot_be_read_is_put_off_and_the_deadlines_of_the_others_ring(tmp_path: Path):
    with open_city(tmp_path) as city:
        desk = city.desk(OFFICE)
        stuck, *others = [desk.submit(BIRTH, number=n).code for n in range(1, 5)]
        city.rest()
        spoil(city, stuck, "papers = '{'")
        city.advance(timedelta(days=4))
        assert all(missed(city, code) for code in others)
        with city.built.routing.store.read() as connection:
            (held,) = list_held(connection, states=("parked",))
        assert (held.consumer, held.subject) == ("routing.deadlines", stuck)
        assert (held.reason or "").startswith("JSONDecodeError at")
        spoil(city, stuck, "papers = '[]'")
        city.advance(timedelta(hours=1, minutes=1))
        assert missed(city, stuck), "looked at once an hour, also where it is parked"
        with city.built.routing.store.read() as connection:
            assert list_held(connection) == []
