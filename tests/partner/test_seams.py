"""The kit with its seams handed in: a clock, ids, a queue and a door that are no network."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from partner import Arrival, Client, DoorRefused, Message
from partner.errors import BadSettings
from partner.messages import Answer
from partner.signing import canonical, statement
from services.routing.domain.signing import Signer, draw, holds
from tests.partner.conftest import envelope

AGENCY = "phuong-1"
NOON = datetime(2022, 3, 1, 5, tzinfo=UTC)


class Queue:
    """A queue in a list; what was taken and not acknowledged comes again after a break."""

    def __init__(self, *numbers: int) -> None:
        self.waiting = deque(json.dumps(envelope(AGENCY, n)).encode() for n in numbers)
        self.taken: dict[int, bytes] = {}
        self.answers: list[Answer] = []
        self.takes_answers = True
        self.breaks = 0
        self._tags = itertools.count(1)

    def receive(self, wait: float) -> list[Arrival]:
        return [self._take() for _ in range(len(self.waiting))]

    def take_one(self) -> Arrival | None:
        return self._take() if self.waiting else None

    def _take(self) -> Arrival:
        tag = next(self._tags)
        self.taken[tag] = self.waiting.popleft()
        return Arrival(self.taken[tag], tag, self.breaks, redelivered=self.breaks > 0)

    def acknowledge(self, arrival: Arrival) -> None:
        if arrival.epoch == self.breaks:
            del self.taken[arrival.tag]

    def publish(self, answer: Answer) -> bool:
        if self.takes_answers:
            self.answers.append(answer)
        return self.takes_answers

    def close(self) -> None:
        self.breaks += 1
        self.waiting.extendleft(reversed(self.taken.values()))
        self.taken.clear()


def client(
    queue: Queue, store: Path | str = ":memory:", now: Callable[[], datetime] = lambda: NOON
) -> Client:
    numbers = itertools.count(1)
    return Client(
        AGENCY,
        store=store,
        transport=queue,
        now=now,
        new_id=lambda: f"answer-{next(numbers)}",
    )


def test_an_answer_has_the_id_and_the_instant_that_were_handed_in():
    queue = Queue(1)
    with client(queue) as agency:
        assert agency.has_queue
        assert agency.poll(lambda message: None) == 1
        assert agency.take("task-1") == "answer-1"
        assert agency.flush() == 1
    (answer,) = queue.answers
    told = json.loads(answer.body)
    assert (told["id"], told["time"]) == ("answer-1", "2022-03-01T05:00:00Z")
    assert told["source"] == f"/agencies/{AGENCY}"


def test_an_answer_is_signed_where_a_key_is_given_and_a_key_is_what_it_should_be():
    queue, pem = Queue(1), draw()
    with Client(AGENCY, store=":memory:", transport=queue, signing_key=pem) as agency:
        agency.poll(lambda message: agency.take(message.task, "Lê Thị Hoa") and None)
    (answer,) = queue.answers
    data = json.loads(answer.body)["data"]
    key, salt, signature = data.pop("signature").split(".")
    said = base64.b64decode(salt) + canonical(data)
    told = statement(AGENCY, answer.id, "task-1", "taken", hashlib.sha256(said).hexdigest())
    mine = Signer(pem)
    assert key == mine.key
    assert holds(mine.public, base64.b64decode(signature), told)
    for wrong in ("", "-----BEGIN PRIVATE KEY-----", pem.replace("PRIVATE", "PUBLIC")):
        with pytest.raises(BadSettings, match="PARTNER_SIGNING_KEY"):
            Client(AGENCY, store=":memory:", transport=queue, signing_key=wrong)


def test_what_a_handler_fails_at_stays_here_and_is_tried_again():
    queue = Queue(1, 2)
    clock = [NOON]
    failing = [True]

    def handle(message: Message) -> None:
        if message.sequence == 2 and failing:
            raise OSError("no disk")

    with client(queue, now=lambda: clock[0]) as agency:
        assert agency.poll(handle) == 1
        assert (queue.breaks, queue.taken, list(queue.waiting)) == (0, {}, [])
        ((failed),) = agency.aside()
        assert (failed.task, failed.waiting, failed.tries) == ("task-2", True, 1)
        failing.clear()
        assert agency.poll(handle) == 0, "it rests"
        clock[0] += timedelta(seconds=6)
        assert agency.poll(handle) == 1
        assert agency.aside() == []


def test_an_answer_that_the_queue_would_not_take_is_kept_and_sent_once_it_does(tmp_path: Path):
    queue = Queue(1)
    with client(queue, tmp_path / "agency.db") as agency:
        agency.poll(lambda message: agency.take(message.task) and None)
        queue.takes_answers = False
        agency.complete("task-1")
        assert (agency.flush(), agency.unsent()) == (0, 1)
    with client(queue, tmp_path / "agency.db") as agency:
        queue.takes_answers = True
        assert (agency.flush(), agency.unsent()) == (1, 0)
    assert [answer.kind for answer in queue.answers] == ["taken", "completed"]


class City:
    """The door as a function."""

    def __init__(self, *numbers: int) -> None:
        self.items = [envelope(AGENCY, number) for number in numbers]
        self.asked: list[tuple[str, str]] = []
        self.status, self.reply = 200, {"applied": True}

    def __call__(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        assert headers["Authorization"] == "Bearer lt_1_secret"
        self.asked.append((method, path))
        if method == "POST":
            assert headers["Content-Type"] == "application/json"
            return self.status, json.dumps(self.reply).encode()
        after = int(path.rpartition("=")[2])
        found = [item for item in self.items if int(item["sequence"]) > after]
        return 200, json.dumps({"items": found}).encode()


def by_door(city: City) -> Client:
    return Client(AGENCY, store=":memory:", http=city, door_key="lt_1_secret", now=lambda: NOON)


def test_tasks_and_answers_go_through_the_door_that_was_handed_in():
    city = City(1, 2)
    with by_door(city) as agency:
        assert not agency.has_queue
        assert agency.catch_up(lambda message: None) == 2
        agency.complete("task-2")
        assert agency.flush() == 1
        assert agency.refusals() == []
    assert city.asked[-1] == ("POST", "/api/v1/tasks/task-2/answers")


def test_an_answer_that_changes_nothing_at_the_city_is_told_and_not_sent_again():
    city = City(1)
    city.reply = {"applied": False, "note": "the task was cancelled", "state": "cancelled"}
    with by_door(city) as agency:
        agency.catch_up(lambda message: None)
        agency.complete("task-1")
        assert (agency.flush(), agency.unsent()) == (0, 0)
        assert [each[:3] for each in agency.refusals()] == [
            ("task-1", "completed", "the task was cancelled")
        ]


def test_a_refusal_of_the_door_is_told_and_a_reply_that_is_none_is_raised():
    city = City(1)
    city.status, city.reply = 422, {"title": "Unprocessable"}
    with by_door(city) as agency:
        agency.catch_up(lambda message: None)
        agency.complete("task-1")
        assert agency.flush() == 0
        assert agency.unsent() == 0, "what is wrong for good does not wait"
        (refusal,) = agency.refusals()
        assert "Unprocessable" in refusal.said
        assert [task.state for task in agency.tasks()] == ["open"], "it can be answered anew"
    with Client(AGENCY, store=":memory:", http=lambda *_: (200, b"<html>")) as agency:
        with pytest.raises(DoorRefused, match="cannot be read"):
            agency.catch_up(lambda message: None)
