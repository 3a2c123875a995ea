"""The words of the consumer: handlers, outcomes, and one thing that arrived."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Final

from shared.database import UnitOfWork
from shared.events.envelope import Envelope, decode, glimpse
from shared.events.names import short
from shared.kernel.errors import LienThongError, ParkNow, Unreadable
from shared.kernel.retry import RetryPolicy
from shared.messaging import Delivery
from shared.messaging.model import BEGINNING, too_large
from shared.messaging.sql import Waiting
from shared.messaging.tables import LATE, REFUSED

# RabbitMQ's interceptor `set_header_timestamp`, milliseconds since 1970.
_STAMP: Final = "timestamp_in_ms"
PROJECT_ROOMS = ("services", "shared", "simulation")

# Under these sources refused bytes are kept, beside the true ones, which begin with a slash.
UNREADABLE = ""
NOT_LET_IN = "?"
UNFIT = "!"


@dataclass(frozen=True, slots=True)
class Late:
    """An outcome: the fact came too late to matter; it is kept with this note, changing nothing."""

    note: str
    state: ClassVar[str] = LATE


@dataclass(frozen=True, slots=True)
class Rejected:
    """An outcome: who sent it was told why it changes nothing; it is kept with this note."""

    note: str
    state: ClassVar[str] = REFUSED


Outcome = Late | Rejected | None

#: As a type in a table of handlers: whatever is not named there.
ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Handler:
    """What to do with one type of fact, inside the unit of work that also notes it as done.

    `load` is told all facts of a batch beforehand, so that it can load in one query what `apply`
    will need for each; it changes nothing, and some of those facts may not be applied now.
    `again` looks at what comes under the id of a fact that is settled: a repeat, or something else.
    """

    apply: Callable[[UnitOfWork, Envelope], Outcome]
    load: Callable[[UnitOfWork, Sequence[Envelope]], None] | None = None
    again: Callable[[UnitOfWork, Envelope], None] | None = None


class UnknownSender(ParkNow):
    """The broker does not vouch for whom a message says it comes from."""

    default_vi = "Không xác nhận được ai gửi bản tin này."


# Raises ParkNow where a delivery is not what its envelope says, such as a forged sender.
Verify = Callable[[Envelope, Delivery], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a consumer was built with, as far as one transaction needs it."""

    name: str
    handlers: Mapping[str, Handler]
    sources: tuple[str, ...]
    policy: RetryPolicy
    verify: Verify | None = None
    # Short names of what is handled here, in whatever version.
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(short(kind) for kind in self.handlers))

    def handler(self, kind: str) -> Handler | None:
        """What is done with facts of this type; None where they are passed over."""
        return self.handlers.get(kind) or self.handlers.get(ANY)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One fact to be handled; `envelope` is None where the bytes are refused, `refusal` says why.

    `replaces` is the key under which the same bytes were kept while they were refused;
    `received_at` when they came first (UTC), None for those that come now. `routing_key` and
    `user_id` say how and by whom it was sent, as far as that is known.
    """

    source: str
    fact_id: str
    body: bytes = field(repr=False)
    envelope: Envelope | None
    refusal: str | None = None
    replaces: tuple[str, str] | None = None
    received_at: datetime | None = None
    routing_key: str | None = None
    user_id: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other fact."""
        return (self.source, self.fact_id)

    @property
    def subject(self) -> str:
        return self.envelope.subject if self.envelope else ""

    @property
    def stream(self) -> str:
        return self.envelope.stream if self.envelope else ""

    @property
    def sequence(self) -> int | None:
        return self.envelope.sequence if self.envelope else None

    @property
    def type(self) -> str:
        return self.envelope.type if self.envelope else ""


def from_delivery(
    delivery: Delivery, verify: Verify | None, glimpsed_at: datetime | None = None
) -> Arrival:
    """Read a delivery; what cannot be read, or is not let in, becomes an arrival to be parked.

    With `glimpsed_at` a broken envelope that still says whose it is goes to the handlers as well.

    A refused one is kept under the hash of its bytes, never under the id it claims: else a forged
    fact could take the place of a true one.
    """
    body = bytes(delivery.body)
    sender = _storable(delivery.routing_key), _storable(delivery.user_id)
    fault = delivery.fault or too_large(len(body))
    if fault is not None:
        digest = delivery.digest or hashlib.sha256(body).hexdigest()
        return Arrival(
            UNFIT, digest, body[:BEGINNING], None, f"unfit: {fault}", None, None, *sender
        )
    kept_as = UNREADABLE
    try:
        envelope = _read(body, glimpsed_at)
        kept_as = NOT_LET_IN
        if verify is not None:
            verify(envelope, delivery)
    except ParkNow as refused:
        fact_id = hashlib.sha256(body).hexdigest()
        return Arrival(kept_as, fact_id, body, None, reason_of(refused), None, None, *sender)
    return Arrival(envelope.source, envelope.id, body, envelope, None, None, None, *sender)


def _read(body: bytes, glimpsed_at: datetime | None) -> Envelope:
    try:
        return decode(body)
    except Unreadable as broken:
        seen = glimpse(body, glimpsed_at, broken.en) if glimpsed_at is not None else None
        if seen is None:
            raise
        return seen


def stamp_of(delivery: Delivery, now: datetime) -> datetime | None:
    """When the broker took it (UTC), by the header that it writes itself; never later than now."""
    at = delivery.headers.get(_STAMP)
    if not isinstance(at, int) or not 0 <= at <= now.timestamp() * 1000:
        return None
    return datetime.fromtimestamp(at / 1000, UTC)


def from_row(row: Waiting, verify: Verify | None) -> Arrival:
    """Take up a kept row again.

    Bytes that were refused may be let in by now (by a newer version of us, or another rule): they
    go on as the fact they are, if the sender that was noted with them is the right one.
    What was unfit stays out: it is here in part, or its sender was never known.
    """
    source, fact_id, body = row.source, row.fact_id, bytes(row.body)
    at = row.received_at.astimezone(UTC)
    refused_before = source in (UNREADABLE, NOT_LET_IN)
    if source == UNFIT:
        return Arrival(source, fact_id, body, None, "unfit: it has to be sent again, and better")
    try:
        envelope = decode(body)
        if refused_before:
            _let_in(row, envelope, verify)
    except ParkNow as refused:
        return Arrival(source, fact_id, body, None, reason_of(refused), None, at)
    replaces = (source, fact_id) if refused_before else None
    return Arrival(
        envelope.source,
        envelope.id,
        body,
        envelope,
        None,
        replaces,
        at,
        row.routing_key,
        row.user_id,
    )


def _let_in(row: Waiting, envelope: Envelope, verify: Verify | None) -> None:
    if row.routing_key is None:  # kept before senders were noted, or never sent by a key
        if row.source == NOT_LET_IN:
            raise UnknownSender("nobody knows any more who sent it")
    elif verify is not None:
        verify(envelope, Delivery(row.body, None, {}, row.routing_key, row.user_id))


def _storable(text: str | None) -> str | None:
    """A sender's word as every database can hold it."""
    if text is None or text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def reason_of(error: BaseException) -> str:
    """What may be written down of an error: our own words, or only its kind and place.

    Messages of other libraries may quote a form or a phone number.
    """
    if isinstance(error, LienThongError):
        return f"{error.code}: {error.en}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if any(f"/{room}/" in f.filename for room in PROJECT_ROOMS)]
    place = (ours or frames)[-1:] if frames else []
    told = [f"{_short(frame.filename)}:{frame.lineno}" for frame in place]
    return " at ".join([type(error).__name__, *told])


def _short(filename: str) -> str:
    for room in PROJECT_ROOMS:
        head, found, tail = filename.rpartition(f"/{room}/")
        if found and head:
            return f"{room}/{tail}"
    return filename.rpartition("/")[2]
