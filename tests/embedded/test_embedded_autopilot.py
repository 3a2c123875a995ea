"""A simulated agency on both transports: answers in time, harmless when it repeats itself."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.events.agencies import AnswerCompleted, TaskAssigned, TaskCancelled
from shared.events.envelope import Data, Envelope, decode, encode
from shared.events.event import kind_of, write
from shared.events.names import AGENCY_ANSWERS, AGENCY_TASKS, agency_queue, short
from shared.events.parts import ProcedureName, Step
from shared.kernel.clock import FixedClock
from shared.messaging import Bus, Exchange, OutMessage, Queue
from simulation.autopilot import AutopilotAgency
from tests.backends import Backend

NOW = datetime(2022, 3, 14, 2, tzinfo=UTC)
DELAY = timedelta(minutes=30)
AGENCY = "cong-an-phuong-1"


class Office:
    """One agency on autopilot, and routing's side of its two queues."""

    def __init__(self, backend: Backend) -> None:
        self.clock = FixedClock(NOW)
        self.bus = Bus(backend.amqp_url())
        queue = agency_queue(AGENCY)
        self.bus.declare(
            [Exchange(AGENCY_TASKS, "direct"), Exchange(AGENCY_ANSWERS, "topic")],
            [
                Queue(queue, ((AGENCY_TASKS, queue),)),
                Queue("routing.answers", ((AGENCY_ANSWERS, "answer.*.*"),)),
            ],
        )
        self._publisher = self.bus.publisher()
        self._answers = self.bus.subscriber("routing.answers")
        self.agency = self.hired()

    def hired(self) -> AutopilotAgency:
        return AutopilotAgency(AGENCY, self.bus, self.clock, DELAY)

    def hand_over(self, body: bytes) -> None:
        message = OutMessage("m", AGENCY_TASKS, agency_queue(AGENCY), body)
        assert self._publisher.publish([message]).failed == {}

    def assign(self, task: str) -> None:
        self.hand_over(
            order(
                TaskAssigned(
                    task=task,
                    dossier="D-1",
                    agency=AGENCY,
                    procedure=ProcedureName(code="1.004222", name="Thường trú"),
                    step=Step(code="residence", name="Đăng ký thường trú"),
                    assigned_at=NOW,
                    form={},
                    papers=(),
                    results=("KQ.G01.000001",),
                )
            )
        )

    def heard(self, count: int) -> list[Envelope]:
        """The answers so far given, of which there must be so many."""
        found: list[Envelope] = []
        end = time.monotonic() + 60
        while len(found) < count and time.monotonic() < end:
            taken = self._answers.receive(100, 0.2)
            if taken:
                self._answers.ack_through(taken[-1])
            found += [decode(bytes(one.body)) for one in taken]
        assert len(found) == count
        return found

    def work(self, count: int) -> None:
        """Let the agency do so many things."""
        done, end = 0, time.monotonic() + 60
        while done < count:
            done += self.agency.step(0.2)
            assert time.monotonic() < end
        assert self.agency.step(0) == 0

    def close(self) -> None:
        self.agency.close()
        self._publisher.close()
        self._answers.close()
        self.bus.close()


def order(event: TaskAssigned | TaskCancelled) -> bytes:
    kind = kind_of(type(event))
    return encode(
        Envelope(
            id=f"{kind.name}-{event.task}",
            source="/routing/tasks",
            type=kind.type,
            subject=AGENCY,
            time=NOW,
            data=Data(write(event)),
            sequence=1,
        )
    )


@pytest.fixture
def office(backend: Backend) -> Iterator[Office]:
    made = Office(backend)
    yield made
    made.close()


def test_a_task_is_taken_at_once_and_completed_after_the_delay(office: Office):
    office.assign("t-1")
    office.work(1)
    (taken,) = office.heard(1)
    assert (short(taken.type), taken.subject) == ("answer.taken", "t-1")
    assert office.agency.next_due() == NOW + DELAY
    office.clock.advance(DELAY)
    office.work(1)
    (completed,) = office.heard(1)
    assert completed.source == f"/agencies/{AGENCY}"
    said = completed.event()
    assert isinstance(said, AnswerCompleted)
    assert (said.outcome, said.result_code) == ("granted", "KQ.G01.000001")
    assert office.agency.next_due() is None


def test_an_agency_that_dies_before_it_answered_does_it_again_under_the_same_ids(office: Office):
    office.assign("t-1")
    office.work(1)
    office.agency.close()
    office.agency = office.hired()
    office.work(1)
    first, again = office.heard(2)
    assert first.id == again.id
    office.clock.advance(DELAY)
    office.work(1)
    assert office.heard(1)[0].id == "t-1.completed"


def test_a_task_that_was_cancelled_is_not_answered(office: Office):
    office.assign("t-1")
    office.assign("t-2")
    office.hand_over(
        order(
            TaskCancelled(
                task="t-1",
                dossier="D-1",
                agency=AGENCY,
                reason="Công dân rút hồ sơ",
                cancelled_at=NOW + timedelta(minutes=10),
            )
        )
    )
    office.work(3)
    office.heard(2)
    office.clock.advance(DELAY)
    office.work(3)
    assert [answer.subject for answer in office.heard(1)] == ["t-2"]


def test_what_it_cannot_read_does_not_stop_it(office: Office):
    office.hand_over(b"no envelope")
    office.assign("t-1")
    office.work(2)
    office.clock.advance(DELAY)
    office.work(2)
    assert [answer.subject for answer in office.heard(2)] == ["t-1", "t-1"]
