"""A handler that fails, slows or kills its program: its task waits, the others go on, none is lost."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from partner import Client, Message, Retry, UnknownTask
from partner.__main__ import main
from tests.partner.conftest import envelope
from tests.partner.test_seams import AGENCY, NOON, Queue


class Agency:
    """A program with a clock in hand; its handler fails at the tasks in `bad`."""

    def __init__(self, path: Path, queue: Queue, retry: Retry | None = None) -> None:
        self.now = NOON
        self.bad: set[str] = set()
        self.came: list[int] = []
        self.client = Client(AGENCY, store=path, transport=queue, now=lambda: self.now, retry=retry)

    def handle(self, message: Message) -> None:
        self.client.take(message.task)
        if message.task in self.bad:
            raise KeyError("Nguyễn Văn An")
        self.came.append(message.sequence)

    def poll(self, seconds: float = 0.0) -> int:
        self.now += timedelta(seconds=seconds)
        return self.client.poll(self.handle)


def put(queue: Queue, number: int, task: str, kind: str = "assigned") -> None:
    queue.waiting.append(json.dumps(envelope(AGENCY, number, kind, task=task)).encode())


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def agency(queue: Queue, tmp_path: Path):
    made = Agency(tmp_path / "agency.db", queue)
    yield made
    made.client.close()


def test_pauses_grow_to_a_limit_and_then_the_task_is_put_aside(agency: Agency, queue: Queue):
    put(queue, 1, "a")
    agency.bad = {"a"}
    agency.poll()
    pauses = []
    while agency.client.aside()[0].waiting:
        tries, rested = agency.client.aside()[0].tries, 0
        while agency.client.aside()[0].tries == tries:
            agency.poll(0.5)
            rested += 0.5
        pauses.append(rested)
    assert len(pauses) == 7
    for number, pause in enumerate(pauses):
        most = min(5.0 * 2**number, 600.0)
        assert most / 2 <= pause <= most + 0.5
    assert agency.came == []
    assert queue.answers == [], "what a failed try answered is gone with it"


def test_order_within_a_task_is_kept_and_other_tasks_go_on(agency: Agency, queue: Queue):
    agency.bad = {"a"}
    for number, task in enumerate(("a", "b", "a", "c", "a", "b"), 1):
        put(queue, number, task, "assigned" if number in (1, 2, 4) else "changed")
    assert agency.poll() == 3
    assert agency.came == [2, 4, 6]
    agency.bad = set()
    assert agency.poll(5) == 3
    assert agency.came == [2, 4, 6, 1, 3, 5]


def test_neither_log_nor_list_repeats_what_the_error_says(agency: Agency, queue: Queue, caplog):
    put(queue, 1, "a")
    agency.bad = {"a"}
    agency.poll()
    assert "KeyError at test_handling.py" in agency.client.aside()[0].reason
    assert "KeyError at test_handling.py" in caplog.text
    assert "Nguyễn" not in caplog.text + agency.client.aside()[0].reason


def test_what_was_put_aside_is_tried_again_or_settled_by_hand(tmp_path: Path, queue: Queue):
    agency = Agency(tmp_path / "agency.db", queue, Retry(tries=1))
    agency.bad = {"a", "b"}
    for number, task in enumerate(("a", "b", "a", "b"), 1):
        put(queue, number, task, "assigned" if number < 3 else "changed")
    agency.poll()
    assert [(each.task, each.behind) for each in agency.client.aside()] == [("a", 1), ("b", 1)]
    assert agency.poll(9999) == 0
    agency.bad = set()
    agency.client.again("a")
    assert agency.poll() == 2
    agency.client.settle("b")
    assert agency.poll() == 1
    assert agency.came == [1, 3, 4]
    assert agency.client.aside() == []
    for act in (agency.client.again, agency.client.settle):
        with pytest.raises(UnknownTask):
            act("b")


def test_a_clock_that_was_put_back_holds_up_nothing(agency: Agency, queue: Queue):
    put(queue, 1, "a")
    agency.bad = {"a"}
    agency.poll()
    agency.bad = set()
    assert agency.poll(-7 * 3600) == 1


@pytest.mark.parametrize("aside", [False, True], ids=["while it waits", "while it is put aside"])
def test_a_task_that_the_city_hands_over_again_meanwhile_is_no_second_task(
    tmp_path: Path, queue: Queue, aside: bool
):
    agency = Agency(tmp_path / "agency.db", queue, Retry(tries=1 if aside else 8))
    put(queue, 1, "a")
    agency.bad = {"a"}
    agency.poll()
    for _ in range(3):
        put(queue, 1, "a")
        agency.poll()
    assert [(each.tries, each.behind) for each in agency.client.aside()] == [(1, 0)]
    agency.bad = set()
    agency.client.again("a")
    put(queue, 1, "a")
    assert agency.poll() == 1
    put(queue, 1, "a")
    assert agency.poll() == 0
    assert len({answer.id for answer in queue.answers}) == 1
    agency.client.close()


class Killed(BaseException):
    """What no program can catch."""


def test_a_message_that_kills_the_program_each_time_is_put_aside_in_the_end(
    tmp_path: Path, queue: Queue
):
    put(queue, 1, "a")
    put(queue, 2, "b")

    def die(message: Message) -> None:
        if message.task == "a":
            raise Killed
        came.append(message.task)

    came: list[str] = []
    for _ in range(3):
        agency = Agency(tmp_path / "agency.db", queue, Retry(tries=3))
        with pytest.raises(Killed):
            agency.client.poll(die)
        agency.client.close()
    agency = Agency(tmp_path / "agency.db", queue, Retry(tries=3))
    assert agency.client.poll(die) == 1
    assert came == ["b"]
    (failed,) = agency.client.aside()
    assert (failed.task, failed.waiting) == ("a", False)
    assert "the program ended" in failed.reason


def test_two_programs_on_one_file_handle_each_message_once(tmp_path: Path, queue: Queue):
    for number in range(1, 6):
        put(queue, number, f"t-{number}")
    one, two = (Agency(tmp_path / "agency.db", queue) for _ in range(2))
    one.client.fetch()
    due = [each.client._inbox.due() for each in (one, two)]
    assert len(due[0]) == len(due[1]) == 5
    one.bad = {"t-2"}
    done = sum(
        each.client._handle(entry, each.handle)
        for entries in zip(*due, strict=True)
        for each, entry in zip((one, two), entries, strict=True)
    )
    assert done == 4
    assert one.came == [1, 3, 4, 5]
    assert two.came == [], "what failed at the one rests for the other too"


def test_the_command_line_lists_tries_again_and_settles(tmp_path: Path, queue: Queue, capsys):
    agency = Agency(tmp_path / "agency.db", queue, Retry(tries=1))
    put(queue, 1, "a")
    agency.bad = {"a"}
    agency.poll()
    env = {"PARTNER_AGENCY": AGENCY, "PARTNER_STORE": str(tmp_path / "agency.db")}

    def typed(*words: str) -> str:
        assert main(words, env) == 0
        return capsys.readouterr().out

    assert "a  assigned #1" in typed("aside")
    assert "put aside: KeyError" in typed("list")
    typed("again", "a")
    assert "is tried again" in typed("aside")
    agency.poll()
    typed("settle", "a")
    assert typed("aside") == ""
    assert main(["again", "a"], env) == 2


def test_the_file_keeps_the_body_of_everything_that_came(agency: Agency, queue: Queue, tmp_path):
    put(queue, 1, "a")
    agency.bad = {"a"}
    agency.poll()
    with sqlite3.connect(tmp_path / "agency.db") as file:
        ((body,),) = file.execute("SELECT body FROM messages").fetchall()
    assert json.loads(body)["data"]["task"] == "a"
