"""How a simulated agency reaches routing: with the kit that a real agency installs (`partner`).

Lives here: the kit's seams for one process (the city's own bus as the queue, routing's door without
a socket), and a link that takes tasks and hands in answers. On servers the kit brings its own lines.
Must not: deciding what to answer (players) or looking into routing's database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client as WsgiClient

import partner
from partner.messages import Answer
from services.embedded.city import City
from shared.database import Store
from shared.events import names
from shared.events.agencies import TaskAnswerRefused, TaskAssigned, TaskCancelled, TaskChanged
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
    "not_ours": "not_ours",
    "sent_back": "send_back",
    "verification_needed": "verify",
}
# What an agency's program hands to the kit as an instant, not as text.
_INSTANTS = frozenset({"until", "respond_by"})


class AnswerNotTaken(LienThongError):
    """The city did not take an answer or did not serve tasks; carries no personal data."""


class BusTransport:
    """The kit's queue over the city's own bus, which no stranger can connect to.

    It keeps nothing for an agency that is not there: what is open already comes from `missed`.
    """

    def __init__(self, agency: str, bus: Bus, missed: Callable[[str], list[bytes]]) -> None:
        self._agency = agency
        self._bus = bus
        self._catch_up = missed
        self._missed: list[bytes] = []
        self._subscriber: Subscriber | None = None
        self._publisher: Publisher | None = None
        self._taken: dict[int, Delivery] = {}
        self._epoch = self._count = 0
        self._open()

    def _open(self) -> Subscriber:
        if self._subscriber is None:
            self._epoch += 1
            self._subscriber = self._bus.subscriber(names.agency_queue(self._agency), PREFETCH)
            # Only now: what is handed over between the two comes twice, and is never missed.
            self._missed = self._catch_up(self._agency)
        return self._subscriber

    def receive(self, wait: float) -> list[partner.Arrival]:
        """What has arrived, waiting at most `wait` seconds for the first."""
        return self._take(PREFETCH, wait)

    def take_one(self) -> partner.Arrival | None:
        """The next message of the queue if there is one now."""
        return next(iter(self._take(1, 0)), None)

    def _take(self, most: int, wait: float) -> list[partner.Arrival]:
        subscriber = self._open()
        arrived: list[partner.Arrival] = []
        while self._missed and len(arrived) < most:
            self._count += 1
            body = self._missed.pop(0)
            arrived.append(partner.Arrival(body, self._count, self._epoch, redelivered=False))
        if arrived:
            return arrived
        for delivery in subscriber.receive(most, wait):
            self._count += 1
            self._taken[self._count] = delivery
            body = bytes(delivery.body)
            # The bus does not say what it brings again: an answer sent twice is harmless.
            arrived.append(partner.Arrival(body, self._count, self._epoch, redelivered=False))
        return arrived

    def acknowledge(self, arrival: partner.Arrival) -> None:
        """The bus may forget a message; the kit acknowledges in the order of arrival."""
        taken = self._taken.pop(arrival.tag, None) if arrival.epoch == self._epoch else None
        if taken is not None and self._subscriber is not None:
            self._subscriber.ack_through(taken)

    def publish(self, answer: Answer) -> bool:
        """Send an answer; False where the bus does not confirm it."""
        if self._publisher is None:
            self._publisher = self._bus.publisher()
        message = OutMessage(
            key=answer.id,
            exchange=names.AGENCY_ANSWERS,
            routing_key=names.answer_key(self._agency, answer.kind),
            body=answer.body,
            user_id=self._bus.user,
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
        return client(http=door_without_a_socket(city.web), door_key=door_key)
    if city.bus.volatile:
        return client(transport=BusTransport(code, city.bus, city.unanswered_by))
    return client(url=city.bus.url, prefix=city.bus.prefix)


class Handed:
    """The number of the last message that routing made for each agency."""

    def __init__(self, store: Store) -> None:
        self._news = News([store], (TaskAssigned, TaskChanged, TaskCancelled, TaskAnswerRefused))
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
        self.given = 0  # answers handed in so far and not refused at once
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
            self.given += self._client.flush()
        except partner.PartnerError as refused:
            raise AnswerNotTaken(f"agency {self.code}: answer {kind}: {refused}") from refused
        if self._client.unsent():
            raise AnswerNotTaken(f"agency {self.code}: answer {kind} was not confirmed")

    def close(self) -> None:
        """Leave the city."""
        self._client.close()
