"""What a broker does to who reads from it: queues deleted, channels closed, lines cut."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from partner import Client, Message, QueueGone
from tests.partner.conftest import CityBroker, envelope, until
from tests.partner.test_door import serving

Work = Callable[..., Any]


@contextmanager
def working(broker: CityBroker, tmp_path: Path, **more: Any) -> Iterator[list[int]]:
    """An agency's program in a thread; the numbers that it has handled."""
    came: list[int] = []
    stop = threading.Event()

    def work() -> None:  # a client belongs to the thread that made it
        def handle(message: Message) -> None:
            came.append(message.sequence)

        with Client(
            broker.agency, url=broker.url(), store=tmp_path / "agency.db", **more
        ) as client:
            client.run(handle, stop)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield came
        assert thread.is_alive(), "it must not end by itself"
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("more_comes", [True, False], ids=["and more comes", "and nothing more"])
def test_a_queue_that_is_deleted_and_made_again_is_read_again_and_what_it_held_comes_by_the_door(
    broker: CityBroker, tmp_path: Path, caplog, more_comes: bool
):
    items = [envelope(broker.agency, 1)]
    with serving(items) as url:
        door = {"door": url, "door_key": "lt_1_secret"}
        with working(broker, tmp_path, **door) as came:
            broker.assign(1)
            until(lambda: came == [1])
            broker.delete_queue()
            until(lambda: "no longer serves" in caplog.text)
            items.append(envelope(broker.agency, 2))  # lay on the queue that was deleted
            broker.make_queue()
            if more_comes:
                items.append(envelope(broker.agency, 3))
                broker.assign(3)
            until(lambda: sorted(came) == [1, 2, 3][: len(items)])
    assert "came by the door" in caplog.text


def test_without_a_door_it_says_that_something_may_be_lost_and_reads_on(
    broker: CityBroker, tmp_path: Path, caplog
):
    with working(broker, tmp_path) as came:
        broker.assign(1)
        until(lambda: came == [1])
        broker.delete_queue()
        until(lambda: "may be lost" in caplog.text)
        until(lambda: "it is not there at the broker" in caplog.text)
        broker.make_queue()
        broker.assign(2)
        until(lambda: came == [1, 2])


def test_a_connection_that_the_operator_closes_is_made_again(
    broker: CityBroker, tmp_path: Path, caplog
):
    with working(broker, tmp_path) as came:
        broker.assign(1)
        until(lambda: came == [1])
        until(lambda: broker.close_connections() > 0)
        broker.assign(2)
        until(lambda: came == [1, 2])
    assert "trying again" in caplog.text


def test_what_is_missing_comes_by_the_door_without_a_word_of_ours(
    broker: CityBroker, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("partner.client.OVERTAKEN", 0.1)
    items = [envelope(broker.agency, number) for number in (1, 2, 3)]
    with serving(items) as url, working(
        broker, tmp_path, door=url, door_key="lt_1_secret"
    ) as came:  # fmt: skip
        broker.assign(1, 3)
        until(lambda: sorted(came) == [1, 2, 3])


def test_what_is_later_of_a_task_waits_for_what_is_missing_of_it_and_other_tasks_do_not(
    broker: CityBroker, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("partner.client.OVERTAKEN", 1.0)
    items = [envelope(broker.agency, 1), envelope(broker.agency, 2)]
    later = [
        envelope(broker.agency, 3, "changed", task="task-1", change="paused"),
        envelope(broker.agency, 4, "cancelled", task="task-1", reason="rút"),
        envelope(broker.agency, 5),
    ]
    with serving(items) as url, working(
        broker, tmp_path, door=url, door_key="lt_1_secret"
    ) as came:  # fmt: skip
        for number in (1, 2):  # one after the other: so it has asked the door, as at each start
            broker.assign(number)
            until(lambda number=number: number in came)
        items.extend(later)
        for item in later[1:]:
            broker.put(json.dumps(item).encode())
        until(lambda: len(came) == 5)
    assert came == [1, 2, 5, 3, 4]


def test_what_came_before_this_store_began_is_not_fetched_unasked(
    broker: CityBroker, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("partner.client.OVERTAKEN", 0.1)
    items = [envelope(broker.agency, number) for number in range(1, 8)]
    with serving(items) as url, working(
        broker, tmp_path, door=url, door_key="lt_1_secret"
    ) as came:  # fmt: skip
        broker.assign(5, 7)
        until(lambda: sorted(came) == [5, 6, 7])


def test_a_queue_that_is_away_is_told_as_such(broker: CityBroker, client: Client):
    broker.delete_queue()
    with pytest.raises(QueueGone) as gone:
        client.drain(lambda message: None)
    assert gone.value.vi
    broker.make_queue()
    broker.assign(1)
    assert client.drain(lambda message: None) == 1
