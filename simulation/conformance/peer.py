"""The city's side of a trial: hands out tasks at the broker and reads what is answered.

It stands in for routing, so that what is handed out can be odd and what comes back is seen as it is.
"""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pika
from pika.exceptions import AMQPError

from shared.events import names
from shared.events.agencies import Answer, AnswerTaken, TaskAnswerRefused, TaskAssigned
from shared.events.describe import sample
from shared.events.envelope import decode
from shared.events.event import Event, kind_of
from shared.kernel.errors import Unreadable

_LOOK_SECONDS: Final = 0.1
_TOLD_SECONDS: Final = 15.0
_ANSWERS: Final = next(r.queue for r in names.READINGS if r.exchange == names.AGENCY_ANSWERS)


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer as it came: `event` is None where it breaks the contract, `fault` says how."""

    id: str
    task: str
    event: Answer | None
    fault: str
    body: bytes

    @property
    def final(self) -> bool:
        """Whether it says more than that the task was taken."""
        return self.event is not None and not isinstance(self.event, AnswerTaken)


class Peer:
    """The broker as the city uses it, for one agency."""

    def __init__(self, url: str, agency: str) -> None:
        self._agency = agency
        self._queue = names.agency_queue(agency)
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._sequence = 0
        self.heard: list[Heard] = []

    # --- handing out ----------------------------------------------------------------------------

    def assign(self, name: str, form: Mapping[str, Any] | None = None, **more: Any) -> bytes:
        """Hand out one more task of this id; the message, to be sent again."""
        body = self.message(TaskAssigned, name, form=form or {"ten": "Nguyễn Thị Sen"}, **more)
        self.put(body)
        return body

    def refuse(self, heard: Heard) -> None:
        """Say that an answer was not applied."""
        kind = heard.event and kind_of(type(heard.event)).name.removeprefix("answer.")
        self.put(
            self.message(
                TaskAnswerRefused,
                heard.task,
                answer_id=heard.id,
                kind=kind or "completed",
                rule="too_long",
                place="document",
                pointer="#/data/document",
            )
        )

    def message(self, event: type[Event], task: str, **data: Any) -> bytes:
        """A message as routing writes it, under the next number and not sent yet."""
        self._sequence += 1
        kind = kind_of(event)
        made = sample(kind)
        made |= {
            "id": f"conformance-{self._sequence}",
            "subject": self._agency,
            "sequence": f"{self._sequence:010d}",
        }
        made["data"] |= {"task": task, "agency": self._agency, **data}
        return json.dumps(made, ensure_ascii=False).encode()

    def put(self, body: bytes, **properties: Any) -> None:
        """Lay these bytes on the agency's queue."""
        about = pika.BasicProperties(delivery_mode=2, **properties)
        self._channel.basic_publish(names.AGENCY_TASKS, self._queue, body, about, mandatory=True)

    # --- trouble --------------------------------------------------------------------------------

    def take_queue_away(self) -> None:
        """Delete the queue and make it anew, as a broker's operator may."""
        self._channel.queue_delete(self._queue)
        time.sleep(0.5)
        self._channel.queue_declare(self._queue, durable=True, arguments={"x-queue-type": "quorum"})
        self._channel.queue_bind(self._queue, names.AGENCY_TASKS, self._queue)

    def waiting(self) -> int:
        """How many messages lie ready on the agency's queue."""
        return int(self._channel.queue_declare(self._queue, passive=True).method.message_count)

    def readers(self) -> int:
        """How many programs read it."""
        return int(self._channel.queue_declare(self._queue, passive=True).method.consumer_count)

    # --- listening ------------------------------------------------------------------------------

    def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Listen until it is so; False when it was not after so long."""
        end = time.monotonic() + seconds
        while True:
            self._listen()
            if true():
                return True
            if time.monotonic() >= end:
                return False
            self._connection.process_data_events(time_limit=_LOOK_SECONDS)

    def answered(self, *tasks: str) -> bool:
        """Whether each of these tasks has a final answer."""
        return set(tasks) <= {each.task for each in self.heard if each.final}

    def final_ids(self, task: str) -> set[str]:
        """The ids of a task's final answers: one, where the same answer only came again."""
        return {each.id for each in self.heard if each.task == task and each.final}

    def _listen(self) -> None:
        while True:
            method, properties, body = self._channel.basic_get(_ANSWERS, auto_ack=True)
            if method is None:
                return
            self.heard.append(self._judged(method.routing_key, properties.user_id, body))

    def _judged(self, key: str, user: str | None, body: bytes) -> Heard:
        try:
            envelope = decode(body)
            event = envelope.event()
        except Unreadable as wrong:
            return Heard("", "", None, str(wrong), body)
        kind = kind_of(type(event))
        short = kind.name.removeprefix("answer.")
        wanted = {
            "user_id": (user, self._agency),
            "source": (envelope.source, names.agency_source(self._agency)),
            "routing key": (key, names.answer_key(self._agency, short)),
            "subject": (envelope.subject, getattr(event, "task", None)),
        }
        faults = [f"{what} is {was!r}" for what, (was, is_) in wanted.items() if was != is_]
        task = str(getattr(event, "task", ""))
        if faults or not isinstance(event, Answer):
            return Heard(envelope.id, task, None, "; ".join(faults) or "no answer", body)
        return Heard(envelope.id, task, event, "", body)

    def close(self) -> None:
        """Leave the broker; one that is gone already is no fault of the program under trial."""
        try:
            self._connection.close()
        except AMQPError:
            return


def close_lines(agency: str, manage: Callable[..., Any]) -> int:
    """Close an agency's connections as a broker's operator may; how many there were.

    The broker tells of a new connection only after some seconds.
    """
    end, mine = time.monotonic() + _TOLD_SECONDS, list[str]()
    while not mine and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
        told = manage("GET", "/connections") or ()
        mine = [each["name"] for each in told if each.get("user") == agency]
    for name in mine:
        manage("DELETE", f"/connections/{urllib.parse.quote(name, safe='')}")
    return len(mine)
