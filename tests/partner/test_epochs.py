"""The kit after the city's database was restored from a backup: it goes on, and answers once more."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from partner import Client, Message
from tests.partner.conftest import envelope
from tests.partner.test_seams import AGENCY, City, Queue, by_door, client

EPOCH = 218_000_000_000
MADE = datetime(2022, 3, 1, 2, tzinfo=UTC)  # as the messages of these tests say


def body(number: int, **more: Any) -> bytes:
    follows, epoch = more.pop("follows", None), more.pop("epoch", None)
    told = envelope(AGENCY, number, **more)
    if epoch is not None:
        told["epoch"] = f"{epoch:010d}"
    if follows is not None:
        told["follows"] = f"{follows:010d}"
    return json.dumps(told).encode()


def first_anew(follows: int, **more: Any) -> bytes:
    return body(EPOCH + 1, epoch=EPOCH, follows=follows, **more)


def seen_by(agency: Client) -> tuple[Callable[[Message], None], list[int]]:
    seen: list[int] = []
    return (lambda message: seen.append(message.sequence)), seen


def put(queue: Queue, *bodies: bytes) -> None:
    queue.waiting.extend(bodies)


def test_numbers_that_were_lost_with_the_database_are_no_gap():
    gaps: list[range] = []
    queue = Queue(1, 2, 3)
    with Client(AGENCY, store=":memory:", transport=queue, on_gap=gaps.append) as agency:
        handle, seen = seen_by(agency)
        agency.poll(handle)
        put(queue, first_anew(follows=2), body(EPOCH + 2, epoch=EPOCH))
        agency.poll(handle)
        assert seen == [1, 2, 3, EPOCH + 1, EPOCH + 2]
        assert (gaps, agency.missing(), agency.unreadable()) == ([], [], [])


def test_numbers_that_the_backup_still_has_are_a_gap_and_the_lost_ones_are_not():
    gaps: list[range] = []
    queue = Queue(1, 6)
    with Client(AGENCY, store=":memory:", transport=queue, on_gap=gaps.append) as agency:
        agency.poll(lambda _: None)
        assert agency.missing() == [range(2, 6)]
        put(queue, first_anew(follows=3))
        agency.poll(lambda _: None)
        assert agency.missing() == [range(2, 4)]
        put(queue, body(3), body(2))
        agency.poll(lambda _: None)
        assert agency.missing() == []
    assert gaps == [range(2, 6)]
    queue = Queue(1)
    with Client(AGENCY, store=":memory:", transport=queue, on_gap=gaps.append) as agency:
        agency.poll(lambda _: None)
        put(queue, first_anew(follows=3))
        agency.poll(lambda _: None)
        assert agency.missing() == [range(2, 4)]
    assert gaps[1:] == [range(2, 4)]


def test_a_task_that_the_city_forgot_and_assigns_again_is_not_done_twice_but_answered_again():
    queue = Queue(1, 2)

    def handle(message: Message) -> None:
        done.append(message.task)
        agency.complete(message.task)

    done: list[str] = []
    with client(queue) as agency:
        agency.poll(handle)
        assert done == ["task-1", "task-2"]
        queue.answers.clear()
        put(queue, first_anew(follows=1, task="task-2", id="m-anew"))
        agency.poll(handle)
        agency.poll(handle)
        assert done == ["task-1", "task-2"]
        assert {answer.task for answer in queue.answers} >= {"task-2"}
        assert len({answer.id for answer in queue.answers if answer.task == "task-2"}) == 1
        assert agency.task("task-2").state == "completed"


@pytest.mark.parametrize("hours", [0, 3])
def test_what_was_answered_since_the_last_message_of_the_backup_is_sent_again(hours: int):
    clock = [MADE - timedelta(hours=2)]
    queue = Queue(1, 2)
    with client(queue, now=lambda: clock[0]) as agency:
        agency.poll(lambda _: None)
        agency.complete("task-1")
        agency.flush()
        clock[0] = MADE + timedelta(hours=hours)
        agency.complete("task-2")
        agency.flush()
        queue.answers.clear()
        put(queue, first_anew(follows=2))
        agency.poll(lambda _: None)
        agency.poll(lambda _: None)
        # Messages 1 and 2 came before task-1 was answered, by the agency's clock.
        assert [answer.task for answer in queue.answers] == ["task-1", "task-2"]
        assert [answer.id for answer in queue.answers] == ["answer-1", "answer-2"]
        queue.answers.clear()
        clock[0] += timedelta(hours=6)
        put(queue, first_anew(follows=2))  # once more, as a broker may
        agency.poll(lambda _: None)
        assert [each for each in queue.answers if each.task == "task-1"] == []


def test_by_the_door_alone_it_is_the_same():
    city = City(1, 2)
    with by_door(city) as agency:
        agency.catch_up(lambda _: None)
        agency.complete("task-2")
        agency.flush()
        city.items = [json.loads(body(1)), json.loads(first_anew(follows=1, task="task-9"))]
        before = len(city.asked)
        assert agency.catch_up(lambda _: None) == 1
        assert agency.missing() == []
        assert ("POST", "/api/v1/tasks/task-2/answers") in city.asked[before:]


@pytest.mark.parametrize("follows", ["x", 5, "9" * 40, f"{EPOCH + 1}"])
def test_an_odd_word_of_what_it_follows_is_put_aside_and_holds_up_nothing(follows: Any):
    queue = Queue(1)
    odd = envelope(AGENCY, EPOCH + 1) | {"follows": follows}
    put(queue, json.dumps(odd).encode())
    queue.waiting.append(body(2))
    with client(queue) as agency:
        assert agency.poll(lambda _: None) == 2
        (aside,) = agency.unreadable()
        assert "follows" in aside.reason
