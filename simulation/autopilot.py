"""Simulated agencies for `lienthong serve --autopilot`: they take their tasks and answer in time.

For trying the city out when nobody sits at the agencies. A task is acknowledged only when it was
answered, and an answer's id follows from its task's, so that a crash and a repeat are harmless.
In one process the queues die with it: an agency begins with the open tasks of routing's ledger.
Agencies that are late, refuse or ask for papers are played in simulation/.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.events.agencies import Answer, AnswerCompleted, AnswerTaken, TaskAssigned, TaskCancelled
from shared.events.envelope import Data, Envelope, decode, encode
from shared.events.event import Event, address, kind_of, write
from shared.events.names import agency_queue
from shared.kernel.clock import Clock
from shared.kernel.errors import BrokerAway, Unreadable
from shared.log import get
from shared.messaging import Bus, Delivery, OutMessage, Publisher, Subscriber
from shared.messaging.loops.loop import Loop
from shared.messaging.topology import agency_queues

OFFICER: Final = "Tự động"
# How many tasks one agency may have before it; the rest waits in its queue.
DESK_SIZE: Final = 500
_BATCH: Final = 50
#: The messages that handed an agency what it has not answered yet, as they stand in the ledger.
CatchUp = Callable[[str], Sequence[bytes]]
_log = get("city.autopilot")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A task on an agency's desk; `task` is None for a message that asks for no answer.

    `delivery` is None for what came from the ledger and not by the queue.
    """

    delivery: Delivery | None
    due_at: datetime
    task: TaskAssigned | None


class AutopilotAgency:
    """One agency: says "taken" at once and "completed, granted" after `delay`.

    Every task waits equally long, so they are answered and acknowledged in the order of arrival.
    """

    def __init__(
        self,
        code: str,
        bus: Bus,
        clock: Clock,
        delay: timedelta,
        catch_up: CatchUp = lambda _: (),
    ) -> None:
        self.name = f"autopilot.{code}"
        self._code = code
        self._bus = bus
        self._clock = clock
        self._delay = delay
        self._catch_up = catch_up
        self._behind = True
        self._subscriber: Subscriber | None = None
        self._publisher: Publisher | None = None
        self._desk: deque[_Waiting] = deque()
        self._cancelled: set[str] = set()

    def step(self, wait: float) -> int:
        """Answer what is due and take what came; wait up to `wait` s where there is neither."""
        try:
            done = self._answer_due()
            return done + self._take(0.0 if done else self._bounded(wait))
        except BrokerAway:
            # What was taken and not acknowledged comes again.
            self.close()
            raise

    def next_due(self) -> datetime | None:
        """When the oldest task is answered, UTC."""
        return self._desk[0].due_at if self._desk else None

    def wake(self) -> None:
        """End a waiting step now."""
        if self._subscriber is not None:
            self._subscriber.wake()

    def close(self) -> None:
        """Leave the queue; what is not answered comes again."""
        self._desk.clear()
        self._behind = True
        self._cancelled.clear()
        for one in (self._subscriber, self._publisher):
            if one is not None:
                one.close()
        self._subscriber = self._publisher = None

    # --- taking ---------------------------------------------------------------------------------

    def _take(self, timeout: float) -> int:
        if self._subscriber is None:
            self._subscriber = self._bus.subscriber(agency_queue(self._code), DESK_SIZE)
        missed = self._missed()
        deliveries = self._subscriber.receive(_BATCH, 0.0 if missed else timeout)
        came = [*((None, body) for body in missed), *((each, each.body) for each in deliveries)]
        due_at = self._clock.now() + self._delay
        taken: list[Answer] = []
        for delivery, body in came:
            told = _event_in(body)
            task = told if isinstance(told, TaskAssigned) else None
            self._desk.append(_Waiting(delivery, due_at, task))
            if task is not None:
                taken.append(AnswerTaken(task=task.task, officer=OFFICER))
            elif isinstance(told, TaskCancelled):
                self._cancelled.add(told.task)
        self._say(taken)
        return len(came)

    def _missed(self) -> Sequence[bytes]:
        """What is open and was handed over before it read: a broker kept that in the queue."""
        if not (self._behind and self._bus.volatile):
            return ()
        missed = self._catch_up(self._code)
        self._behind = False
        return missed

    def _bounded(self, wait: float) -> float:
        due_at = self.next_due()
        if due_at is None:
            return wait
        return max(0.0, min(wait, (due_at - self._clock.now()).total_seconds()))

    # --- answering ------------------------------------------------------------------------------

    def _answer_due(self) -> int:
        now = self._clock.now()
        due = [one for one in list(self._desk)[:_BATCH] if one.due_at <= now]
        if not due or self._subscriber is None:
            return 0
        tasks = [one.task for one in due if one.task is not None]
        self._say([_completed(task) for task in tasks if task.task not in self._cancelled])
        answered = [one.delivery for one in due if one.delivery is not None]
        if answered:
            self._subscriber.ack_through(answered[-1])
        for _ in due:
            self._desk.popleft()
        self._cancelled.difference_update(task.task for task in tasks)
        return len(due)

    def _say(self, answers: Sequence[Answer]) -> None:
        if not answers:
            return
        if self._publisher is None:
            self._publisher = self._bus.publisher()
        sent = self._publisher.publish([self._message(answer) for answer in answers])
        if sent.failed:
            raise BrokerAway(f"{len(sent.failed)} answers were not confirmed")

    def _message(self, answer: Answer) -> OutMessage:
        to, kind = address(answer, self._code), kind_of(type(answer))
        envelope = Envelope(
            id=f"{answer.task}.{kind.name.removeprefix('answer.')}",
            source=to.source,
            type=kind.type,
            subject=answer.task,
            time=self._clock.now(),
            data=Data(write(answer)),
        )
        return OutMessage(
            envelope.id, to.exchange, to.routing_key, encode(envelope), user_id=self._bus.user
        )


def autopilots(
    codes: Sequence[str],
    bus: Bus,
    clock: Clock,
    *,
    delay: timedelta = timedelta(seconds=3),
    catch_up: CatchUp,
) -> list[Loop]:
    """One simulated agency for each code; also those that have no queue get one on a broker."""
    if not bus.volatile:
        bus.declare((), agency_queues(codes))
    return [AutopilotAgency(code, bus, clock, delay, catch_up) for code in codes]


def _completed(task: TaskAssigned) -> AnswerCompleted:
    return AnswerCompleted(
        task=task.task,
        outcome="granted",
        result_code=next(iter(task.results), None),
        document=f"TĐ-{task.task[-8:]}",
    )


def _event_in(body: bytes) -> Event | None:
    """What a message tells; None for one that cannot be read: it asks for no answer."""
    try:
        return decode(body).event()
    except Unreadable as broken:
        _log.warning("autopilot.unreadable", reason=broken.code)
        return None
