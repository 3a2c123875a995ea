"""The agencies of the benchmark: a stranger on pika who takes every task and notes the time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pika

from bench.crew import Tally
from bench.sheet import Sheet

_WINDOW = 500


class AgencySink:
    """Reads the agency queues, counts, and keeps (dossier code, monotonic seconds)."""

    def __init__(
        self, tally: Tally, amqp_url: str, queues: Sequence[str], kinds: Sequence[str]
    ) -> None:
        self._tally = tally
        self._kinds = tuple(kinds)
        self._log = Sheet()
        self._stopping = threading.Event()
        self._connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
        self._channel = self._connection.channel()
        self._channel.basic_qos(prefetch_count=_WINDOW)
        for queue in queues:
            self._channel.basic_consume(queue, self._on_message)
        self._last: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _on_message(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        at = time.monotonic()
        fact = json.loads(body)
        if fact["type"] in self._kinds:
            self._log.note(fact["data"]["dossier"], at)
        self._last = method.delivery_tag

    def _run(self) -> None:
        counted = 0
        while not self._stopping.is_set():
            self._connection.process_data_events(time_limit=0.2)
            if self._last is not None:
                self._channel.basic_ack(self._last, multiple=True)
                self._last = None
            if len(self._log) != counted:
                self._tally.tasks.value += len(self._log) - counted
                counted = len(self._log)

    def ask(self, message: Any) -> Any:
        """("log", n): the entries from the n-th on."""
        _, start = message
        return self._log.since(start)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        self._connection.close()


class Threads:
    """A role that is nothing but loops in threads of one process."""

    def __init__(self, *loops: Callable[[threading.Event], None]) -> None:
        self._stopping = threading.Event()
        self._failed: list[str] = []
        self._threads = [
            threading.Thread(target=loop, args=(self._stopping,), daemon=True) for loop in loops
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, message: Any) -> Any:
        return message

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(5)
