"""An agency on a real broker through everything at once: each message handled, in order, in effect once.

Its program is killed at random, its handler fails at random, its queue is deleted and made again, its
connections are closed, and rubbish lies between the tasks.
"""

from __future__ import annotations

import json
import random
import secrets
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pika.exceptions

from partner import Client
from tests.partner.conftest import CityBroker, envelope, until
from tests.partner.test_door import serving
from tests.partner.test_odd_messages import ODD

PROJECT = Path(__file__).resolve().parents[2]
TASKS = 25
SECONDS = 4.0


class Chaos:
    """The city's side, the driver, and what it did."""

    def __init__(self, broker: CityBroker, tmp_path: Path, door: str, items: list[Any]) -> None:
        self.seed = secrets.token_hex(4)
        self.chance = random.Random(self.seed)
        self.broker, self.items = broker, items
        self.store = tmp_path / "agency.db"
        Client(broker.agency, store=self.store).close()  # so that there are tables to look into
        self._log = (tmp_path / "agency.log").open("a")
        self._words = [broker.agency, broker.url(), str(self.store), door]
        self.program = self.start("calm")
        self.acts: dict[str, int] = defaultdict(int)
        self.messages = [
            envelope(broker.agency, 0, kind, task=f"task-{number}")
            for number in range(TASKS)
            for kind in ("assigned", "changed", "changed")
        ]
        self.numbers: dict[str, list[int]] = defaultdict(list)

    def start(self, seed: str | None = None) -> subprocess.Popen[bytes]:
        module = "tests.partner.chaos_agency"
        return subprocess.Popen(
            [sys.executable, "-m", module, *self._words, seed or self.seed],
            cwd=PROJECT,
            stderr=self._log,
        )

    def act(self) -> None:
        acts: list[tuple[Callable[[], None], int]] = [
            (self.send, 20),
            (self.rubbish, 4),
            (self.kill, 2),
            (self.delete, 1),
            (self.cut, 1),
        ]
        (act,) = self.chance.choices([each for each, _ in acts], [often for _, often in acts])
        self.acts[act.__name__] += 1
        act()
        if self.program.poll() is not None:
            self.program = self.start()
        time.sleep(self.chance.uniform(0, 0.1))

    def send(self) -> None:
        """The next message of some task: at the door first, then on the queue."""
        if len(self.messages) == 1 and self.program.args[-1] != "calm":  # type: ignore[index]
            return  # the last is for the last program
        first: dict[str, int] = {}
        for place, message in enumerate(self.messages):
            first.setdefault(message["data"]["task"], place)
        message = self.messages.pop(self.chance.choice(list(first.values())))
        number = len(self.items) + 1
        message |= {"sequence": f"{number:010d}", "id": f"m-{number}"}
        self.numbers[message["data"]["task"]].append(number)
        self.items.append(message)
        self.put(json.dumps(message).encode())

    def rubbish(self) -> None:
        self.put(self.chance.choice([body for name, body in ODD.items() if "number" not in name]))

    def put(self, body: bytes) -> None:
        try:
            self.broker.put(body)
        except pika.exceptions.UnroutableError:
            self.acts["unroutable"] += 1

    def kill(self) -> None:
        self.program.kill()
        self.program.wait()

    def delete(self) -> None:
        self.broker.delete_queue()
        if self.chance.random() < 0.5:
            self.send()  # is lost to the queue
        time.sleep(self.chance.uniform(0, 0.3))
        self.broker.make_queue()

    def cut(self) -> None:
        self.broker.close_connections()

    def handled(self) -> int:
        with sqlite3.connect(self.store) as file:
            (count,) = file.execute("SELECT count(*) FROM messages WHERE state = 'done'").fetchone()
        return int(count)


def test_whatever_happens_each_message_is_handled_in_order_and_in_effect_once(
    broker: CityBroker, tmp_path: Path
):
    items: list[Any] = []
    with serving(items) as door:
        chaos = Chaos(broker, tmp_path, door, items)
        chaos.send()  # what came before a store began is not fetched unasked
        until(lambda: chaos.handled() == 1)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end or len(chaos.messages) > 5:
            chaos.act()
        chaos.kill()
        chaos.program = chaos.start("calm")
        while chaos.messages:
            chaos.send()
        total = 3 * TASKS
        until(lambda: chaos.handled() == total, 120)
        answers: list[tuple[str, str, int]] = []

        def answered() -> bool:
            for _, _, answer in broker.answers():
                data = answer["data"]
                answers.append((answer["id"], data["task"], int(data["officer"])))
            return len({each[0] for each in answers}) >= total

        until(answered)
        chaos.program.terminate()
        assert chaos.program.wait(30) == 0
    story = f"seed {chaos.seed}: {dict(chaos.acts)}"
    once = dict.fromkeys(answers)
    assert len(once) == total, f"in effect once; {story}"
    by_task: dict[str, list[int]] = defaultdict(list)
    for _, task, number in once:
        by_task[task].append(number)
    assert by_task == chaos.numbers, f"each, and in order; {story}"
    log = (tmp_path / "agency.log").read_text()
    assert "Traceback" not in log, log[-2000:]
    with sqlite3.connect(chaos.store) as file:
        ((odd,),) = file.execute("SELECT count(*) FROM unreadable").fetchall()
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert bool(odd) == bool(chaos.acts["rubbish"]), story
