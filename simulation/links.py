"""How a simulated agency reaches routing: with the kit that a real agency installs (`partner`).

Lives here: the kit's seams for one process (the city's own bus as the queue, routing's door without
a socket), and a link that takes tasks and hands in answers. On servers the kit brings its own lines.
Must not: deciding what to answer (players) or looking into routing's database.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client as WsgiClient

import partner
from partner.messages import Answer
from services.embedded.city import City
from shared.database import Store
from shared.events import names
from shared.kernel.clock import parse_instant
from shared.kernel.errors import LienThongError
from shared.messaging import Bus, Delivery, OutMessage, Publisher, Subscriber
from simulation.news import News

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

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
# What an agency's program hands to the kit as an instant, not as text.
_INSTANTS = frozenset({"until", "respond_by"})


class AnswerNotTaken(LienThongError):
    """The city did not take an answer or did not serve tasks; carries no personal data."""


class BusTransport:
    """The kit's queue over the city's own bus, which no stranger can connect to.

    `missed` are the bodies that hand over what is open: nothing waits on that bus for a reader who
    is not there yet.
    """

    def __init__(self, agency: str, bus: Bus, missed: Iterable[bytes] = ()) -> None:
        self._agency = agency
        self._bus = bus
        self._subscriber: Subscriber | None = self._open()
        self._missed = deque(missed)
        self._publisher: Publisher | None = None
        self._taken: dict[int, Delivery] = {}
        self._epoch = self._count = 0

    def _open(self) -> Subscriber:
        return self._bus.subscriber(names.agency_queue(self._agency), PREFETCH)

    def receive(self, wait: float) -> list[partner.Arrival]:
        """What has arrived, waiting at most `wait` seconds for the first."""
        return self._take(PREFETCH, wait)

    def take_one(self) -> partner.Arrival | None:
        """The next message of the queue if there is one now."""
        return next(iter(self._take(1, 0)), None)

    def _take(self, most: int, wait: float) -> list[partner.Arrival]:
        if self._subscriber is None:
            self._epoch += 1
            self._subscriber = self._open()
        arrived: list[partner.Arrival] = []
        while self._missed and len(arrived) < most:
            self._count += 1
            body = self._missed.popleft()
            arrived.append(partner.Arrival(body, self._count, self._epoch, redelivered=False))
        room = most - len(arrived)
        deliveries = self._subscriber.receive(room, 0 if arrived else wait) if room else []
        for delivery in deliveries:
            self._count += 1
            self._taken[self._count] = delivery
            body = bytes(delivery.body)
            # The bus does not say what it brings again: an answer sent twice is harmless.
            arrived.append(partner.Arrival(body, self._count, self._epoch, redelivered=False))
        return arrived

    def acknowledge(self, arrival: partner.Arrival) -> None:
        """The bus may forget a message; the kit acknowledges in the order of arrival."""
        delivery = self._taken.pop(arrival.tag, None)  # none for what was missed
        if delivery is not None and arrival.epoch == self._epoch and self._subscriber is not None:
            self._subscriber.ack_through(delivery)

    def publish(self, answer: Answer) -> bool:
        """Send an answer; False where the bus does not confirm it."""
        if self._publisher is None:
            self._publisher = self._bus.publisher()
        message = OutMessage(
            key=answer.id,
            exchange=names.AGENCY_ANSWERS,
            routing_key=names.answer_key(self._agency, answer.kind),
            body=answer.body,
        )
        return not self._publisher.publish([message]).failed

    def close(self) -> None:
        """Leave; what was not acknowledged comes again."""
        self._taken.clear()
        for one in (self._subscriber, self._publisher):
            if one is not None:
                one.close()
        self._subscriber = self._publisher = None


def door_without_a_socket(app: WSGIApplication) -> partner.Http:
    """The kit's line to a door of this process."""
    client = WsgiClient(app)

    def ask(
        method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        reply = client.open(path, method=method, data=body, headers=dict(headers))
        return reply.status_code, reply.get_data()

    return ask


def client_of(
    code: str,
    city: City,
    *,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
    door_key: str | None = None,
) -> partner.Client:
    """The program of one agency of a city in this process; its memory ends with it.

    With a key it works by the door; else by its queue, on servers with the kit's own lines.
    """
    client = partial(
        partner.Client,
        code,
        store=":memory:",
        on_gap=lambda _: None,  # what was handed over before this program began is no gap
        now=now,
        new_id=new_id,
    )
    if door_key is not None:
        return client(http=door_without_a_socket(city.routing.web), door_key=door_key)
    if city.bus.volatile:
        return client(transport=BusTransport(code, city.bus, city.unanswered_by(code)))
    return client(url=city.bus.url, prefix=city.bus.prefix)


class Handed:
    """The number of the last message that routing made for each agency."""

    def __init__(self, store: Store) -> None:
        self._news = News([store], ("task.assigned", "task.changed", "task.cancelled"))
        self._last: dict[str, int] = {}

    def last(self, agency: str) -> int:
        """The number of the last message made for it, 0 for none."""
        for message in self._news.fresh():
            self._last[message.subject] = message.sequence or 0
        return self._last.get(agency, 0)


class AgencyLink:
    """One agency with its kit; `handed` tells the number of the last message made for it.

    A simulated officer does not poll an idle city: the kit is asked when there is something new,
    and until it came. With `behind` it begins with what is open by now, and not at number 1.
    """

    def __init__(
        self, client: partner.Client, handed: Callable[[str], int], *, behind: bool = False
    ) -> None:
        self.code = client.agency
        self.given = 0  # answers handed in so far
        self._client = client
        self._handed = handed
        self._behind = behind
        self._number = handed(self.code) if behind else 0

    def collect(self) -> list[partner.Message]:
        """The messages that came since the last time."""
        found: list[partner.Message] = []
        if self._behind:
            self._behind = False
            self._client.poll(found.append, wait=0)
        give_up = time.monotonic() + WAIT_SECONDS
        while self._number < self._handed(self.code):
            if time.monotonic() > give_up:
                raise AnswerNotTaken(f"agency {self.code}: not served what was made for it")
            if self._client.has_queue:
                self._client.poll(found.append, wait=0.05)
            else:
                self._client.catch_up(found.append)
            self._number = max([self._number, *(message.sequence for message in found)])
        return found

    def answer(self, task: str, kind: str, data: Mapping[str, Any]) -> None:
        """Say it to the city; AnswerNotTaken where it is not taken now."""
        said = {
            name: parse_instant(value) if name in _INSTANTS and value is not None else value
            for name, value in data.items()
        }
        try:
            getattr(self._client, SAYS[kind])(task, **said)
            self._client.flush()
        except partner.PartnerError as refused:
            raise AnswerNotTaken(f"agency {self.code}: answer {kind}: {refused}") from refused
        if self._client.unsent():
            raise AnswerNotTaken(f"agency {self.code}: answer {kind} was not confirmed")
        self.given += 1

    def close(self) -> None:
        """Leave the city."""
        self._client.close()
