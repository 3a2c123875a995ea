"""docs/asyncapi.json and docs/contract.md are current, valid, and tell the truth."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from shared.events import names
from shared.events.__main__ import DOCS, PAGES, asyncapi_text
from shared.events.asyncapi import DELIVERY_LIMIT, document
from shared.events.describe import json_schema, sample
from shared.events.reference import renewed
from shared.events.registry import KINDS

OFFICIAL = Path(__file__).parent / "data" / "asyncapi-3.1.0.schema.json"
DEPLOYED = DOCS.parent / "deploy" / "rabbitmq"
RENEW = "run `python -m shared.events`"


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    return Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def test_the_document_is_valid_asyncapi_3(official):
    faults = [
        f"{list(fault.absolute_path)}: {fault.message[:200]}"
        for fault in official.iter_errors(document())
    ]
    assert faults == []


def test_the_official_schema_would_notice_a_broken_document(official):
    broken = document()
    broken["operations"]["intake.send.facts"]["action"] = "publish"
    del broken["info"]["version"]
    assert not official.is_valid(broken)


def test_the_files_in_docs_are_current():
    assert (DOCS / "asyncapi.json").read_text(encoding="utf-8") == asyncapi_text(), RENEW
    for name, make in PAGES.items():
        page = (DOCS / name).read_text(encoding="utf-8")
        assert renewed(page, make()) == page, RENEW


def resolved(payload, root):
    if isinstance(payload, dict):
        if "$ref" in payload:
            node = root
            for step in payload["$ref"].removeprefix("#/").split("/"):
                node = node[step]
            return resolved(node, root)
        return {key: resolved(below, root) for key, below in payload.items()}
    return [resolved(below, root) for below in payload] if isinstance(payload, list) else payload


def test_every_reference_leads_somewhere_and_every_example_fits_its_own_schema():
    whole = document()
    plain = resolved(whole, whole)
    for name, message in plain["components"]["messages"].items():
        validator = Draft202012Validator(message["payload"])
        for example in message["examples"]:
            assert validator.is_valid(example["payload"]), name
    for operation in plain["operations"].values():
        assert operation["messages"]
        assert operation["channel"]["bindings"]


def test_a_reader_is_told_the_queue_that_is_really_there():
    definitions = json.loads((DEPLOYED / "definitions.json").read_text(encoding="utf-8"))
    declared = {queue["name"] for queue in definitions["queues"]}
    limits = {each["definition"]["delivery-limit"] for each in definitions["policies"]}
    queues = {
        channel["address"]: channel
        for channel in document()["channels"].values()
        if channel["bindings"]["amqp"]["is"] == "queue"
    }
    agency = queues.pop("agency.{agency}.tasks")
    others = {name for name in declared if not names.of_dead_letters(name)}
    assert set(queues) == {name for name in others if not name.startswith("agency.")}
    for told in (agency, *queues.values()):
        assert told["x-dead-letters"].split()[6].rstrip(",") in declared
    assert DELIVERY_LIMIT in limits


def test_the_json_schemas_refuse_what_the_fact_schemas_refuse():
    for fact in KINDS.values():
        validator = Draft202012Validator(json_schema(fact.cls))
        data = sample(fact)["data"]
        assert validator.is_valid(data)
        for field in msgspec.structs.fields(fact.cls):
            name = field.name
            without = {key: value for key, value in data.items() if key != name}
            assert validator.is_valid(without) == (not field.required), (fact.name, name)
            assert not validator.is_valid({**data, name: ["?", 5, None]}), (fact.name, name)


def test_the_page_names_every_fact_and_every_routing_key():
    page = (DOCS / "contract.md").read_text(encoding="utf-8")
    for fact in KINDS.values():
        assert f"### {fact.name}\n" in page
        for road in fact.addresses:
            assert f"`{road.routing_key}`" in page
