"""The whole city in one process on SQLite and the memory bus, with an agency inside."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

from bench.crew import Tally
from bench.product.build import Watch, Where, build_city
from bench.product.dossiers import Door, issue_keys
from bench.schedule import Accepted, Order, carry_out
from bench.sheet import Sheet
from shared.events.names import agency_queue
from shared.messaging import Bus, Subscriber

_ASSIGNED = "vn.lienthong.task.assigned.v1"


class Embedded:
    """Submits, works, tells and plays the agency, all in this process."""

    def __init__(
        self, tally: Tally, where: Where, offices: list[str], agencies: Sequence[str]
    ) -> None:
        self._tally = tally
        self._watch = Watch(tally)
        self._city = build_city(where)
        self._city.migrate()
        intake = self._city.intake
        self._door = Door(intake, offices, issue_keys(intake, offices), by_mail=False)
        self._city.start()
        self._agency = _Agency(tally, self._city.bus, agencies)

    def ask(self, message: Any) -> Any:
        """An Order, or (which log, n)."""
        if isinstance(message, Order):
            return self._submit(message)
        which, start = message
        return self._watch.log(start) if which == "messages" else self._agency.since(start)

    def _submit(self, order: Order) -> list[Accepted]:
        return carry_out(order, self._door.submit)

    def stop(self) -> None:
        self._agency.stop()
        self._city.close()


class _Agency:
    """Reads all agency queues in one thread and notes what came when."""

    def __init__(self, tally: Tally, bus: Bus, agencies: Sequence[str]) -> None:
        self._log = Sheet()
        self._noting = threading.Lock()
        self._tally = tally
        self._readers: list[Subscriber] = [bus.subscriber(agency_queue(a)) for a in agencies]
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(reader,), daemon=True)
            for reader in self._readers
        ]
        for thread in self._threads:
            thread.start()

    def since(self, start: int) -> Sheet:
        """The entries from number `start` on."""
        with self._noting:
            return self._log.since(start)

    def _run(self, reader: Subscriber) -> None:
        while not self._stopping.is_set():
            taken = reader.receive(50, 0.5)
            at = time.monotonic()
            for delivery in taken:
                fact = json.loads(delivery.body)
                if fact["type"] == _ASSIGNED:
                    with self._noting:
                        self._log.note(fact["data"]["dossier"], at)
                        self._tally.tasks.value += 1
            if taken:
                reader.ack_through(taken[-1])

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(2)
