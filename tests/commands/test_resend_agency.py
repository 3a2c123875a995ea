"""An agency that lost its own store gets its messages again, all of them or what it never answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.catalogue import load
from shared.events.envelope import Envelope, decode
from shared.kernel.errors import NotFound
from shared.settings import PROJECT
from simulation.kit import City, open_city
from tests.backends import Backend
from tests.commands.ledgers import BECAUSE, SERVICES

BIRTH, WARD = "2.000986", "ubnd-phuong-1"


@pytest.fixture
def city(backend: Backend, run, migrated) -> Iterator[City]:
    with open_city(
        backend.data_dir,
        catalogue=load(PROJECT / "catalogue"),
        database={name: backend.settings(name).database_url for name in SERVICES},
        broker=None if backend.embedded else backend.amqp_url(),
    ) as made:
        yield made


def numbers(messages: list[Envelope]) -> list[int | None]:
    return [each.sequence for each in messages]


def test_an_agency_gets_again_what_it_lost_under_the_same_numbers(city: City, run):
    desk = city.desk(WARD)
    agency = city.agencies_of(BIRTH, WARD)[0]
    program = city.built.bus.subscriber(f"agency.{agency}.tasks")

    def comes(count: int) -> list[Envelope]:
        found: list[Envelope] = []

        def all_here() -> bool:
            taken = program.receive(100, 0.05)
            if taken:
                program.ack_through(taken[-1])
            found.extend(decode(bytes(each.body)) for each in taken)
            return len(found) >= count

        city.until(all_here)
        return found

    codes = []
    for _ in range(3):
        codes.append(desk.submit(BIRTH).code)
        city.rest()
    first = comes(3)
    assert numbers(first) == [1, 2, 3]
    by_dossier = {each.event().dossier: each for each in first}
    with city.agency(agency) as officers:
        officers.grant(officers.tasks(codes[0])[0])
        officers.take(by_dossier[codes[1]].event().task, "Lê Thị Hoa")
    city.rest()

    def again(*arguments: str) -> str:
        told = run("resend", "--agency", agency, *arguments, *BECAUSE).output
        for each in city.built.loops:
            each.wake()
        return told

    assert "3 messages" in again("--after", "0")
    assert [(each.id, each.sequence) for each in comes(3)] == [
        (each.id, each.sequence) for each in first
    ]
    city.rest()
    assert "1 messages" in again("--after", "2")
    assert numbers(comes(1)) == [3]
    city.rest()
    assert "1 messages" in again("--after", "0", "--unanswered")
    (left,) = comes(1)
    assert left.event().dossier == codes[2]
    city.rest()
    program.close()
    assert "unanswered alone" in run("acts", "--service", "routing").output


def test_what_cannot_be_meant_is_refused(run, migrated):
    unknown = run("resend", "--agency", "nobody", "--after", "0", *BECAUSE, ok=False)
    assert isinstance(unknown.exception, NotFound)
    for odd in (["--agency", "a"], ["--since", "1h", "--agency", "a"], ["--after", "3"], []):
        assert run("resend", *odd, *BECAUSE, ok=False).exit_code == 2
    assert run("resend", "--since", "999999d", *BECAUSE, ok=False).exit_code == 2
