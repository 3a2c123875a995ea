"""How a simulated agency reaches routing: by its own queue, or by the agency's HTTP door.

Lives here: taking tasks and handing in answers, each by a public way that a real agency has. Must
not: deciding what to answer (players) or looking into routing's database.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from werkzeug.test import Client

import partner
from shared.events.envelope import Envelope, decode, encode
from shared.events.facts import wire
from shared.kernel.clock import Clock, parse_instant
from shared.kernel.errors import LienThongError
from shared.messaging import Bus, OutMessage, Publisher, Subscriber

PREFETCH = 100
WAIT_SECONDS = 30.0
# what an answer is called -> the verb of the partner kit
SAYS = {
    "taken": "take",
    "completed": "complete",
    "supplement_needed": "ask",
    "refused": "refuse",
    "more_time_needed": "more_time",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agency says to a task; `id` is the agency's own, so that a repeat is harmless."""

    id: str
    task: str
    kind: str
    data: Mapping[str, Any]


class AgencyLink(Protocol):
    """An agency's way to its tasks and back."""

    code: str
    given: int  # answers handed in so far

    def collect(self) -> list[Envelope]: ...

    def answer(self, answer: Answer) -> None: ...

    def close(self) -> None: ...


class AnswerNotTaken(LienThongError):
    """The agency's door did not take an answer; carries the status, no personal data."""


class QueueLink:
    """Over the city's own bus, for the embedded bus that no stranger can connect to."""

    def __init__(self, code: str, bus: Bus, publisher: Publisher, clock: Clock) -> None:
        self.code = code
        self.given = 0
        self._bus = bus
        self._publisher = publisher
        self._clock = clock
        self._subscriber: Subscriber = bus.subscriber(f"agency.{code}.tasks", PREFETCH)

    def collect(self) -> list[Envelope]:
        deliveries = self._subscriber.receive(PREFETCH, 0)
        if deliveries:
            self._subscriber.ack_through(deliveries[-1])
        return [decode(delivery.body) for delivery in deliveries]

    def answer(self, answer: Answer) -> None:
        name = f"answer.{answer.kind}"
        envelope = Envelope(
            id=answer.id,
            source=f"/agencies/{self.code}",
            type=wire(name),
            subject=answer.task,
            time=self._clock.now(),
            data={"task": answer.task, **answer.data},
        )
        sent = self._publisher.publish(
            [
                OutMessage(
                    key=answer.id,
                    exchange="agency.answers",
                    routing_key=f"answer.{self.code}.{answer.kind}",
                    body=encode(envelope),
                    headers={},
                )
            ]
        )
        if sent.failed:
            raise AnswerNotTaken(f"agency {self.code}: answer {answer.kind} was not confirmed")
        self.given += 1

    def close(self) -> None:
        self._subscriber.close()


class WebLink:
    """Over the agency's HTTP door: catch-up by number, answers by POST.

    `rung` tells whether it is worth asking: a simulated officer does not poll an idle city.
    """

    def __init__(self, code: str, client: Client, key: str, rung: Callable[[str], bool]) -> None:
        self.code = code
        self.given = 0
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}
        self._rung = rung
        self._after = 0

    def collect(self) -> list[Envelope]:
        found: list[Envelope] = []
        more = self._rung(self.code)
        while more:
            reply = self._client.get(
                "/api/v1/tasks", query_string={"after": self._after}, headers=self._headers
            )
            if reply.status_code != 200 or reply.json is None:
                raise AnswerNotTaken(f"agency {self.code}: tasks not served ({reply.status_code})")
            found += [decode(json.dumps(item).encode()) for item in reply.json["items"]]
            self._after = reply.json["next"] or self._after
            more = reply.json["more"]
        return found

    def answer(self, answer: Answer) -> None:
        reply = self._client.post(
            f"/api/v1/tasks/{answer.task}/answers",
            json={"answer_id": answer.id, "kind": answer.kind, **answer.data},
            headers=self._headers,
        )
        if reply.status_code not in (200, 201, 202):
            raise AnswerNotTaken(
                f"agency {self.code}: answer {answer.kind} refused ({reply.status_code})"
            )
        self.given += 1

    def close(self) -> None:
        """Nothing is held open."""


# What an agency's program hands to the kit as an instant, not as text.
_INSTANTS = frozenset({"until", "respond_by"})


class PartnerLink:
    """Over the real broker with the kit that an agency installs; the kit is a stranger to us.

    `handed` tells the number of the last message handed over: the kit is polled until it came.
    """

    def __init__(self, code: str, client: partner.Client, handed: Callable[[str], int]) -> None:
        self.code = code
        self.given = 0
        self._client = client
        self._handed = handed
        self._number = 0

    def collect(self) -> list[Envelope]:
        found: list[Envelope] = []
        give_up = time.monotonic() + WAIT_SECONDS
        while self._number < self._handed(self.code):
            if time.monotonic() > give_up:
                raise AnswerNotTaken(f"agency {self.code}: its queue does not give what is on it")
            self._client.poll(lambda message: found.append(decode(message.body)), wait=0.05)
            self._number = max([self._number, *(message.sequence or 0 for message in found)])
        return found

    def answer(self, answer: Answer) -> None:
        say = getattr(self._client, SAYS[answer.kind])
        data = {
            name: parse_instant(value) if name in _INSTANTS and value is not None else value
            for name, value in answer.data.items()
        }
        say(answer.task, **data)
        self._client.flush()
        if self._client.unsent():
            raise AnswerNotTaken(f"agency {self.code}: answer {answer.kind} was not confirmed")
        self.given += 1

    def close(self) -> None:
        self._client.close()
