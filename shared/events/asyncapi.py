"""The AsyncAPI 3.1 document of the product, generated from the registry and the schemas.

`python -m shared.events` writes it to docs/asyncapi.json; a test keeps the file current.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from shared.events import names
from shared.events.describe import json_schema, sample, sentence
from shared.events.envelope import CONTENT_TYPE, MAX_BYTES
from shared.events.event import Kind
from shared.events.registry import KINDS

Node = dict[str, Any]
BINDING: Final = "0.3.0"

_ABOUT: Final = (
    "Facts, tasks and answers that carry a citizen's dossier through the agencies. Every message "
    "is a CloudEvents 1.0 event in structured JSON. Readers tolerate unknown names."
)
_WORD: Final = "One word of letters, digits, _ and -"
_AGENCY: Final[Node] = {"agency": {"description": "Your agency code, such as cong-an-cao-lanh"}}
_FACT: Final[Node] = {
    "sender": {"description": "intake, routing, steps or notify"},
    "subject": {"description": _WORD},
    "act": {"description": _WORD},
}
#: Short name, address, its parameters and words of each exchange.
_EXCHANGES: Final = {
    names.DOSSIER_FACTS: (
        "facts",
        "{sender}.{subject}.{act}",
        _FACT,
        "Facts about dossiers, for all services.",
    ),
    names.CITIZEN_CONTACTS: (
        "contacts",
        "{sender}.{subject}.{act}",
        _FACT,
        "Addresses of citizens and of staff; notify alone reads them.",
    ),
    names.AGENCY_TASKS: (
        "tasks",
        names.agency_queue("{agency}"),
        _AGENCY,
        "Orders to agencies, one queue for each.",
    ),
    names.AGENCY_ANSWERS: (
        "answers",
        names.answer_key("{agency}", "{kind}"),
        {**_AGENCY, "kind": {"description": "The kind of answer, as in its type"}},
        (
            "Answers of agencies, each under its own key. A confirm is the broker's: it says that "
            "the answer is safe, not that it was applied. The verdict comes as "
            "task.answer_refused on the agency's queue, or nothing comes."
        ),
    ),
}
#: How many times the broker delivers anew what was given back (deploy/rabbitmq holds it so).
DELIVERY_LIMIT: Final = 20
_READ_BY_AGENCIES: Final = "agency-queue"
_RULES: Final[Node] = {
    "x-order": "By sequence, for each source and subject; a gap means that one is on its way or "
    "lost. At least once: what has a known id, or a sequence already seen, may be dropped.",
    "x-retry": f"What is given back, or lost with a connection, comes again {DELIVERY_LIMIT} times.",
    "x-size": f"A message has at most {MAX_BYTES} bytes.",
}
_TASK_RULES: Final[Node] = {
    "x-retention": "A message stays on the queue until it is acknowledged, and at the HTTPS door "
    "under its sequence; the citizen's form in it goes a year after the dossier was closed.",
    "x-lifetime": "A task has no end of its own: it is open until it is answered, or cancelled by "
    "task.cancelled. What nobody took, answered or fetched within 4 working hours is put on the "
    "queue again, then once every working day, twenty times, under its old id and sequence.",
}
_USER: Final = "user"
_CERTIFICATE: Final = "certificate"


def document() -> Node:
    """The whole document as plain JSON values, in a fixed order."""
    return {
        "asyncapi": "3.1.0",
        "id": "urn:lienthong:contract",
        "info": {"title": "Liên Thông", "version": "1.0.0", "description": _ABOUT},
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server()},
        "channels": {
            **{told[0]: _exchange(exchange) for exchange, told in _EXCHANGES.items()},
            **dict(_queues()),
        },
        "operations": dict(_operations()),
        "components": {
            "securitySchemes": _security(),
            "schemas": {"envelope": _envelope()},
            "messages": {_id(fact): _message(fact) for fact in KINDS.values()},
        },
    }


def text() -> str:
    """The document as it stands in docs/asyncapi.json."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def _id(fact: Kind) -> str:
    return fact.type.removeprefix(names.PREFIX)


def _server() -> Node:
    return {
        "host": "{host}:{port}",
        "pathname": "/{vhost}",
        "protocol": "amqps",
        "protocolVersion": "0.9.1",
        "title": "The city's RabbitMQ",
        "description": "Declare and bind nothing: exchanges and queues are there.",
        "variables": {
            "host": {"default": "broker.city.example", "description": "The city tells it"},
            "port": {"default": "5671", "description": "5671 with TLS; 5672 without, inside"},
            "vhost": {"default": "%2F", "description": "The virtual host, percent-encoded"},
        },
        "security": [
            {"$ref": f"#/components/securitySchemes/{each}"} for each in (_USER, _CERTIFICATE)
        ],
    }


def _security() -> Node:
    return {
        _USER: {
            "type": "userPassword",
            "description": "An agency's user is its code, after each new password with a number (code.2); user_id of a message is the user who sends it.",
        },
        _CERTIFICATE: {
            "type": "X509",
            "description": "A client certificate whose common name is the agency's code (EXTERNAL).",
        },
    }


def _exchange(exchange: str) -> Node:
    mine = _on(exchange)
    _, address, parameters, about = _EXCHANGES[exchange]
    return {
        "address": address,
        "title": exchange,
        "description": about,
        "messages": _references(mine),
        "parameters": parameters,
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
        "x-routing-keys": sorted({route.routing_key for fact in mine for route in fact.addresses}),
    }


def _queues() -> Iterator[tuple[str, Node]]:
    """Each queue that somebody reads, under the name that the broker has for it."""
    for reading in names.READINGS:
        mine = [fact for fact in _on(reading.exchange) if _matches(reading, fact)]
        about = (
            f"What {reading.service} reads: {', '.join(reading.patterns)} of {reading.exchange}."
        )
        yield _short(reading.queue), _queue(reading.queue, about, mine, reading.service)
    about = "What the agency reads; nobody else can."
    tasks = _queue(names.agency_queue("{agency}"), about, _on(names.AGENCY_TASKS), "routing")
    yield _READ_BY_AGENCIES, {**tasks, "parameters": _AGENCY, **_TASK_RULES}


def _short(queue: str) -> str:
    return queue.replace(".", "-")


def _queue(queue: str, about: str, mine: list[Kind], owner: str) -> Node:
    dead = f"After that it is put into {names.dead_letters(owner)}, where {owner} keeps it for the"
    return {
        "address": queue,
        "title": queue,
        "description": about,
        "messages": _references(mine),
        "bindings": {
            "amqp": {
                "is": "queue",
                "queue": {
                    "name": queue,
                    "durable": True,
                    "exclusive": False,
                    "autoDelete": False,
                },
                "bindingVersion": BINDING,
            }
        },
        **_RULES,
        "x-dead-letters": f"{dead} city's operators; it can be sent again under its id.",
    }


def _references(mine: list[Kind]) -> Node:
    return {_id(fact): {"$ref": f"#/components/messages/{_id(fact)}"} for fact in mine}


def _operations() -> Iterator[tuple[str, Node]]:
    for service in ("intake", "routing", "notify"):
        for exchange in _EXCHANGES:
            if mine := [fact for fact in _on(exchange) if _sends(service, fact)]:
                yield _sending(service, exchange, mine)
        for reading in names.READINGS:
            if reading.service == service:
                mine = [fact for fact in _on(reading.exchange) if _matches(reading, fact)]
                yield _receiving(service, _short(reading.queue), reading.queue, mine)
    yield _sending("agency", names.AGENCY_ANSWERS, _on(names.AGENCY_ANSWERS))
    queue = names.agency_queue("<code>")
    yield _receiving("agency", _READ_BY_AGENCIES, queue, _on(names.AGENCY_TASKS))


def _on(exchange: str) -> list[Kind]:
    return [fact for fact in KINDS.values() if fact.exchange == exchange]


def _sends(service: str, fact: Kind) -> bool:
    return any(route.source.split("/")[1] == service for route in fact.addresses)


def _matches(reading: names.Reading, fact: Kind) -> bool:
    firsts = {pattern.split(".")[0] for pattern in reading.patterns}
    return any(route.routing_key.split(".")[0] in firsts for route in fact.addresses)


def _sending(who: str, exchange: str, mine: list[Kind]) -> tuple[str, Node]:
    short = _EXCHANGES[exchange][0]
    summary = f"{who} sends to the exchange {exchange}"
    return f"{who}.send.{short}", _operation("send", short, summary, mine)


def _receiving(who: str, channel: str, queue: str, mine: list[Kind]) -> tuple[str, Node]:
    summary = f"{who} receives from the queue {queue}"
    what = "tasks" if channel == _READ_BY_AGENCIES else channel.partition("-")[2]
    return f"{who}.receive.{what}", _operation("receive", channel, summary, mine)


def _operation(action: str, channel: str, summary: str, mine: list[Kind]) -> Node:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "title": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{_id(fact)}"} for fact in mine],
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
    def of(about: str, **more: Any) -> Node:
        return {"type": "string", "minLength": 1, "description": about, **more}

    return {
        "type": "object",
        "description": "CloudEvents 1.0 envelope with our extensions",
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": of("Unique inside its source; the same id is the same fact"),
            "source": of("Who states it", format="uri-reference"),
            "type": of("Wire type with its version"),
            "subject": of("Dossier code; agency code for tasks and day_sums; task id for answers"),
            "time": of("When it was made, UTC", format="date-time"),
            "datacontenttype": {"const": "application/json"},
            "dataschema": of("Where its schema is told", format="uri"),
            "sequence": of("Counts from 1 per source and subject", pattern="^[0-9]{1,18}$"),
            "epoch": of(
                "Only after the maker's database was restored: the number that this stream counts"
                " on from, above all that were lost",
                pattern="^[0-9]{1,18}$",
            ),
            "follows": of(
                "Only with the first number of an epoch: the number that it comes next to, 0 for"
                " none; what lies between was lost and never comes",
                pattern="^[0-9]{1,18}$",
            ),
            "correlationid": of("The same for all that one act brought about"),
            "causationid": of("Id of the fact that brought this one about"),
            "traceparent": of("W3C trace context"),
            "after": of("Facts of other sources that come first: source:sequence, blank between"),
            "actor": of("Who did it: a kind, or kind:id with an opaque id; never a name"),
            "data": {"type": "object"},
        },
    }
