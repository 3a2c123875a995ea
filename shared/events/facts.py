"""The registry: every fact, task and answer with its schema, publishers and address on the wire.

What must not live here: who handles a fact (each service's own table) and how bytes travel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import marshmallow as ma

from shared.events import names
from shared.events.compiled import Check, NotThis, Read, checker, reader
from shared.events.errors import ContractBroken
from shared.events.names import wire
from shared.events.schemas import agencies, intake, notify, parts, routing
from shared.kernel.errors import Unreadable

__all__ = ["FACTS", "ContractBroken", "FactType", "Route", "check", "read", "route", "wire"]

SchemaClass = type[parts.Fact]
_FAULTS_NAMED = 8  # so many places are named in a message; more help nobody


@dataclass(frozen=True, slots=True)
class Route:
    """Where a fact of one publisher goes; `{agency}` stands for an agency code."""

    source: str
    exchange: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class FactType:
    """One version of one fact."""

    type: str
    schema: SchemaClass
    routes: tuple[Route, ...]
    personal: bool
    accepts: Check = field(repr=False, compare=False)
    parse: Read = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The short name, such as `dossier.received`."""
        return names.short(self.type)

    @property
    def exchange(self) -> str:
        """The exchange it travels on (the same for all its publishers)."""
        return self.routes[0].exchange

    @property
    def source(self) -> str:
        """The source of its first publisher."""
        return self.routes[0].source

    @property
    def routing_key(self) -> str:
        """The routing key of its first publisher."""
        return self.routes[0].routing_key


def _fact(name: str, schema: SchemaClass, *routes: Route, personal: bool = False) -> FactType:
    instance = schema()
    return FactType(wire(name), schema, routes, personal, checker(instance), reader(instance))


def _on_facts(source: str, name: str) -> Route:
    return Route(source, names.DOSSIER_FACTS, f"{source[1:]}.{name}")


def _by(schema: SchemaClass, name: str, *sources: str, personal: bool = False) -> FactType:
    routes = (_on_facts(source, name) for source in sources)
    return _fact(name, schema, *routes, personal=personal)


def _task(schema: SchemaClass, verb: str, *, personal: bool = False) -> FactType:
    road = Route(names.ROUTING_TASKS, names.AGENCY_TASKS, names.agency_queue("{agency}"))
    return _fact(f"task.{verb}", schema, road, personal=personal)


def _answer(schema: SchemaClass, kind: str, *, personal: bool = False) -> FactType:
    road = Route(
        names.agency_source("{agency}"), names.AGENCY_ANSWERS, names.answer_key("{agency}", kind)
    )
    return _fact(f"answer.{kind}", schema, road, personal=personal)


def _all() -> tuple[FactType, ...]:
    desk, way, told = names.INTAKE, names.ROUTING, names.NOTIFY
    contacts = Route(names.INTAKE_CONTACTS, names.CITIZEN_CONTACTS, "intake.contact.given")
    return (
        _by(intake.DossierRegistered, "dossier.registered", desk),
        _by(intake.DossierReceived, "dossier.received", desk, personal=True),
        _by(intake.DossierRefused, "dossier.refused", desk),
        _by(intake.SupplementRequested, "dossier.supplement_requested", desk, way),
        _by(intake.SupplementReminded, "dossier.supplement_reminded", desk),
        _by(intake.SupplementExtended, "dossier.supplement_extended", desk),
        _by(intake.DossierSupplemented, "dossier.supplemented", desk, personal=True),
        _by(intake.DossierPaid, "dossier.paid", desk),
        _by(intake.DeadlineStated, "deadline.stated", desk),
        _by(intake.DossierWithdrawn, "dossier.withdrawn", desk),
        _by(intake.DossierReturned, "dossier.returned", desk),
        _fact("contact.given", intake.ContactGiven, contacts, personal=True),
        _by(routing.DossierStarted, "dossier.started", way),
        _by(routing.PaymentRequested, "dossier.payment_requested", way),
        _by(routing.DossierStopped, "dossier.stopped", way),
        _by(routing.DossierResolved, "dossier.resolved", way),
        _by(routing.DossierExtended, "dossier.extended", way),
        _by(routing.SupplementDropped, "dossier.supplement_dropped", way),
        _by(routing.ClockStopped, "clock.stopped", way),
        _by(routing.ClockResumed, "clock.resumed", way),
        _by(routing.StepOpened, "step.opened", way),
        _by(routing.StepAnswered, "step.answered", way),
        _by(routing.Deadline, "deadline.near", way),
        _by(routing.Deadline, "deadline.missed", way),
        _task(agencies.TaskAssigned, "assigned", personal=True),
        _task(agencies.TaskChanged, "changed", personal=True),
        _task(agencies.TaskCancelled, "cancelled"),
        _answer(agencies.AnswerTaken, "taken", personal=True),
        _answer(agencies.AnswerCompleted, "completed"),
        _answer(agencies.AnswerSupplementNeeded, "supplement_needed"),
        _answer(agencies.AnswerRefused, "refused"),
        _answer(agencies.AnswerMoreTimeNeeded, "more_time_needed"),
        _by(notify.CitizenNotified, "citizen.notified", told),
        _by(notify.CitizenUnreachable, "citizen.unreachable", told),
    )


FACTS: Final[Mapping[str, FactType]] = {entry.type: entry for entry in _all()}


def route(fact_type: str, source: str) -> Route:
    """The address of a fact that `source` publishes; for tasks the key keeps its `{agency}`.

    Raises `ContractBroken` where this source never publishes this fact.
    """
    for candidate in _known(fact_type).routes:
        if candidate.source == source:
            return candidate
        agency = names.agency_of(source)
        if agency is not None and candidate.source == names.agency_source("{agency}"):
            key = candidate.routing_key.replace("{agency}", agency)
            return Route(source, candidate.exchange, key)
    raise ContractBroken(f"{fact_type} is not published by {source}")


def check(fact_type: str, data: Mapping[str, Any]) -> None:
    """Refuse what our own writers may not send: unknown names, wrong kinds, unknown types.

    Raises `ContractBroken` naming places and rules, never values.
    """
    known = _known(fact_type)
    if known.accepts(data):
        return
    faults = known.schema().validate(data)
    raise ContractBroken(f"{fact_type} breaks its schema: {_places(faults)}")


def read(fact_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The known names of a fact that came in; unknown ones are left out, missing options are null.

    Raises `Unreadable` for an unknown type or data that do not fit, naming places and rules only.
    """
    known = FACTS.get(fact_type)
    if known is None:
        raise Unreadable(f"the type {fact_type[:120]!r} is not in the contract")
    try:
        out: dict[str, Any] = known.parse(data)
    except NotThis:
        faults = known.schema(unknown=ma.EXCLUDE).validate(data)
        raise Unreadable(f"{fact_type} does not fit its schema: {_places(faults)}") from None
    return out


def _known(fact_type: str) -> FactType:
    try:
        return FACTS[fact_type]
    except KeyError:
        raise ContractBroken(f"the type {fact_type[:120]!r} is not in the contract") from None


def _places(faults: Mapping[Any, Any]) -> str:
    found = [f"{place}: {rule}" for place, rule in _walk(faults, "")]
    more = len(found) - _FAULTS_NAMED
    return "; ".join(found[:_FAULTS_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _walk(faults: Any, place: str) -> list[tuple[str, str]]:
    if isinstance(faults, Mapping):
        below = [_walk(rest, f"{place}.{name}"[:200]) for name, rest in faults.items()]
        return [row for rows in below for row in rows]
    return [(place.lstrip("."), str(rule)) for rule in faults]
