"""Every event says who did it: a kind and an opaque id, by whatever door it came, never a name."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from shared.events.envelope import Envelope, decode
from shared.events.names import short
from shared.messaging.tables import LEDGERS
from simulation.kit import City, open_city
from tests.backends import Backend

BIRTH, OFFICE = "2.000986", "ubnd-phuong-1"
SECRETS = ("Nguyễn", "Lê Thị Hoa", "0907", "@")


def stated(city: City) -> list[Envelope]:
    found = []
    for service in city.built.services.values():
        with service.store.read() as connection:
            bodies = connection.scalars(sa.select(LEDGERS.outbox.c.body)).all()
        found += [decode(bytes(body)) for body in bodies]
    return found


def actors(city: City, name: str) -> set[str]:
    return {str(event.actor) for event in stated(city) if short(event.type) == name}


def test_officers_agencies_and_the_clock_are_told_apart(backend: Backend) -> None:
    urls = {name: backend.settings(name).database_url for name in ("intake", "routing", "notify")}
    broker = None if backend.embedded else backend.amqp_url()
    with open_city(backend.data_dir, database=urls, broker=broker) as city:
        desk = city.desk(OFFICE)
        receipt = desk.submit(BIRTH)
        city.until(lambda: desk.status(receipt.code) == 4)
        ward, *others = city.agencies_of(BIRTH, OFFICE)
        ways = ("door", "queue")
        for code, way in zip((ward, *others), (*ways, *ways), strict=False):
            with city.agency(code, way=way) as agency:
                city.until(lambda agency=agency: bool(agency.tasks(receipt.code)))
                (task,) = agency.tasks(receipt.code)
                agency.take(task.id, "Lê Thị Hoa")
                agency.grant(task, document="12/2022")
        city.until(lambda: desk.status(receipt.code) == 9)
        late = desk.submit(BIRTH, number=2)
        city.until(lambda: desk.status(late.code) == 4)
        city.advance(timedelta(days=30))

        officer = actors(city, "dossier.received")
        assert len(officer) == 1
        assert officer.pop().startswith("officer:")
        answered = actors(city, "step.answered")
        assert {f"agency:{code}" for code in city.agencies_of(BIRTH, OFFICE)} <= answered
        assert actors(city, "deadline.missed") == {"clock"}
        assert actors(city, "dossier.started") == actors(city, "dossier.received")
        assert actors(city, "citizen.notified") == {"service:notify"}
        for event in stated(city):
            assert event.actor is not None, event
            assert not any(secret in event.actor for secret in SECRETS)
