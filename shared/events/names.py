"""Names on the wire: sources, exchanges, queues, routing keys.  No schema and no behaviour here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "vn.lienthong."

INTAKE: Final = "/intake"
INTAKE_CONTACTS: Final = "/intake/contacts"
ROUTING: Final = "/routing"
#: What only timelines read; a source of its own, so that notify need not hear of it.
ROUTING_STEPS: Final = "/routing/steps"
ROUTING_TASKS: Final = "/routing/tasks"
#: What holds addresses of agencies' staff: by the way of contacts, which notify alone reads.
ROUTING_NOTICES: Final = "/routing/notices"
NOTIFY: Final = "/notify"
AGENCIES: Final = "/agencies/"

DOSSIER_FACTS: Final = "dossier.facts"
CITIZEN_CONTACTS: Final = "citizen.contacts"
AGENCY_TASKS: Final = "agency.tasks"
AGENCY_ANSWERS: Final = "agency.answers"

EXCHANGE_KINDS: Final[dict[str, str]] = {
    DOSSIER_FACTS: "topic",
    CITIZEN_CONTACTS: "topic",
    AGENCY_TASKS: "direct",
    AGENCY_ANSWERS: "topic",
}


_DEAD_LETTERS: Final = ".dead-letters"


@dataclass(frozen=True, slots=True)
class Reading:
    """One queue of a service and what is bound to it (whole sources, so that no number lacks)."""

    service: str
    queue: str
    exchange: str
    patterns: tuple[str, ...]


READINGS: Final[tuple[Reading, ...]] = (
    Reading("intake", "intake.facts", DOSSIER_FACTS, ("routing.*.*", "steps.*.*", "notify.*.*")),
    Reading("routing", "routing.facts", DOSSIER_FACTS, ("intake.*.*",)),
    Reading("routing", "routing.answers", AGENCY_ANSWERS, ("answer.*.*",)),
    Reading("notify", "notify.facts", DOSSIER_FACTS, ("intake.*.*", "routing.*.*")),
    Reading("notify", "notify.contacts", CITIZEN_CONTACTS, ("intake.*.*", "routing.*.*")),
)


def wire(name: str, version: int = 1) -> str:
    """The wire type of a short name: `dossier.received` is `vn.lienthong.dossier.received.v1`."""
    return f"{PREFIX}{name}.v{version}"


#: An empty fact in the place of one that could not be sent: every reader passes over it.
WITHHELD: Final = wire("fact.withheld")
#: A trial of a webhook: no fact, without a number, for whoever wants to see that it arrives.
WEBHOOK_TRIED: Final = wire("webhook.tried")
#: What it still says of the fact in whose place it stands.
WITHHELD_KEEPS: Final = ("task", "dossier", "agency")


def short(wire_type: str) -> str:
    """The short name of a wire type; a foreign type comes back unchanged."""
    if not wire_type.startswith(PREFIX):
        return wire_type
    return wire_type[len(PREFIX) :].rpartition(".v")[0]


def agency_source(agency: str) -> str:
    """The source under which an agency answers."""
    return f"{AGENCIES}{agency}"


def agency_of(source: str) -> str | None:
    """The agency code in a source `/agencies/<code>`, or None for any other source."""
    code = source.removeprefix(AGENCIES)
    return code if code and code != source and "/" not in code else None


def agency_queue(agency: str) -> str:
    """The queue of an agency, which is also the routing key of its tasks."""
    return f"agency.{agency}.tasks"


def dead_letters(service: str) -> str:
    """The queue to which the broker puts what it gave up delivering from this service's queues."""
    return service + _DEAD_LETTERS


def of_dead_letters(queue: str) -> bool:
    """Whether a queue, or the consumer named after it, is one of dead letters."""
    return queue.endswith(_DEAD_LETTERS)


def answer_key(agency: str, kind: str) -> str:
    """The routing key of an agency's answer; the broker's topic permission is bound to it."""
    return f"answer.{agency}.{kind}"


_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000").search


def has_nul(text: bytes) -> bool:
    """Whether this JSON holds a NUL, legal as an escape, which no PostgreSQL text can hold."""
    return (
        b"\\u0000" in text and _NUL(text) is not None
    )  # the first is quick, and all but always no
