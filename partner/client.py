"""The client an agency runs: tasks in, answers out, each exactly once in effect.

Used by one thread. A handler may answer while it handles: its answers and the mark "handled" are
kept together, the message is acknowledged after that, and the answers are sent until confirmed.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from partner.broker import Broker
from partner.check import Finding, findings
from partner.door import ByUrllib, Door
from partner.errors import (
    BadAnswer,
    BrokerUnreachable,
    DoorRefused,
    PartnerError,
    UnreadableMessage,
)
from partner.messages import Answer, Message, instant, items_of, read_message, write_answer
from partner.settings import Address, Tls
from partner.store import Store, Task
from partner.transport import Arrival, Http, NewId, Now, Transport, utc_now

Handler = Callable[[Message], None]
GapNotice = Callable[[range], None]

FOR_GOOD = (400, 404, 409, 410, 422)  # answers of the door that trying again cannot change
LONGEST_PAUSE = 30.0  # seconds between two attempts to connect
log = logging.getLogger("partner")


class Client:
    """One agency's end of the line.

    `url` is the broker's address with user and password (amqps in earnest); `door` and `door_key`
    serve catch-up, and answers where there is no broker; `on_gap` is told of missing numbers.

    `now`, `new_id`, `transport` (instead of `url`) and `http` (instead of `door`) are seams for
    tests and simulations: a clock, ids of answers, and the lines to queue and door.
    """

    def __init__(
        self,
        agency: str,
        *,
        store: str | Path,
        url: str | None = None,
        tls: Tls | None = None,
        door: str | None = None,
        door_key: str | None = None,
        prefetch: int = 20,
        prefix: str = "",
        on_gap: GapNotice | None = None,
        allow_plain_door: bool = False,
        now: Now = utc_now,
        new_id: NewId = lambda: str(uuid.uuid4()),
        transport: Transport | None = None,
        http: Http | None = None,
    ) -> None:
        self.agency = agency
        self._on_gap = on_gap or _warn_of_gap
        self._now, self._new_id = now, new_id
        self._broker: Broker | None = None
        if url is not None:
            self._broker = Broker(Address(url, tls), agency, prefix=prefix, prefetch=prefetch)
        self._transport: Transport | None = transport or self._broker
        if http is None and door is not None:
            http = ByUrllib(door, tls, allow_plain_door)
        self._door = None if http is None else Door(http, door_key or "")
        self._store = Store(store, now)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the broker and close the store; nothing that was taken is lost."""
        if self._transport is not None:
            self._transport.close()
        self._store.close()

    # --- taking ----------------------------------------------------------------------------

    def run(self, handler: Handler, stop: threading.Event | None = None) -> None:
        """Handle messages as they come until `stop` is set, connecting again after every break.

        An exception of the handler leaves `run`; its message was not acknowledged and comes
        again. A refused user or queue leaves as AccessDenied.
        """
        stop = stop or threading.Event()
        pause = 1.0
        while not stop.is_set():
            try:
                self.poll(handler, wait=1.0)
                pause = 1.0
            except BrokerUnreachable as away:
                log.warning("%s; trying again within %.0f s", away, pause)
                _rest(stop, pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, LONGEST_PAUSE)

    def poll(self, handler: Handler, *, wait: float = 0.0) -> int:
        """Send what is unsent and handle what has arrived, waiting at most `wait` seconds."""
        queue = self._needs_queue()
        self.flush()
        handled = 0
        with _all_or_none_of(queue):
            for arrival in queue.receive(wait):
                handled += self._handle(arrival, handler)
        if handled:
            self.flush()
        return handled

    def drain(self, handler: Handler) -> int:
        """Handle everything that lies on the queue now, then return; for runs by the clock."""
        queue = self._needs_queue()
        self.flush()
        handled = 0
        with _all_or_none_of(queue):
            while (arrival := queue.take_one()) is not None:
                handled += self._handle(arrival, handler)
        self.flush()
        return handled

    def catch_up(self, handler: Handler) -> int:
        """Fetch over HTTPS what was missed and handle it; the number of messages handled."""
        if self._door is None:
            raise PartnerError("catching up needs the address of the HTTPS door")
        missing = self._store.missing()
        after = missing[0] - 1 if missing else self._store.highest()
        handled = 0
        while bodies := self._door.tasks(after):
            for body in bodies:
                message = read_message(body)
                after = max(after, message.sequence)
                handled += self._once(message, handler)
        self.flush()
        return handled

    def _handle(self, arrival: Arrival, handler: Handler) -> int:
        try:
            message = read_message(arrival.body)
        except UnreadableMessage as unreadable:
            log.error("put aside a message that cannot be read: %s", unreadable)  # noqa: TRY400
            self._store.keep_unreadable(arrival.body, str(unreadable))
            handled = 0
        else:
            handled = self._once(message, handler, sent_anew=not arrival.redelivered)
        self._needs_queue().acknowledge(arrival)
        return handled

    def _once(self, message: Message, handler: Handler, *, sent_anew: bool = False) -> int:
        """Handle a message unless it was handled before; with its answers, all or nothing.

        Where the city sends anew what was handled before, it may have lost what was answered
        (a broker without its disk): the answers go out again, under the ids they had.
        """
        with self._store.transaction():
            known = self._store.seen(message)
            if known is not None:
                if known != message.id:
                    reason = f"number {message.sequence} came before under another id"
                    log.error("put aside a message: %s", reason)
                    self._store.keep_unreadable(message.body, reason)
                elif sent_anew:
                    self._store.send_again(message.task)
                return 0
            gap = self._store.keep(message)
            self._store.apply(message)
            handler(message)
        if gap:
            self._on_gap(gap)
        return 1

    def check(self) -> Iterator[Finding]:
        """Try the connection step by step; takes and sends nothing. PartnerError says what fails."""
        return findings(self.agency, self._broker, self._door)

    @property
    def has_queue(self) -> bool:
        """Whether messages come by a queue (`poll`); else the door must be asked (`catch_up`)."""
        return self._transport is not None

    # --- looking ---------------------------------------------------------------------------

    def tasks(self, *, closed: bool = False) -> list[Task]:
        """Open tasks by their due instant; `closed` adds the others."""
        return self._store.tasks(closed=closed)

    def task(self, task: str) -> Task:
        """One task; UnknownTask where it never came."""
        return self._store.task(task)

    def missing(self) -> list[int]:
        """Numbers of messages that have not come; `catch_up` fetches them."""
        return self._store.missing()

    def unsent(self) -> int:
        """How many answers wait to be confirmed."""
        return len(self._store.unsent(limit=1_000_000))

    # --- answering -------------------------------------------------------------------------

    def take(self, task: str, officer: str | None = None) -> str:
        """Say that somebody works on it."""
        return self._answer(task, "taken", {"officer": officer})

    def complete(
        self,
        task: str,
        outcome: str = "granted",
        *,
        result_code: str | None = None,
        document: str | None = None,
        reason: str | None = None,
        amount_vnd: int | None = None,
    ) -> str:
        """Say that it is done, granted or refused; refused needs a reason for the citizen."""
        allowed = self._store.task(task).results
        if result_code is not None and allowed and result_code not in allowed:
            raise BadAnswer(f"the result code is one of {', '.join(allowed)}")
        data = {
            "outcome": outcome,
            "result_code": result_code,
            "document": document,
            "reason": reason,
            "amount_vnd": amount_vnd,
        }
        return self._answer(task, "completed", data)

    def ask(
        self, task: str, items: Sequence[str], reason: str, respond_by: datetime | None = None
    ) -> str:
        """Say what is missing, every item in one go; the clock stops until the citizen brings it."""
        until = None if respond_by is None else instant(respond_by, "respond_by")
        data = {"items": items_of(items), "reason": reason, "respond_by": until}
        return self._answer(task, "supplement_needed", data)

    def refuse(self, task: str, reason: str) -> str:
        """Say that this task is not ours, or cannot be done."""
        return self._answer(task, "refused", {"reason": reason})

    def more_time(self, task: str, reason: str, until: datetime) -> str:
        """Say that it will be late; the citizen gets an apology with this reason and date."""
        data = {"reason": reason, "until": instant(until, "until")}
        return self._answer(task, "more_time_needed", data)

    def _answer(self, task: str, kind: str, data: Mapping[str, Any]) -> str:
        """Keep the answer (in the handler's transaction, if one is open) and return its id."""
        self._store.task(task)
        answer = write_answer(
            self.agency, task, kind, data, answer_id=self._new_id(), at=self._now()
        )
        self._store.add(answer)
        return answer.id

    def flush(self) -> int:
        """Send the answers that wait, in order; how many were confirmed.

        Raises BrokerUnreachable, AccessDenied or DoorRefused; what is unsent stays and waits,
        but for an answer that the door refuses for good or does not heed (`refusals`).
        """
        confirmed = 0
        while answers := self._store.unsent():
            for answer in answers:
                if not self._send(answer):
                    log.warning("the broker would not take an answer; it is sent again later")
                    return confirmed
                self._store.sent(answer)
                confirmed += 1
        return confirmed

    def _send(self, answer: Answer) -> bool:
        if self._transport is not None:
            return self._transport.publish(answer)
        if self._door is None:
            raise PartnerError("an answer needs the broker or the HTTPS door")
        try:
            unheeded = self._door.send(answer)
        except DoorRefused as refused:
            if refused.status in FOR_GOOD:
                self._store.refused(answer, str(refused))
            raise
        if unheeded is not None:
            self._store.refused(answer, unheeded)
        return True

    def refusals(self) -> list[tuple[str, str, str]]:
        """Answers that the door refused, or that changed nothing: (task, kind, what it said)."""
        return self._store.refusals()

    def _needs_queue(self) -> Transport:
        if self._transport is None:
            raise PartnerError("this needs the address of the broker")
        return self._transport


def _rest(stop: threading.Event, seconds: float) -> None:
    """Wait without holding the event's lock: a signal handler of this thread may set it."""
    end = time.monotonic() + seconds
    while not stop.is_set() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))


@contextmanager
def _all_or_none_of(queue: Transport) -> Iterator[None]:
    """Where a handler fails, give back at once whatever was taken and not acknowledged."""
    try:
        yield
    except BaseException:
        queue.close()
        raise


def _warn_of_gap(gap: range) -> None:
    log.warning("messages %d to %d have not come; catch up over HTTPS", gap.start, gap.stop - 1)
