"""What has outlived its term goes, and nobody at any door can tell; what is not settled stays."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from services.intake.storage.tables import dossiers, timelines
from services.routing.storage.tables import cases
from shared.catalogue import load
from shared.events.envelope import decode
from shared.events.forms import FORM_FIELDS
from shared.events.registry import KINDS
from shared.events.types import Form
from shared.messaging import OutMessage
from shared.messaging.loops.nightly import coming_night
from shared.messaging.tables import LEDGERS
from shared.settings import PROJECT, SERVICES
from simulation.kit import City, filing, open_city
from tests.backends import Backend
from tests.embedded.townsfolk import held
from tests.migrating import migrate

TOKEN = re.compile(r"<[^>]*csrf[^>]*>")
BIRTH, WARD = "2.000986", "ubnd-phuong-1"


@pytest.fixture
def city(backend: Backend) -> Iterator[City]:
    for service in SERVICES:
        backend.migrated(service, partial(migrate, service))
    with open_city(
        backend.data_dir,
        catalogue=load(PROJECT / "catalogue"),
        database={name: backend.settings(name).database_url for name in SERVICES},
        broker=None if backend.embedded else backend.amqp_url(),
    ) as made:
        yield made


def rows(city: City, service: str, table: sa.Table, subject: str | None = None) -> list[Any]:
    asked = sa.select(table)
    if subject is not None:
        asked = asked.where(table.c.subject == subject)
    with city.built.services[service].store.read() as connection:
        return list(connection.execute(asked).all())


def seen(city: City, code: str, word: str) -> dict[str, Any]:
    """What every door says of a dossier: desk, citizen, and each agency's messages."""
    desk = city.desk(WARD)
    told: dict[str, Any] = {"timeline": desk.timeline(code)}
    told["citizen"] = TOKEN.sub("", city.citizen(code, word).page())
    told["desk"] = TOKEN.sub("", desk.browser().get(f"/ho-so/{code}").text.partition("<main")[2])
    for agency in city.agencies_of(BIRTH, WARD):
        with city.agency(agency) as officers:
            messages = officers.told("GET", "/tasks?after=0")["items"]
            of_it = (each for each in messages if each["subject"] == code)
            told[agency] = [(each["id"], each["sequence"]) for each in of_it]
    return told


def finish(city: City, code: str) -> None:
    for agency in city.agencies_of(BIRTH, WARD):
        with city.agency(agency) as officers:
            officers.grant(officers.tasks(code)[0])
    city.rest()


def test_after_the_night_every_door_says_the_same_and_the_dossiers_go_on(city: City):
    desk = city.desk(WARD)
    body = filing(city.procedure(BIRTH))
    old, open_ = desk.file(body, key="the same request"), desk.submit(BIRTH)
    city.rest()
    finish(city, old.code)
    assert desk.status(old.code) == 9
    before = seen(city, old.code, old.word)
    ledgers = {
        (s, t.name): rows(city, s, t) for s in SERVICES for t in (LEDGERS.inbox, LEDGERS.outbox)
    }
    sent = [row for row in ledgers["intake", "outbox"] if row.subject == old.code]

    city.set(coming_night(city.now() + timedelta(days=400)))
    city.rest()  # the loops clear what is old
    assert seen(city, old.code, old.word) == before
    for service in SERVICES:
        assert rows(city, service, LEDGERS.inbox, old.code) == []
        assert rows(city, service, LEDGERS.outbox, old.code) == []
        for table in (LEDGERS.inbox, LEDGERS.outbox):
            mine = [row for row in ledgers[service, table.name] if row.subject == open_.code]
            now = rows(city, service, table, open_.code)
            assert set(mine) <= set(now), "what has not ended stays to the letter"
    with city.built.routing.store.read() as connection:
        forms = dict(connection.execute(sa.select(cases.c.dossier, cases.c.form)).all())
    assert forms[old.code] == {}
    assert forms[open_.code] != {}
    with city.built.intake.store.read() as connection:
        packed = connection.scalar(
            sa.select(timelines.c.facts).where(timelines.c.dossier == old.code)
        )
    for _, _, text in json.loads(zlib.decompress(bytes(packed))):
        assert not any(json.loads(text)["data"].get(name) for name in FORM_FIELDS)
    events = [decode(bytes(row.body)).event() for row in rows(city, "routing", LEDGERS.outbox)]
    told = {event.dossier for event in events if getattr(event, "form", None)}
    assert told == {open_.code}

    publisher = city.built.bus.publisher()  # everything comes once more, after all this time
    publisher.publish(
        [OutMessage(n, r.exchange, r.routing_key, bytes(r.body)) for n, r in enumerate(sent)]
    )
    publisher.close()
    city.rest()
    assert held(city.built) == []
    another = {"taker": "representative", "taker_name": "Trần Ba", "id_checked": True}
    desk.act(old.code, "return-result", {"method": "desk", **another})
    city.rest()
    assert desk.status(old.code) == 10
    assert desk.timeline(old.code)[: len(before["timeline"])] == before["timeline"]
    assert "dossier.returned" in [each["type"] for each in desk.timeline(old.code)]
    assert "returned" in [message.moment for message in city.sent(old.code)]
    assert desk.file(body, key="the same request").code != old.code, "the term of answers is over"


def test_inside_its_term_nothing_goes(city: City):
    desk = city.desk(WARD)
    body = filing(city.procedure(BIRTH))
    receipt = desk.file(body, key="the same request")
    city.rest()
    finish(city, receipt.code)
    before = [rows(city, s, t) for s in SERVICES for t in (LEDGERS.inbox, LEDGERS.outbox)]
    city.set(coming_night(city.now() + timedelta(days=88)))
    city.rest()
    assert desk.file(body, key="the same request").code == receipt.code
    assert [rows(city, s, t) for s in SERVICES for t in (LEDGERS.inbox, LEDGERS.outbox)] == before


def test_the_inbox_of_notify_keeps_no_form_and_no_id_number(city: City):
    receipt = city.desk(WARD).submit(BIRTH)
    city.rest()
    with city.built.intake.store.read() as connection:
        form = connection.scalar(sa.select(dossiers.c.form).where(dossiers.c.code == receipt.code))
    kept = b"\n".join(bytes(row.body) for row in rows(city, "notify", LEDGERS.inbox)).decode()
    assert receipt.code in kept
    numbers = [value for value in form.values() if isinstance(value, str) and value.isdecimal()]
    assert any(len(value) == 12 for value in numbers), "an ID number was filed"
    assert not any(value in kept for value in numbers if len(value) >= 9)
    for line in kept.splitlines():
        data = json.loads(line)["data"]
        assert not any(data.get(name) for name in FORM_FIELDS)


def test_every_event_that_holds_form_fields_is_known():
    holding = {
        name
        for kind in KINDS.values()
        for name, hint in kind.cls.__annotations__.items()
        if "Form" in str(hint) or hint is Form
    }
    assert {name.split(".")[-1] for name in holding} == set(FORM_FIELDS)
