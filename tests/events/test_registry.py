"""The registry, its golden samples, and what the three services make of it."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.intake.web.telling import agencies as telling
from shared.events import names
from shared.events.agencies import AnswerTaken, TaskCancelled
from shared.events.describe import SAMPLES
from shared.events.envelope import Data, decode, encode
from shared.events.errors import ContractBroken
from shared.events.event import Event, address, kind_of, write
from shared.events.intake import (
    DossierWithdrawn,
    FileAdded,
    FileWithdrawn,
    SimilarSeen,
    SlipGiven,
    SupplementRequested,
)
from shared.events.names import wire
from shared.events.parts import Agency
from shared.events.registry import KINDS
from shared.messaging.topology import queues_of

SERVICES = ("intake", "routing", "notify")
FILES = sorted(SAMPLES.glob("*.json"))
NOON = datetime(2022, 3, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_golden_sample_decodes_reads_and_is_written_the_same_for_ever(path: Path):
    raw = json.loads(path.read_text(encoding="utf-8"))
    body = json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode()
    envelope = decode(body)
    assert encode(envelope) == body
    written = dict(Data(write(envelope.event())))
    assert _as_of(raw["data"], written) == raw["data"], "a name that came since reads as null"
    assert envelope.event().subject == envelope.subject
    assert path.name == f"{envelope.type.removeprefix(names.PREFIX)}.json"


def _as_of(then: Any, now: Any) -> Any:
    """What is written now without the empty names that nobody knew then, to any depth."""
    if isinstance(now, dict) and isinstance(then, dict):
        known = {name: value for name, value in now.items() if name in then or value is not None}
        return {name: _as_of(then.get(name), value) for name, value in known.items()}
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return [_as_of(*pair) for pair in zip(then, now, strict=True)]
    return now


def test_there_is_a_golden_sample_of_every_event():
    assert {wire(path.stem.rpartition(".v")[0]) for path in FILES} == set(KINDS)


def test_routing_keys_are_three_words_and_say_who_and_what():
    for kind in KINDS.values():
        for to in kind.addresses:
            assert len(to.routing_key.split(".")) == 3, to
            if to.exchange == names.DOSSIER_FACTS:
                assert to.routing_key == f"{to.source.split('/')[-1]}.{kind.name}"


def test_every_event_has_one_publisher_but_the_two_desks_of_a_supplement():
    several = {kind.cls for kind in KINDS.values() if len(kind.addresses) > 1}
    assert several == {SupplementRequested}


def test_an_address_depends_on_who_states_the_event():
    asked = SupplementRequested(
        dossier="d",
        round=1,
        agency=Agency(code="a", name="A"),
        items=("x",),
        reason="r",
        requested_at=NOON,
    )
    assert address(asked, "intake").routing_key == "intake.dossier.supplement_requested"
    assert address(asked, "routing").source == "/routing"
    taken = AnswerTaken(task="t-1")
    assert address(taken, "cong-an").routing_key == "answer.cong-an.taken"
    assert address(taken, "cong-an").source == "/agencies/cong-an"
    cancelled = TaskCancelled(task="t", dossier="d", agency="thue", reason="r", cancelled_at=NOON)
    assert address(cancelled, "routing").routing_key == "agency.thue.tasks"
    withdrawn = DossierWithdrawn(dossier="d", reason="r", withdrawn_at=NOON)
    for stranger in ("notify", "routing", "cong-an"):
        with pytest.raises(ContractBroken):
            address(withdrawn, stranger)
    with pytest.raises(ContractBroken):
        address(cancelled, "notify")


def test_names_go_both_ways():
    assert names.short(wire("dossier.received")) == "dossier.received"
    assert names.short("com.example.thing") == "com.example.thing"
    assert names.agency_of("/agencies/thue") == "thue"
    assert names.agency_of("/agencies/") is None
    assert names.agency_of("/intake") is None


# What an officer did and nobody acts on: it is told where it was done.
OF_THE_TIMELINE = (SimilarSeen, SlipGiven, FileAdded, FileWithdrawn)


def heard(service: str) -> set[type[Event]]:
    """What a service's table names, and what it has words for: intake's timeline tells the rest."""
    on = importlib.import_module(f"services.{service}.on")
    told = dict(telling.ROWS) if service == "intake" else {}
    beside = {cls for name in ("ANSWERS", "NOTICES") for cls in getattr(on, name, ())}
    return {row.cls for row in on.TABLE} | beside | set(told)


def test_the_tables_of_the_services_are_what_the_registry_says_of_readers():
    for service in SERVICES:
        told = {kind.cls for kind in KINDS.values() if service in kind.read_by}
        assert heard(service) == told, service
    unread = {kind.cls for kind in KINDS.values() if not kind.read_by}
    assert unread == set(OF_THE_TIMELINE), "stated and read by nobody"


def test_a_service_reads_only_what_its_queues_bring_and_nobody_but_notify_reads_contacts():
    for service in SERVICES:
        brought = {
            (exchange, pattern.split(".")[0])
            for queue in queues_of(service)
            for exchange, pattern in queue.bindings
        }
        for cls in heard(service):
            ways = {(to.exchange, to.routing_key.split(".")[0]) for to in kind_of(cls).addresses}
            assert ways & brought, (service, cls)
    private = {kind.read_by for kind in KINDS.values() if kind.exchange == names.CITIZEN_CONTACTS}
    assert private == {("notify",)}


def test_personal_events_are_marked_by_their_fields():
    for kind in KINDS.values():
        told = json.dumps(kind.cls.__annotations__, default=str)
        fields = "personal=True" in told or "Form" in told
        assert kind.personal == fields, kind.name
