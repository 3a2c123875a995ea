"""A rude stranger with the rights of an agency: what no partner kit would ever send.

Lives here: each kind of rudeness and the verdict that it must get, said over the agency's own broker
user. What the broker did not confirm is said again, to the letter. The one place of the simulation
that speaks AMQP by itself: what a stranger sends no kit and no bus of ours would write.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any, Final

import pika
import pika.exceptions

from shared.events import names
from simulation.chaos.agencies import Desk
from simulation.chaos.journal import Entry, Journal

TOLD, PARKED, BROKER, ONCE, NOTHING = "told", "parked", "broker", "once", "nothing"
#: By kind, in words, what must come of it; `facts["verdict"]` of the entry has the key.
EXPECTED: Final[Mapping[str, tuple[str, str]]] = {
    "odd headers": (TOLD, "read without them: told that there is no such task"),
    "no user_id": (PARKED, "parked: nobody vouches for it"),
    "unreadable bytes": (PARKED, "parked"),
    "huge body": (PARKED, "parked by size, hash and beginning"),
    "unknown kind": (TOLD, "told which kinds there are"),
    "no time": (TOLD, "told what its envelope lacks"),
    "another's name": (PARKED, "parked as forged"),
    "another's key": (BROKER, "refused by the broker at once"),
    "id used again": (TOLD, "told that the id is used"),
    "stale answer": (TOLD, "told that the task has its answer"),
    "said again": (ONCE, "the same verdict, told once"),
    "purge": (NOTHING, "nothing is lost: it comes by the door"),
}
_REPEATED: Final = ("odd headers", "unknown kind", "no time")
_PAUSE: Final = 0.5
_TROUBLES: Final = (pika.exceptions.AMQPError, OSError)


@dataclass(frozen=True, slots=True)
class _Saying:
    """What is published as an agency."""

    entry: Entry
    agency: str
    key: str
    body: bytes
    properties: pika.BasicProperties


class Stranger:
    """Says one thing after the other; `url` gives the address at which an agency's user logs in."""

    def __init__(
        self, journal: Journal, desks: Mapping[str, Desk], seed: int, url: Callable[[str], str]
    ) -> None:
        self._journal = journal
        self._desks = desks
        self._seed = seed
        self._url = url
        self._waiting: queue.Queue[tuple[str, int]] = queue.Queue()
        self._stopping = threading.Event()
        self._busy = threading.Event()
        self._number = 0
        self._before: list[_Saying] = []
        self._thread = threading.Thread(target=self._run, name="stranger", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Leave; what was not said stays without a verdict."""
        self._stopping.set()
        self._thread.join(15.0)

    def ask(self, kind: str, pick: int) -> None:
        """Be rude in this way as soon as the line allows; `pick` chooses in whose name."""
        self._waiting.put((kind, pick))

    @property
    def idle(self) -> bool:
        """Whether all is said."""
        return self._waiting.empty() and not self._busy.is_set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                kind, pick = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            self._busy.set()
            self._be_rude(kind, pick)
            self._busy.clear()

    def _be_rude(self, kind: str, pick: int) -> None:
        self._number += 1
        agency = sorted(self._desks)[pick % len(self._desks)]
        if kind == "said again":
            if self._before:
                self._repeat(self._before[pick % len(self._before)])
                return
            kind = _REPEATED[pick % len(_REPEATED)]  # nothing was said so far
        verdict, words = EXPECTED[kind]
        entry = self._journal.note(
            "rude", {"kind": kind, "agency": agency}, words, verdict=verdict, agency=agency
        )
        saying = None if kind == "purge" else self._saying(entry, kind, agency, pick)
        if saying is not None and kind in _REPEATED:
            self._before.append(saying)
        self._say(entry, agency, saying)

    def _repeat(self, before: _Saying) -> None:
        verdict, words = EXPECTED["said again"]
        what = {"kind": "said again", "agency": before.agency}
        entry = self._journal.note(
            "rude", what, words, verdict=verdict, agency=before.agency,
            answer=before.entry.facts["answer"],
        )  # fmt: skip
        self._say(entry, before.agency, replace(before, entry=entry))

    def _say(self, entry: Entry, agency: str, saying: _Saying | None) -> None:
        """Until the broker has confirmed or refused it."""
        while not self._stopping.is_set():
            try:
                self._speak(entry, agency, saying)
                return
            except pika.exceptions.ChannelClosedByBroker as refused:
                if entry.facts["verdict"] == BROKER:
                    said = f"the broker: {refused.reply_code}"
                    self._journal.settle(entry, said, ok=refused.reply_code == 403)
                    return
            except _TROUBLES:
                pass
            self._stopping.wait(_PAUSE)

    def _speak(self, entry: Entry, agency: str, saying: _Saying | None) -> None:
        parameters = pika.URLParameters(self._url(agency))
        parameters.socket_timeout = parameters.stack_timeout = 5
        parameters.blocked_connection_timeout = 5
        parameters.heartbeat = 4
        connection = pika.BlockingConnection(parameters)
        try:
            channel = connection.channel()
            if saying is None:
                purged = channel.queue_purge(names.agency_queue(agency)).method.message_count
                self._journal.settle(entry, f"{purged} messages emptied away", ok=True)
                return
            channel.confirm_delivery()
            channel.basic_publish(
                names.AGENCY_ANSWERS, saying.key, saying.body, saying.properties, mandatory=True
            )
            entry.facts["said"] = True
            if entry.facts["verdict"] == BROKER:
                self._journal.settle(entry, "the broker took it", ok=False)
        finally:
            if connection.is_open:
                connection.close()

    # --- what is said ---------------------------------------------------------------------------

    def _saying(self, entry: Entry, kind: str, agency: str, pick: int) -> _Saying:
        rng = Random(f"{self._seed} stranger {self._number} {pick}")
        mark = f"chaos-{self._seed}-{self._number}"
        done = list(self._desks[agency].done)
        closed, used = done[pick % len(done)] if done else (f"no-task-{mark}", mark)
        task = closed if kind in ("id used again", "stale answer") else f"no-{mark}"
        answer_id = used if kind == "id used again" else mark
        body, word = self._answer(kind, agency, task, answer_id), "refused"
        properties: dict[str, Any] = {"user_id": agency, "delivery_mode": 2, "message_id": mark}
        if kind == "odd headers":
            properties |= {"headers": odd_headers(rng), "timestamp": 1_646_110_800_000}
        elif kind == "no user_id":
            del properties["user_id"]
        elif kind == "unreadable bytes":
            body = mark.encode() + b"\xff\x00" + rng.randbytes(rng.randrange(1, 2000))
        elif kind == "huge body":
            body = body.ljust(rng.randrange(300_000, 3_000_000))
        elif kind == "unknown kind":
            word = "applauded"
        key = names.answer_key(f"nobody-{mark}" if kind == "another's key" else agency, word)
        entry.facts |= {"answer": answer_id, "parked": hashlib.sha256(body).hexdigest()}
        return _Saying(entry, agency, key, body, pika.BasicProperties(**properties))

    def _answer(self, kind: str, agency: str, task: str, answer_id: str) -> bytes:
        word = "applauded" if kind == "unknown kind" else "refused"
        source = "nobody-at-all" if kind == "another's name" else agency
        envelope: dict[str, Any] = {
            "specversion": "1.0",
            "id": answer_id,
            "source": names.agency_source(source),
            "type": names.wire(f"answer.{word}"),
            "subject": task,
            "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {"task": task, "reason": f"không phải việc của chúng tôi ({answer_id})"},
        }
        if kind == "no time":
            del envelope["time"]
        return json.dumps(envelope, ensure_ascii=False).encode()


def odd_headers(rng: Random) -> dict[str, Any]:
    """A table of types that nobody expects."""
    deep: Any = "end"
    for _ in range(rng.randrange(1, 40)):
        deep = {"n": deep} if rng.random() < 0.5 else [deep]
    return {
        "deep": deep,
        "sum": Decimal("-0.05"),
        "none": None,
        "no text": rng.randbytes(40),
        "number": -(1 << 62),
        "truth": [True, False, None],
        "at": datetime(9999, 12, 31, tzinfo=UTC),
        **{f"h{number}": "x" * rng.randrange(100) for number in range(rng.randrange(1, 300))},
    }
