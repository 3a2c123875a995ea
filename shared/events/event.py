"""What every event is: a frozen class that is the fact in the domain and its schema on the wire.

`@event` enters a class into the registry: its wire name, who states it, by which way, who reads it.
Names of exchanges and keys are in `names.py`; who handles an event is each service's own table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar

import msgspec

from shared.events import names
from shared.events.errors import ContractBroken
from shared.events.names import wire
from shared.events.types import places
from shared.kernel.errors import Unreadable

Service = Literal["intake", "routing", "notify"]
Reader = Literal["intake", "routing", "notify", "agencies"]
Way = Literal["facts", "steps", "contacts", "notices", "tasks", "answers"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Root of all events.  Instants are aware UTC; printing one shows no field, as some are personal."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.subject}>"

    __str__ = __repr__

    def __rich_repr__(self) -> list[Any]:
        return [self.subject]

    @property
    def subject(self) -> str:
        """What the event is about: a dossier's code, an agency's for tasks, a task's id for answers."""
        subject: str = getattr(self, kind_of(type(self)).about)
        return subject


E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an event goes; `{agency}` stands for an agency's code."""

    source: str
    exchange: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What the registry says of one version of one event."""

    cls: type[Event]
    type: str
    way: Way
    about: str  # the field that is its subject
    addresses: tuple[Address, ...]
    read_by: tuple[Reader, ...]
    personal: bool
    instants: tuple[str, ...]  # names of its fields that hold one
    decoder: msgspec.json.Decoder[Any] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The short name, such as `dossier.received`."""
        return names.short(self.type)

    @property
    def exchange(self) -> str:
        """The exchange it travels on (the same for all its publishers)."""
        return self.addresses[0].exchange


_BY_TYPE: Final[dict[str, Kind]] = {}
_BY_CLASS: Final[dict[type[Event], Kind]] = {}
_SUBJECTS: Final[Mapping[Way, str]] = {
    "facts": "dossier",
    "steps": "dossier",
    "contacts": "dossier",
    "notices": "agency",
    "tasks": "agency",
    "answers": "task",
}


def event(
    name: str,
    *by: Service,
    read_by: tuple[Reader, ...],
    way: Way = "facts",
    personal: bool = False,
    version: int = 1,
    about: str | None = None,
) -> Callable[[type[E]], type[E]]:
    """Enter an event class into the registry.

    `by` are the services that state it, none where agencies do; `personal` says that a field of it
    may name or reach a person; `about` names its subject where that is not the one of its way.
    """

    def enter(cls: type[E]) -> type[E]:
        kind = Kind(
            type=wire(name, version),
            cls=cls,
            way=way,
            about=about or _SUBJECTS[way],
            addresses=tuple(_address(way, name, service) for service in by or ("agencies",)),
            read_by=read_by,
            personal=personal,
            instants=tuple(n for n, told in cls.__annotations__.items() if "Instant" in told),
            decoder=msgspec.json.Decoder(cls),
        )
        if kind.type in _BY_TYPE:
            raise ContractBroken(f"{kind.type} is in the registry twice")
        _BY_TYPE[kind.type] = _BY_CLASS[cls] = kind
        return cls

    return enter


def _address(way: Way, name: str, service: str) -> Address:
    if way == "tasks":
        queue = names.agency_queue("{agency}")
        return Address(names.ROUTING_TASKS, names.AGENCY_TASKS, queue)
    if way == "answers":
        key = names.answer_key("{agency}", name.partition(".")[2])
        return Address(names.agency_source("{agency}"), names.AGENCY_ANSWERS, key)
    if way == "contacts":
        return Address(names.INTAKE_CONTACTS, names.CITIZEN_CONTACTS, f"{service}.{name}")
    if way == "notices":
        return Address(names.ROUTING_NOTICES, names.CITIZEN_CONTACTS, f"{service}.{name}")
    if way == "steps":
        return Address(names.ROUTING_STEPS, names.DOSSIER_FACTS, f"steps.{name}")
    return Address(f"/{service}", names.DOSSIER_FACTS, f"{service}.{name}")


def kind_of(cls: type[Event]) -> Kind:
    """What the registry says of an event class; ContractBroken for one that was never entered."""
    try:
        return _BY_CLASS[cls]
    except KeyError:
        raise ContractBroken(f"{cls.__name__} is not in the contract") from None


def kind_named(wire_type: str) -> Kind | None:
    """What the registry says of a wire type; None for one that is not in the contract."""
    return _BY_TYPE.get(wire_type)


def kinds() -> tuple[Kind, ...]:
    """All that have been entered, in the order of their modules (import `registry` for all)."""
    return tuple(_BY_TYPE.values())


def address(happened: Event, service: str) -> Address:
    """Where an event goes when `service` states it (an agency's code stands for the service).

    Raises `ContractBroken` where this service never states it.
    """
    kind = kind_of(type(happened))
    first = kind.addresses[0]
    if kind.way == "tasks" and service == "routing":
        return _of_agency(first, happened.subject)
    if kind.way == "answers":
        return _of_agency(first, service)
    for candidate in kind.addresses:
        if candidate.source.split("/")[1] == service:
            return candidate
    raise ContractBroken(f"{kind.type} is not stated by {service}")


def _of_agency(address: Address, agency: str) -> Address:
    return Address(
        address.source.replace("{agency}", agency),
        address.exchange,
        address.routing_key.replace("{agency}", agency),
    )


_encode = msgspec.json.Encoder().encode


def write(happened: Event) -> bytes:
    """The data of an event as JSON, read back once, so that no reader refuses what we state.

    Raises `ContractBroken` naming the place and the rule, never a value.
    """
    kind = kind_of(type(happened))
    try:
        happened = _in_utc(kind, happened)
        data = _encode(happened)
        same = kind.decoder.decode(data) == happened
    except msgspec.ValidationError as error:
        raise ContractBroken(f"{kind.type} breaks its contract: {places(error)}") from None
    except (msgspec.EncodeError, TypeError, ValueError, OverflowError):
        raise ContractBroken(f"{kind.type} cannot be written as JSON") from None
    if not same:  # NaN became null, a list stands for a tuple
        raise ContractBroken(f"{kind.type} would be read as another than it is")
    if names.has_nul(data):
        raise ContractBroken(f"{kind.type} holds a NUL, which no database keeps")
    return data


def read(kind: Kind, data: bytes) -> Event:
    """The event in its data; unknown names are passed over, missing options are null.

    Raises `Unreadable` naming the place and the rule, never a value.
    """
    if names.has_nul(data):
        raise Unreadable(f"{kind.type} holds a NUL, which no database keeps")
    try:
        return _in_utc(kind, _decoded(kind, data))
    except msgspec.ValidationError as error:
        raise Unreadable(f"{kind.type} does not fit its contract: {places(error)}") from None
    except (msgspec.DecodeError, RecursionError):
        raise Unreadable(f"{kind.type}: the data are no JSON") from None
    except OverflowError:
        raise Unreadable(f"{kind.type}: an instant lies outside the calendar") from None


def _decoded(kind: Kind, data: bytes) -> Event:
    decoder: msgspec.json.Decoder[Event] = kind.decoder
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        # JSON has one kind of number, and to JSON Schema 10.0 is an integer: PHP and R write it so.
        try:
            return decoder.decode(msgspec.json.encode(_whole(msgspec.json.decode(data))))
        except (msgspec.MsgspecError, OverflowError, RecursionError):
            raise error from None


def _whole(value: Any) -> Any:
    """The same with integers in the place of floats that are whole."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {name: _whole(each) for name, each in value.items()}
    return value


def _in_utc(kind: Kind, happened: Event) -> Event:
    """The same event with all its instants told in UTC, as we write and compare them."""
    elsewhere = {
        name: at.astimezone(UTC)
        for name in kind.instants
        if isinstance(at := getattr(happened, name), datetime) and at.tzinfo not in (UTC, None)
    }
    return msgspec.structs.replace(happened, **elsewhere) if elsewhere else happened
