"""The envelope: CloudEvents 1.0 as structured JSON, the same bytes wherever an event is kept or sent.

Reading it leaves the data as they are: who handles an event asks for it (`Envelope.event`), and
what is only passed on or counted never pays for it.
Source: CloudEvents 1.0.2, JSON event format 1.0.2, extensions `sequence` and `traceparent`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from shared.events.errors import ContractBroken, TooLarge
from shared.events.event import Event, kind_named, read
from shared.events.names import has_nul
from shared.events.types import places
from shared.kernel.errors import Unreadable

CONTENT_TYPE: Final = "application/cloudevents+json"
#: Of a whole event: fifty times what a real one has, and a full window of them fits into the memory
#: of a container (docs/operate.md). The doors, the broker and every reader hold the same limit.
MAX_BYTES: Final = 256 * 1024
SEQUENCE_DIGITS: Final = 10

_Needed = Annotated[str, Meta(min_length=1, max_length=200)]
_Option = Annotated[str, Meta(min_length=1, max_length=1000)]
_Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,18}\Z")]
_Trace = Annotated[str, Meta(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")]
_After = Annotated[str, Meta(pattern=r"^[^\s:]+:[0-9]{1,18}(?: [^\s:]+:[0-9]{1,18})*\Z")]


class Data(Mapping[str, Any]):
    """The data of an event as they came: read as plain values only when somebody looks."""

    __slots__ = ("_plain", "json")

    def __init__(self, json: bytes) -> None:
        self.json = json
        self._plain: dict[str, Any] | None = None

    def _values(self) -> dict[str, Any]:
        if self._plain is None:
            self._plain = msgspec.json.decode(self.json)
        return self._plain

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __eq__(self, other: object) -> bool:
        return self._values() == (other._values() if isinstance(other, Data) else other)

    __hash__ = None  # type: ignore[assignment]  # as every mapping that can be compared

    def __repr__(self) -> str:
        return f"<Data, {len(self.json)} bytes>"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event with what is known about it; `time` is aware and in UTC, `sequence` counts from 1.

    Where the maker's database was restored from a backup its streams begin anew, far above every
    number that it may have forgotten: `epoch` is the number that this stream then counts on from,
    None in its first epoch, and the first event after it says which number it `follows`, 0 for
    none. Whatever lies between those two was lost with the database and never comes.
    `after` names events of other sources that the maker had applied for this subject
    (`format_after`); `actor` who did it: a kind, or a kind and an opaque id (`officer:k3f9`).
    `data` may be personal and are not shown.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]
    sequence: int | None = None
    epoch: int | None = None
    follows: int | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    after: str | None = None
    actor: str | None = None
    dataschema: str | None = None
    #: Why the rest could not be read, where this is but a glimpse; then `data` is all that came.
    fault: str | None = None

    @property
    def stream(self) -> str:
        """The stream inside which `sequence` counts without gaps."""
        return f"{self.source} {self.subject}"

    @property
    def previous(self) -> int:
        """The number of its stream that must be applied before it; 0 for none."""
        return (self.sequence or 1) - 1 if self.follows is None else self.follows

    def event(self) -> Event:
        """The event; `Unreadable` for a type outside the contract or data that do not fit."""
        kind = kind_named(self.type)
        if kind is None:
            raise Unreadable("its type is not in the contract")
        return read(kind, _data(self))

    def __repr__(self) -> str:
        number = "" if self.sequence is None else f" #{self.sequence}"
        return f"<Envelope {self.type} {self.stream}{number} id={self.id}>"

    __str__ = __repr__

    def __rich_repr__(self) -> list[Any]:
        return [self.type, self.stream]


class _Names(msgspec.Struct):
    """What tells whose message it is and which, whatever else is wrong with it."""

    id: _Needed
    source: _Needed
    type: _Needed
    subject: _Needed


class _Wire(msgspec.Struct, kw_only=True, omit_defaults=True):
    """As it stands on the wire, in this order."""

    specversion: Literal["1.0"]
    id: _Needed
    source: _Needed
    type: _Needed
    subject: _Needed
    time: Annotated[datetime, Meta(tz=True)]
    datacontenttype: Literal["application/json"] | None = None
    dataschema: _Option | None = None
    sequence: _Digits | None = None
    epoch: _Digits | None = None
    follows: _Digits | None = None
    correlationid: _Option | None = None
    causationid: _Option | None = None
    traceparent: _Trace | None = None
    after: _After | None = None
    actor: _Needed | None = None
    data: msgspec.Raw


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError("not a JSON value")


# For data that were made by hand, not by `event.write`: msgspec would turn NaN into null.
_by_hand: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
).encode
_to_json: Final = msgspec.json.Encoder().encode
_from_json: Final = msgspec.json.Decoder(_Wire).decode
_names_in: Final = msgspec.json.Decoder(_Names).decode


def encode(envelope: Envelope) -> bytes:
    """The bytes of an envelope: keys in fixed order, UTF-8, `sequence` as ten digits.

    Raises `ContractBroken`, naming the attribute and the rule, for what `decode` would refuse, and
    `TooLarge` for more than `MAX_BYTES`.
    """
    wire = _Wire(
        specversion="1.0",
        id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        subject=envelope.subject,
        time=_in_utc(envelope.time),
        datacontenttype="application/json",
        dataschema=envelope.dataschema,
        sequence=_digits(envelope.sequence),
        epoch=_digits(envelope.epoch),
        follows=_digits(envelope.follows),
        correlationid=envelope.correlationid,
        causationid=envelope.causationid,
        traceparent=envelope.traceparent,
        after=envelope.after,
        actor=envelope.actor,
        data=msgspec.Raw(_data(envelope)),
    )
    try:
        body = _to_json(wire)
        decode(body)
    except Unreadable as refused:
        raise ContractBroken(f"{refused.en} ({envelope.type})") from None
    except (TypeError, ValueError, msgspec.EncodeError):
        raise ContractBroken(f"envelope: {envelope.type} cannot be written") from None
    if len(body) > MAX_BYTES:
        raise TooLarge(
            f"{envelope.type} would have {len(body)} bytes, at most {MAX_BYTES} are taken:"
            " shorten texts and lists"
        )
    return body


def _digits(number: int | None) -> str | None:
    return None if number is None else f"{number:0{SEQUENCE_DIGITS}d}"


def _data(envelope: Envelope) -> bytes:
    if isinstance(envelope.data, Data):
        return envelope.data.json
    try:
        return _by_hand(envelope.data).encode()
    except (TypeError, ValueError):  # no JSON value, NaN, a lone surrogate
        raise ContractBroken(f"envelope: data of {envelope.type} cannot be written") from None


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ContractBroken("envelope: time must be an aware instant")
    return at.astimezone(UTC)


def decode(body: bytes) -> Envelope:
    """The envelope in these bytes; attributes that we do not know are passed over.

    Raises `Unreadable`, naming the attribute and the rule but never a value. How many bytes may come
    in is the door's business: what lies in a ledger is read whatever its size.
    """
    try:
        body.decode()  # msgspec does not look into what it passes over
        wire = _from_json(body)
        time = wire.time.astimezone(UTC)
    except msgspec.ValidationError as error:
        raise Unreadable(f"envelope: {places(error)}") from None
    except (msgspec.DecodeError, RecursionError, ValueError):  # UnicodeError is a ValueError
        raise Unreadable("envelope: not JSON in UTF-8") from None
    except OverflowError:
        raise Unreadable("envelope: time lies outside the calendar") from None
    data = bytes(wire.data)
    if not data.startswith(b"{"):
        raise Unreadable("envelope: data must be an object")
    if b"\\u" in body:
        _refuse_unstorable(body)
    sequence = _sequence(wire.sequence)
    return Envelope(
        id=wire.id,
        source=wire.source,
        type=wire.type,
        subject=wire.subject,
        time=time,
        data=Data(data),
        sequence=sequence,
        epoch=_below("epoch", wire.epoch, sequence),
        follows=_below("follows", wire.follows, sequence),
        correlationid=wire.correlationid,
        causationid=wire.causationid,
        traceparent=wire.traceparent,
        after=wire.after,
        actor=wire.actor,
        dataschema=wire.dataschema,
    )


def glimpse(body: bytes, at: datetime, fault: str) -> Envelope | None:
    """Who sent which message, of one that `decode` refuses for this `fault`; None where none can tell.

    For a reader who answers its sender: there is no event in it. `at` stands for its time.
    """
    try:
        if len(body) > MAX_BYTES or has_nul(body):
            return None
        named = _names_in(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    whole = Data(body)
    return Envelope(
        id=named.id,
        source=named.source,
        type=named.type,
        subject=named.subject,
        time=at,
        data=whole,
        fault=fault,
    )


def _refuse_unstorable(body: bytes) -> None:
    """Refuse NUL and lone surrogates, legal as JSON escapes, which no PostgreSQL text can hold."""
    if has_nul(body):
        raise Unreadable("envelope: holds a NUL, which no database keeps")
    try:
        msgspec.json.decode(body)  # also what the envelope alone would have passed over
    except (msgspec.DecodeError, RecursionError):
        raise Unreadable("envelope: not JSON in UTF-8") from None


def _sequence(digits: str | None) -> int | None:
    if digits is None:
        return None
    number = int(digits)
    if number < 1:
        raise Unreadable("envelope: sequence counts from 1")
    return number


def _below(name: str, digits: str | None, sequence: int | None) -> int | None:
    if digits is None:
        return None
    number = int(digits)
    if sequence is None or number >= sequence:
        raise Unreadable(f"envelope: {name} must be a smaller number than sequence")
    return number


def format_after(applied: Mapping[str, int] | Iterable[tuple[str, int]]) -> str | None:
    """The `after` attribute from source -> last number applied; None where there is nothing."""
    pairs = applied.items() if isinstance(applied, Mapping) else applied
    return " ".join(f"{source}:{number}" for source, number in sorted(pairs)) or None


def parse_after(after: str | None) -> tuple[tuple[str, int], ...]:
    """The pairs (source, number) of an `after` attribute that `decode` has let through."""
    if not after:
        return ()
    pairs = (pair.rpartition(":") for pair in after.split(" "))
    return tuple((source, int(number)) for source, _, number in pairs)
