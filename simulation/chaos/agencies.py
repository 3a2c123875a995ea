"""The agencies of a run: each in a thread with the partner kit and a file of its own.

They take and complete, ask for papers, ask for time, refuse, and fail at times; what each decides
about a message is drawn by the seed and the message's number. An answer that is refused is given
anew. Must not: be rude (stranger.py is).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

from partner import Client, Message, PartnerError, Retry
from shared.events.agencies import TaskAnswerRefused, TaskAssigned, TaskChanged
from shared.events.envelope import decode

_ASK_DOOR_SECONDS: Final = 5.0
_PAUSE: Final = 0.5


class _Stumbled(Exception):
    """The program of an agency fails, as programs do."""


class Desk:
    """One agency's program; `done` are answers that the city has, for whoever wants to repeat them."""

    def __init__(self, code: str, seed: int, make: Callable[[], Client]) -> None:
        self.code = code
        self.done: list[tuple[str, str]] = []  # (task, id of the answer that closed it)
        self.troubles = 0
        self.broken = ""
        self._seed = seed
        self._make = make
        self._asked: set[str] = set()
        self._stumbled: set[str] = set()
        self._sent: dict[str, str] = {}  # task -> id of the answer that closes it
        self._stopping = threading.Event()
        self._unsent = 0
        self._thread = threading.Thread(target=self._run, name=code, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Leave."""
        self._stopping.set()
        self._thread.join(20.0)

    @property
    def unsent(self) -> int:
        """Answers that wait for a line."""
        return self._unsent

    # --- working --------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with closing(self._make()) as client:
                self._client = client
                ask_at = 0.0
                while not self._stopping.is_set():
                    ask_at = self._round(client, ask_at)
        except Exception as broken:  # noqa: BLE001 - the end of a thread: the run must hear of it
            self.broken = f"{type(broken).__name__}: {broken}"

    def _round(self, client: Client, ask_at: float) -> float:
        try:
            if client.has_queue:
                client.poll(self._handle, wait=_PAUSE)
            else:
                self._stopping.wait(_PAUSE)
        except PartnerError:
            self.troubles += 1
            self._stopping.wait(_PAUSE)
        if time.monotonic() >= ask_at:
            ask_at = time.monotonic() + (_ASK_DOOR_SECONDS if client.has_queue else _PAUSE)
            try:
                client.catch_up(self._handle)
            except PartnerError:
                self.troubles += 1
        self._unsent = client.unsent()
        if not self._unsent:
            self.done += [(task, sent) for task, sent in self._sent.items()]
            self._sent.clear()
        return ask_at

    def _handle(self, message: Message) -> None:
        chance = Random(f"{self._seed} {self.code} {message.kind} {message.sequence}")
        if chance.random() < 0.05 and message.id not in self._stumbled:
            self._stumbled.add(message.id)
            raise _Stumbled
        told = decode(message.body).event()
        if isinstance(told, TaskAssigned):
            self._begin(told, chance)
        elif isinstance(told, TaskChanged):
            if told.change in ("supplemented", "resumed") and told.task in self._asked:
                self._complete(told.task)
        elif isinstance(told, TaskAnswerRefused):
            self._again(told)

    def _begin(self, told: TaskAssigned, chance: Random) -> None:
        task, draw = told.task, chance.random()
        self._client.take(task, officer="Cán bộ trực")
        if draw < 0.12:
            self._asked.add(task)
            paper = f"Giấy tờ của bước {told.step.code}"
            self._client.ask(task, [paper], "Bản chụp không đọc được rõ")
        elif draw < 0.18:
            until = (told.due_at or told.assigned_at) + timedelta(days=3)
            self._client.more_time(task, "Cần xác minh thêm tại cơ quan khác", until)
            self._complete(task)
        elif draw < 0.22:
            self._sent[task] = self._client.complete(
                task, "refused", reason="Không đủ điều kiện theo quy định của thủ tục"
            )
        else:
            self._complete(task)

    def _complete(self, task: str) -> None:
        known = self._client.task(task)
        code, document = next(iter(known.results), None), f"{known.dossier[-4:]}/2026"
        self._sent[task] = self._client.complete(task, result_code=code, document=document)

    def _again(self, told: TaskAnswerRefused) -> None:
        """An answer was not applied: where the task is ours and still open, it is completed."""
        if told.kind not in ("supplement_needed", "completed") or told.dossier == "-":
            return
        if self._client.task(told.task).open:
            self._complete(told.task)


def opened(
    codes: Mapping[str, bool],
    folder: Path,
    seed: int,
    *,
    url: Callable[[str], str],
    door: str,
    key: Callable[[str], str],
) -> dict[str, Desk]:
    """A program for each agency; the flag says whether it has a queue. Not started yet."""
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    logging.getLogger("partner").setLevel(logging.CRITICAL)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = {}
    for code, has_queue in codes.items():
        address, secret = url(code) if has_queue else None, key(code)

        def make(code: str = code, address: str | None = address, secret: str = secret) -> Client:
            return Client(
                code,
                store=folder / f"{code}.db",
                url=address,
                door=door,
                door_key=secret,
                retry=Retry(tries=1000, first=0.1, longest=1.0),
                on_gap=lambda _: None,
                on_refused=lambda _: None,
                allow_plain_door=True,
            )

        made[code] = Desk(code, seed, make)
    return made
