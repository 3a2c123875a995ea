"""The AsyncAPI 3.0 document of the product, generated from the registry and the schemas.

`python -m shared.events` writes it to docs/asyncapi.json; a test keeps the file current.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from shared.events import names
from shared.events.describe import json_schema, sample, sentence
from shared.events.envelope import CONTENT_TYPE
from shared.events.event import Kind
from shared.events.registry import KINDS

Node = dict[str, Any]
BINDING: Final = "0.3.0"

_ABOUT: Final = (
    "Facts, tasks and answers that carry a citizen's dossier through the agencies. Every message "
    "is a CloudEvents 1.0 event in structured JSON. Readers tolerate unknown names."
)
_EXCHANGES: Final = {
    names.DOSSIER_FACTS: ("facts", "Facts about dossiers, for all services."),
    names.CITIZEN_CONTACTS: (
        "contacts",
        "Addresses of citizens and of staff; notify alone reads them.",
    ),
    names.AGENCY_TASKS: ("tasks", "Orders to agencies, one queue for each."),
    names.AGENCY_ANSWERS: ("answers", "Answers of agencies, each under its own key."),
}


def document() -> Node:
    """The whole document as plain JSON values, in a fixed order."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:lienthong:contract",
        "info": {"title": "Liên Thông", "version": "1.0.0", "description": _ABOUT},
        "defaultContentType": CONTENT_TYPE,
        "channels": {short: _channel(exchange) for exchange, (short, _) in _EXCHANGES.items()},
        "operations": dict(_operations()),
        "components": {
            "schemas": {"envelope": _envelope()},
            "messages": {_id(fact): _message(fact) for fact in KINDS.values()},
        },
    }


def _id(fact: Kind) -> str:
    return fact.type.removeprefix(names.PREFIX)


def _channel(exchange: str) -> Node:
    mine = [fact for fact in KINDS.values() if fact.exchange == exchange]
    keys = sorted({route.routing_key for fact in mine for route in fact.addresses})
    channel: Node = {
        "address": "{routingKey}",
        "title": exchange,
        "description": _EXCHANGES[exchange][1],
        "messages": {_id(fact): {"$ref": f"#/components/messages/{_id(fact)}"} for fact in mine},
        "parameters": {"routingKey": {"description": "Three words", "examples": keys}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": exchange,
                    "type": names.EXCHANGE_KINDS[exchange],
                    "durable": True,
                    "autoDelete": False,
                },
                "bindingVersion": BINDING,
            }
        },
    }
    return channel


def _operations() -> Iterator[tuple[str, Node]]:
    for service in ("intake", "routing", "notify"):
        for exchange in _EXCHANGES:
            if mine := [fact for fact in _on(exchange) if _sends(service, fact)]:
                yield _operation("send", service, exchange, mine, "")
        for reading in names.READINGS:
            if reading.service == service:
                mine = [fact for fact in _on(reading.exchange) if _matches(reading, fact)]
                yield _operation("receive", service, reading.exchange, mine, reading.queue)
    yield _operation("send", "agency", names.AGENCY_ANSWERS, _on(names.AGENCY_ANSWERS), "")
    yield _operation(
        "receive",
        "agency",
        names.AGENCY_TASKS,
        _on(names.AGENCY_TASKS),
        names.agency_queue("<code>"),
    )


def _on(exchange: str) -> list[Kind]:
    return [fact for fact in KINDS.values() if fact.exchange == exchange]


def _sends(service: str, fact: Kind) -> bool:
    return any(route.source.split("/")[1] == service for route in fact.addresses)


def _matches(reading: names.Reading, fact: Kind) -> bool:
    firsts = {pattern.split(".")[0] for pattern in reading.patterns}
    return any(route.routing_key.split(".")[0] in firsts for route in fact.addresses)


def _operation(
    action: str, service: str, exchange: str, mine: list[Kind], queue: str
) -> tuple[str, Node]:
    short = _EXCHANGES[exchange][0]
    where = f"from the queue {queue}" if queue else f"to the exchange {exchange}"
    return f"{service}.{action}.{short}", {
        "action": action,
        "channel": {"$ref": f"#/channels/{short}"},
        "title": f"{service}: {action} {short}",
        "summary": f"{service} {action}s {where}",
        "messages": [{"$ref": f"#/channels/{short}/messages/{_id(fact)}"} for fact in mine],
    }


def _message(fact: Kind) -> Node:
    example = sample(fact)
    type_rule = {"type": "object", "properties": {"type": {"const": fact.type}}}
    data = {"type": "object", "properties": {"data": json_schema(fact.cls)}}
    return {
        "name": fact.type,
        "title": fact.name,
        "summary": sentence(fact.cls),
        "contentType": CONTENT_TYPE,
        "payload": {"allOf": [{"$ref": "#/components/schemas/envelope"}, type_rule, data]},
        "examples": [{"name": "golden", "payload": example}],
        "x-personal-data": fact.personal,
        "x-routing-keys": [route.routing_key for route in fact.addresses],
        "x-sources": [route.source for route in fact.addresses],
    }


def _envelope() -> Node:
    def text(about: str, **more: Any) -> Node:
        return {"type": "string", "minLength": 1, "description": about, **more}

    return {
        "type": "object",
        "description": "CloudEvents 1.0 envelope with our extensions",
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text("Unique inside its source; the same id is the same fact"),
            "source": text("Who states it", format="uri-reference"),
            "type": text("Wire type with its version"),
            "subject": text("Dossier code; agency code for tasks; task id for answers"),
            "time": text("When it was made, UTC", format="date-time"),
            "datacontenttype": {"const": "application/json"},
            "dataschema": text("Where its schema is told", format="uri"),
            "sequence": text("Counts from 1 per source and subject", pattern="^[0-9]{1,18}$"),
            "epoch": text(
                "Only after the maker's database was restored: the number that this stream counts"
                " on from, above all that were lost",
                pattern="^[0-9]{1,18}$",
            ),
            "follows": text(
                "Only with the first number of an epoch: the number that it comes next to, 0 for"
                " none; what lies between was lost and never comes",
                pattern="^[0-9]{1,18}$",
            ),
            "correlationid": text("The same for all that one act brought about"),
            "causationid": text("Id of the fact that brought this one about"),
            "traceparent": text("W3C trace context"),
            "after": text("Facts of other sources that come first: source:sequence, blank between"),
            "actor": text("Who did it: a kind, or kind:id with an opaque id; never a name"),
            "data": {"type": "object"},
        },
    }
