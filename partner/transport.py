"""The ways between an agency and the city, as the client sees them: two seams, handed in or made.

`Transport` is the agency's queue and the way of its answers; `Http` is one request to the HTTPS
door. The kit brings both (broker.py with pika, door.py with urllib); a test or a simulation may
hand in its own, as it may hand in a clock and a source of ids. No word of AMQP or TLS here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from partner.messages import Answer

Now = Callable[[], datetime]  # the present instant, aware
NewId = Callable[[], str]  # an id that no answer of this agency ever had


def utc_now() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came, to be acknowledged by its tag on the connection it came by.

    `epoch` numbers the connection; `redelivered`: the broker itself brings it again, since it was
    not acknowledged.
    """

    body: bytes = field(repr=False)
    tag: int
    epoch: int
    redelivered: bool


class Transport(Protocol):
    """The agency's queue, and the exchange of its answers."""

    def receive(self, wait: float, /) -> list[Arrival]:
        """What has arrived, waiting at most `wait` seconds for the first."""

    def take_one(self) -> Arrival | None:
        """The next message of the queue if there is one now."""

    def acknowledge(self, arrival: Arrival, /) -> None:
        """The message may be forgotten; void where its connection is gone (it comes again)."""

    def publish(self, answer: Answer, /) -> bool:
        """Send an answer and wait until it is safe; False where it would not be taken now.

        AnswerRejected where it never will be, for its own sake.
        """

    def close(self) -> None:
        """Leave; what was not acknowledged goes back to the queue."""


class Http(Protocol):
    """One request to the door: status and body of the reply, whatever the status is.

    DoorRefused where there is no reply.
    """

    def __call__(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], /
    ) -> tuple[int, bytes]: ...
