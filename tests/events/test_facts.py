"""The registry, its golden samples, and what the three services make of it."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

from shared.events import names
from shared.events.describe import SAMPLES
from shared.events.envelope import decode, encode
from shared.events.errors import ContractBroken
from shared.events.facts import FACTS, check, read, route, wire

FILES = sorted(SAMPLES.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_golden_sample_decodes_and_reads_for_ever(path: Path):
    raw = json.loads(path.read_text(encoding="utf-8"))
    body = json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode()
    envelope = decode(body)
    assert encode(envelope) == body
    assert read(envelope.type, envelope.data) == dict(envelope.data)
    assert path.name == f"{names.short(envelope.type)}.v1.json"


def test_there_is_a_golden_sample_of_every_fact():
    assert {path.stem for path in FILES} == {f"{fact.name}.v1" for fact in FACTS.values()}


def test_every_sample_that_we_write_ourselves_passes_the_strict_check():
    for path in FILES:
        raw = json.loads(path.read_text(encoding="utf-8"))
        check(raw["type"], raw["data"])


def test_routing_keys_are_three_words_and_say_who_and_what():
    for fact in FACTS.values():
        for road in fact.routes:
            assert len(road.routing_key.split(".")) == 3, road
            if road.exchange == names.DOSSIER_FACTS:
                assert road.routing_key == f"{road.source[1:]}.{fact.name}"


def test_every_fact_has_one_publisher_but_the_two_desks_of_a_supplement():
    several = {fact.name for fact in FACTS.values() if len(fact.routes) > 1}
    assert several == {"dossier.supplement_requested"}


def test_a_route_is_found_by_source_and_an_agency_fills_in_its_code():
    asked = wire("dossier.supplement_requested")
    assert route(asked, names.INTAKE).routing_key == "intake.dossier.supplement_requested"
    assert route(asked, names.ROUTING).routing_key == "routing.dossier.supplement_requested"
    answer = route(wire("answer.taken"), names.agency_source("cong-an-cao-lanh"))
    assert answer.routing_key == "answer.cong-an-cao-lanh.taken"
    with pytest.raises(ContractBroken):
        route(asked, names.NOTIFY)
    with pytest.raises(ContractBroken):
        route(wire("dossier.received"), names.agency_source("cong-an-cao-lanh"))


def test_names_go_both_ways():
    assert names.short(wire("dossier.received")) == "dossier.received"
    assert names.short("com.example.thing") == "com.example.thing"
    assert names.agency_of("/agencies/thue") == "thue"
    assert names.agency_of("/agencies/") is None
    assert names.agency_of("/intake") is None


def _handled(service: str) -> set[str]:
    module = importlib.import_module(f"services.{service}.messaging.incoming")
    named = re.compile(r"(\w+_)?TYPES|ANSWERS")
    tables = [getattr(module, name) for name in dir(module) if named.fullmatch(name)]
    return {fact_type for table in tables for fact_type in table}


def test_every_fact_has_a_reader_and_nobody_reads_what_is_not_written():
    """A task's reader is the agency itself; all else is handled by one of the services."""
    handled = {service: _handled(service) for service in ("intake", "routing", "notify")}
    read_somewhere = set().union(*handled.values())
    orders = {fact.type for fact in FACTS.values() if fact.exchange == names.AGENCY_TASKS}
    assert read_somewhere - set(FACTS) == set(), "handled but not in the contract"
    assert set(FACTS) - read_somewhere - orders == set(), "published but read by nobody"


def test_nobody_but_notify_handles_contacts_and_a_service_reads_only_what_its_queues_bring():
    for service in ("intake", "routing", "notify"):
        brought = {
            fact.type
            for fact in FACTS.values()
            for road in fact.routes
            for reading in names.READINGS
            if reading.service == service and reading.exchange == road.exchange
            if any(
                pattern.split(".")[0] == road.routing_key.split(".")[0]
                for pattern in reading.patterns
            )
        }
        assert _handled(service) - brought == set(), service
    assert wire("contact.given") not in _handled("intake") | _handled("routing")


def test_the_queues_that_services_declare_are_those_of_the_contract():
    for reading in names.READINGS:
        topology = importlib.import_module(f"services.{reading.service}.messaging.topology")
        declared = {queue.name: set(queue.bindings) for queue in topology.QUEUES}
        assert declared[reading.queue] == {(reading.exchange, key) for key in reading.patterns}
