"""The agencies of a smoke run: each in a thread, by the partner kit or by the web door."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from partner import AccessDenied, BrokerUnreachable, Client, Message
from shared.kernel.errors import LienThongError
from simulation.smoke.access import Access, SmokeFailed
from simulation.smoke.door import Door

DOCUMENT: Final = "Kiểm tra hệ thống"
DENIED_FOR_GOOD: Final = 8  # refusals in a row; a broker that is starting may refuse a few
PAUSE: Final = 0.5


class Crew:
    """All agencies at work; what each has answered, and what went wrong."""

    def __init__(self, access: Access, give_up: float) -> None:
        self.agencies: tuple[str, ...] = tuple(access.agency_keys)
        self.ways: Mapping[str, str] = {
            code: "broker" if access.by_broker(code) else "web" for code in self.agencies
        }
        self._access = access
        self._give_up = give_up
        self._lock = threading.Lock()
        self._answered: dict[str, set[str]] = defaultdict(set)
        self._broken: LienThongError | None = None
        self._stop = threading.Event()
        self.failing: dict[str, str] = {}  # agency -> what it waits for now

    def answered(self, dossier: str) -> set[str]:
        """The agencies that have answered a task of this dossier."""
        with self._lock:
            return set(self._answered.get(dossier, ()))

    def check(self) -> None:
        """SmokeFailed where an agency cannot work at all."""
        if self._broken is not None:
            raise self._broken

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Work for the length of a block."""
        threads = [
            threading.Thread(target=self._work, args=(code,), name=code, daemon=True)
            for code in self.agencies
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(5.0)

    def _work(self, code: str) -> None:
        url = self._access.by_broker(code)
        try:
            if url is None:
                self._by_door(code)
            else:
                self._by_broker(code, url)
        except LienThongError as broken:
            self._broken = broken
        except Exception as broken:  # noqa: BLE001 - the end of a thread: the run must hear of it
            self._broken = SmokeFailed(f"{code} broke down: {type(broken).__name__}: {broken}")

    def _note(self, code: str, dossier: str) -> None:
        with self._lock:
            self._answered[dossier].add(code)

    # --- by the partner kit ---------------------------------------------------------------------

    def _by_broker(self, code: str, url: str) -> None:
        denied = 0
        # Its memory is new in every run, so what came before looks like a gap: nobody is warned.
        with Client(code, store=":memory:", url=url, on_gap=lambda _: None) as client:

            def handle(message: Message) -> None:
                if message.kind == "assigned":
                    client.take(message.task)
                    client.complete(message.task, document=DOCUMENT)

            while not self._stop.is_set():
                try:
                    client.poll(handle, wait=PAUSE)
                    denied = 0
                    self._note_closed(code, client)
                    self.failing.pop(code, None)
                except BrokerUnreachable as away:
                    self.failing[code] = str(away)
                    self._stop.wait(PAUSE)
                except AccessDenied as refused:
                    denied += 1
                    self.failing[code] = str(refused)
                    if denied >= DENIED_FOR_GOOD:
                        raise SmokeFailed(
                            f"the broker at {self._access.broker} refuses {code}: {refused}",
                            vi=f"Máy chủ bản tin từ chối {code}.",
                        ) from None
                    self._stop.wait(2 * PAUSE)

    def _note_closed(self, code: str, client: Client) -> None:
        if client.unsent() == 0:
            for task in client.tasks(closed=True):
                if not task.open:
                    self._note(code, task.dossier)

    # --- by the web door ------------------------------------------------------------------------

    def _by_door(self, code: str) -> None:
        key = self._access.agency_keys[code]
        done: set[str] = set()
        with Door("routing", self._access.routing, key, self._give_up) as door:
            while not self._stop.is_set() and time.monotonic() < self._give_up:
                tasks = door.get("/tasks", state="open", limit=500)["items"]
                fresh = [task for task in tasks if task["task"] not in done]
                for task in fresh:
                    answer = {"answer_id": f"smoke-{task['task']}", "kind": "completed"}
                    said = {"outcome": "granted", "document": DOCUMENT}
                    door.post(f"/tasks/{task['task']}/answers", {**answer, **said})
                    done.add(task["task"])
                    self._note(code, task["dossier"])
                if not fresh:
                    self._stop.wait(PAUSE)
