"""The words of the bus: what is declared, what is sent, what comes in.

Plain values only; neither kombu nor any queue lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from shared.events.envelope import MAX_BYTES
from shared.kernel.errors import LienThongError

CONTENT_TYPE = "application/cloudevents+json"
# Of a body that is too large so much is kept, for whoever has to find out whose it was.
BEGINNING: Final = 4096


def too_large(size: int) -> str | None:
    """Why a body of so many bytes is not taken; None where it is."""
    return f"too large: {size} bytes, at most {MAX_BYTES} are taken" if size > MAX_BYTES else None


class TopologyBroken(LienThongError):
    """An exchange, queue or binding is missing and this user may not make it."""

    default_vi = "Máy chủ bản tin thiếu hàng đợi hoặc điểm trung chuyển cần thiết."


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange; `kind` is topic or direct."""

    name: str
    kind: Literal["topic", "direct"] = "topic"


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue and its bindings, each (exchange name, routing key pattern).

    Where its readers `catch_up` from the sender's own ledger, one process need not wait for them.
    """

    name: str
    bindings: tuple[tuple[str, str], ...] = ()
    catch_up: bool = False


@dataclass(frozen=True, slots=True)
class OutMessage:
    """One message to send; `key` is the sender's own name for it, unique within its batch.

    A broker checks that `user_id` is the user who sends it, and tells the readers.
    """

    key: Hashable
    exchange: str
    routing_key: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a batch: the keys that are safe, and why others are not.

    What `failed` may go later, when its way is open (what is `unroutable` as well: no queue takes
    it); what is `refused` is so for its own sake. A key in none is on its way: `Publisher.confirmed`, or a later batch, tells when it is safe.
    """

    confirmed: set[Any] = field(default_factory=set)
    failed: dict[Any, str] = field(default_factory=dict)
    refused: dict[Any, str] = field(default_factory=dict)
    unroutable: set[Any] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message taken from a queue and not yet acknowledged.

    `user_id` is the broker user who sent it, checked by the broker, None where none was given.
    `fault` says why it is no message for a handler though it came. Of a body that is too large
    `body` is the beginning and `digest` the SHA-256 of all of it, in hexadecimal.
    """

    body: bytes = field(repr=False)
    tag: Any
    headers: Mapping[str, Any]
    routing_key: str
    user_id: str | None = None
    fault: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen of a queue: messages that nobody has taken, and how many read it."""

    messages: int
    readers: int


class Publisher(Protocol):
    """Sends batches; belongs to one thread."""

    def publish(self, batch: Sequence[OutMessage]) -> Sent:
        """Send all; on a broker, wait for its word on each. BrokerAway when none can be told."""

    def confirmed(self) -> set[Any]:
        """The keys that have become safe since this was last asked; it never waits."""

    def tend(self) -> None:
        """Keep an idle connection alive; cheap, never raises."""

    def close(self) -> None:
        """Let go of the connection; what was not confirmed stays the sender's."""


class Subscriber(Protocol):
    """Takes from one queue; belongs to one thread, only `wake` may be called from others."""

    def receive(self, max: int, timeout: float) -> list[Delivery]:  # noqa: A002
        """What has arrived, at most `max`; blocks up to `timeout` s only when nothing has."""

    def ack_through(self, delivery: Delivery) -> None:
        """Acknowledge this delivery and all taken before it."""

    def tend(self) -> None:
        """Keep a connection alive without handing anything out; never connects, never raises."""

    def wake(self) -> None:
        """Make a waiting `receive` return now; from any thread."""

    def close(self) -> None:
        """Stop; what was taken and not acknowledged will come again."""


class Transport(Protocol):
    """One way to carry messages: what the bus hands its work to."""

    volatile: bool
    user: str | None

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None: ...
    def not_again(self, ask: Callable[[], Collection[str]]) -> None: ...
    def publisher(self) -> Publisher: ...
    def subscriber(self, queue: str, prefetch: int) -> Subscriber: ...
    def seen(self, queue: str) -> Seen | None: ...
    def ping(self) -> None: ...
    def close(self) -> None: ...
