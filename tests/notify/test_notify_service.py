"""Notify whole: facts from the broker to files on disk, and back to the broker, on both back ends."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notify.app import build
from services.notify.domain.moments import CONTACT_CHANGED, MOMENTS, NAMES_VI
from services.notify.storage import queries
from services.notify.storage.tables import metadata
from shared.catalogue import MOMENTS as CATALOGUE_MOMENTS
from shared.database.migrate import drift
from shared.events.envelope import Data, Envelope, decode, encode
from shared.events.event import Event, address, kind_of, write
from shared.events.names import CITIZEN_CONTACTS, DOSSIER_FACTS, wire
from shared.events.parts import Office, ProcedureVersion
from shared.kernel.clock import FixedClock, format_instant
from shared.kernel.ids import SeededIds
from shared.messaging import Bus, OutMessage, Queue
from shared.messaging.topology import exchanges_of, queues_of
from tests.backends import Backend
from tests.notify.city import City
from tests.notify.ledger import DOSSIER, OFFICE, START, a_contact, migrate, received, the_catalogue
from tests.notify.mail_peer import by_name, mail_peer

PROCEDURE = ProcedureVersion(
    code="1.001193", version=1, name="Đăng ký khai sinh", short_name="Khai sinh"
)
HERE = Office(code=OFFICE, name="UBND Phường 1", territory="29866")


class World:
    """Notify and a stranger who states facts under intake's and routing's names."""

    def __init__(self, backend: Backend, **settings: Any) -> None:
        self.backend = backend
        self._settings = settings
        self.clock = FixedClock(START)
        self.ids = SeededIds(1)
        self.bus = Bus(backend.amqp_url())
        self.open()
        self.bus.declare(exchanges_of("notify"), [Queue("heard", ((DOSSIER_FACTS, "notify.*.*"),))])
        self.publisher = self.bus.publisher()
        self.heard = self.bus.subscriber("heard")
        self._numbers: dict[tuple[str, str], int] = {}

    def open(self) -> None:
        self.notify = build(
            self.backend.settings("notify", **self._settings),
            catalogue=the_catalogue(),
            clock=self.clock,
            ids=SeededIds(2),
            bus=self.bus,
        )
        self.city = City(self.clock, [self.notify])

    def fact(self, event: Event) -> Envelope:
        source = address(event, "intake").source
        key = (source, event.subject)
        self._numbers[key] = self._numbers.get(key, 0) + 1
        return Envelope(
            id=self.ids.new(),
            source=source,
            type=kind_of(type(event)).type,
            subject=event.subject,
            time=self.clock.now(),
            data=Data(write(event)),
            sequence=self._numbers[key],
        )

    def send(self, *facts: Envelope) -> None:
        batch = []
        for number, fact in enumerate(facts):
            to = address(fact.event(), "intake")
            batch.append(OutMessage(number, to.exchange, to.routing_key, encode(fact)))
        assert self.publisher.publish(batch).failed == {}

    def received(self, dossier: str = DOSSIER) -> Envelope:
        told = received(dossier, procedure=PROCEDURE, office=HERE, form={"ho_ten": "Sáu"})
        return self.fact(told)

    def contact(self, dossier: str = DOSSIER, email: str = "sau@example.vn") -> Envelope:
        return self.fact(a_contact(dossier, email=email))

    def files(self, kind: str) -> list[Path]:
        return sorted((self.backend.data_dir / "messages" / kind).glob("*"))

    def states(self) -> dict[str, int]:
        with self.notify.store.read() as connection:
            return queries.by_state(connection)

    def facts_heard(self) -> list[Envelope]:
        return [decode(bytes(each.body)) for each in self.heard.receive(100, 0.5)]

    def close(self) -> None:
        self.city.close()
        self.publisher.close()
        self.heard.close()
        self.bus.close()


@pytest.fixture
def world(backend: Backend) -> Iterator[World]:
    backend.migrated("notify", migrate)
    made = World(backend)
    yield made
    made.close()


def test_a_fact_becomes_a_file_that_a_person_can_read_and_a_fact(world: World):
    by_mail = world.fact(a_contact("D-2", first="email"))
    world.send(world.contact(), world.received(), by_mail, world.received("D-2"))
    world.city.pump()
    (sms,), (mail,) = world.files("sms"), world.files("email")
    assert DOSSIER in sms.read_text()
    assert "Nguyễn Thị Sáu" in mail.read_text()
    heard = world.facts_heard()
    assert {(fact.subject, fact.type, fact.data["channel"]) for fact in heard} == {
        ("D-2", wire("citizen.notified"), "email"),
        (DOSSIER, wire("citizen.notified"), "sms"),
    }
    assert [fact.sequence for fact in heard] == [1, 1]


def test_what_notify_states_holds_nothing_personal(world: World):
    world.send(world.contact(), world.received())
    world.city.pump()
    said = b"".join(encode(fact) for fact in world.facts_heard()).decode()
    for secret in ("Sáu", "907123456", "example.vn", "K7M2QP"):
        assert secret not in said


def test_the_same_facts_twice_make_the_same_messages_once(world: World):
    contact, received = world.contact(), world.received()
    for _ in range(2):
        world.send(received, contact)
        world.city.pump()
    assert world.states() == {"sent": 1, "spared": 1}
    assert len(world.files("sms") + world.files("email")) == 1


def test_without_a_contact_the_moment_is_given_up_after_a_day(world: World):
    world.send(world.received())
    world.city.pump()
    assert world.states() == {"awaiting_contact": 1}
    world.city.run_for(timedelta(hours=25))
    assert world.states() == {"undeliverable": 1}
    (fact,) = world.facts_heard()
    assert fact.type == wire("citizen.unreachable")
    assert fact.data["at"] == format_instant(START + timedelta(hours=24))


def test_a_contact_that_comes_late_releases_what_waits(world: World):
    world.send(world.received())
    world.city.run_for(timedelta(hours=2))
    world.send(world.contact())
    world.city.pump()
    assert world.states() == {"sent": 1, "spared": 1}


def test_nothing_that_happens_in_the_broker_or_the_process_sends_a_message_twice(world: World):
    world.send(world.contact(), world.received())
    loops = {loop.name: loop for loop in world.notify.loops}
    for name in ("notify.contacts", "notify.facts", "notify.sender.sms"):
        loops[name].step(1)
    assert world.states() == {"sent": 1, "spared": 1}
    world.city.close()
    world.open()
    world.send(world.received())
    world.city.pump()
    assert world.states() == {"held": 1, "sent": 1, "spared": 1, "standby": 1}
    world.city.run_for(timedelta(minutes=10))
    assert world.states() == {"sent": 2, "spared": 2}
    assert len(world.files("sms")) == 2


def test_by_smtp_the_mail_arrives_and_a_full_mailbox_is_tried_again(backend: Backend):
    backend.migrated("notify", migrate)
    with mail_peer({"RCPT": by_name(full="452 come back later")}) as peer:
        url = f"smtp://127.0.0.1:{peer.port}?starttls=no"
        world = World(backend, channel_email="smtp", smtp_url=url, channel_sms="null")
        first, full = (
            world.fact(a_contact(code, email=email, phone=None))
            for code, email in ((DOSSIER, "sau@example.vn"), ("D-2", "full@example.vn"))
        )
        world.send(first, world.received(), full, world.received("D-2"))
        world.city.pump()
        assert [to for to, _ in peer.texts] == ["sau@example.vn"]
        assert world.states() == {"failed": 1, "sent": 1}
        world.city.run_for(timedelta(minutes=2))
        with world.notify.store.read() as connection:
            (failed,) = queries.find(connection, queries.Search(states=("failed",)))
        assert (failed.tries, failed.reason) == (2, "smtp recipient: 452")
        world.close()


def test_the_tables_in_code_are_those_of_the_history(world: World):
    assert drift(world.notify.store.engine, metadata) == []


def test_every_moment_has_its_words_in_the_catalogue():
    assert {*NAMES_VI} == set(CATALOGUE_MOMENTS)
    assert {moment.code for moment in MOMENTS.values()} == {*NAMES_VI} - {CONTACT_CHANGED}
    for code in NAMES_VI:
        for channel in ("sms", "email"):
            for language in ("vi", "en"):
                assert the_catalogue().template(code, channel, language, START.date()).body


def test_contacts_come_on_a_queue_of_their_own_that_reads_nothing_else():
    queues = queues_of("notify")
    bindings = {queue.name: {exchange for exchange, _ in queue.bindings} for queue in queues}
    assert bindings == {
        "notify.facts": {DOSSIER_FACTS},
        "notify.contacts": {CITIZEN_CONTACTS},
        "notify.dead-letters": set(),  # the broker puts them there itself
    }
