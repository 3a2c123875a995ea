"""The client an agency runs: tasks in, answers out, each exactly once in effect.

Used by one thread. A message is kept, acknowledged, and then handled: what a handler answers and
the mark "handled" are one transaction, and the answers are sent until confirmed.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from partner.answering import LONGEST_PAUSE, RefusalNotice, warn_of_refusal
from partner.broker import Broker
from partner.check import Finding, findings
from partner.comparing import Comparing
from partner.door import ByUrllib, Door
from partner.errors import (
    BrokerUnreachable,
    DoorRefused,
    PartnerError,
    QueueGone,
    StoreTrouble,
)
from partner.files import Files
from partner.inbox import Inbox, Retry
from partner.outbox import Outbox
from partner.refusals import Refusal
from partner.settings import Address, Tls
from partner.signing import Signer
from partner.store import Store
from partner.taking import GapNotice, Handler, warn_of_gap
from partner.tasks import Tasks
from partner.transport import Http, NewId, Now, Transport, utc_now

OVERTAKEN = 5.0  # seconds that a missing number is given to come by itself
ASK_AGAIN = 60.0  # seconds between two times that the door is asked for what is missing
log = logging.getLogger("partner")


class Client(Comparing):
    """One agency's end of the line.

    `url` is the broker's address with user and password (amqps in earnest); `door` and `door_key`
    serve catch-up, and answers where there is no broker; `retry` says how often a handler that
    fails is tried. `on_gap` is told of missing numbers, `on_refused` of answers that were not
    applied, at once and by whichever way that came; both write to the log if nothing is given.
    `signing_key` (PEM) signs every answer.

    `now`, `new_id`, `transport` (instead of `url`) and `http` (instead of `door`) are seams for
    tests and simulations: a clock, ids of answers, and the lines to queue and door.
    """

    def __init__(
        self,
        agency: str,
        *,
        store: str | Path,
        url: str | None = None,
        tls: Tls | None = None,
        door: str | None = None,
        door_key: str | None = None,
        prefetch: int = 20,
        prefix: str = "",
        retry: Retry | None = None,
        on_gap: GapNotice | None = None,
        on_refused: RefusalNotice | None = None,
        allow_plain_door: bool = False,
        signing_key: str | None = None,
        now: Now = utc_now,
        new_id: NewId = lambda: str(uuid.uuid4()),
        transport: Transport | None = None,
        http: Http | None = None,
    ) -> None:
        self.agency = agency
        self._on_gap, self._on_refused = on_gap or warn_of_gap, on_refused or warn_of_refusal
        self._now, self._new_id = now, new_id
        self._signer = None if signing_key is None else Signer(signing_key)
        self._broker: Broker | None = None
        if url is not None:
            self._broker = Broker(Address(url, tls), agency, prefix=prefix, prefetch=prefetch)
        self._transport: Transport | None = transport or self._broker
        if http is None and door is not None:
            http = ByUrllib(door, tls, allow_plain_door)
        self._door = None if http is None else Door(http, door_key or "")
        self._store = Store(store, now)
        self._inbox = Inbox(self._store, retry or Retry())
        self._tasks = Tasks(self._store)
        self._outbox = Outbox(self._store, self._tasks)
        self._ask_door_at: float | None = None  # by the monotonic clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the broker and close the store; nothing that was taken is lost."""
        if self._transport is not None:
            self._transport.close()
        self._store.close()

    # --- taking ----------------------------------------------------------------------------

    def run(self, handler: Handler, stop: threading.Event | None = None) -> None:
        """Handle messages as they come until `stop` is set, connecting again after every break.

        After a break, and where numbers are missing, it asks the door (if there is one) for what
        it did not get; for so long, later messages of a task wait for those that are missing.
        Without a queue it asks the door once a minute. An exception of the handler does not leave
        `run` (see `poll`); a refused user leaves as AccessDenied, a refused key as DoorRefused.
        """
        stop = stop or threading.Event()
        pause = 1.0
        self._ask_door_at = time.monotonic()
        self._patience = 0.0 if self._door is None else ASK_AGAIN
        while not stop.is_set():
            try:
                self._round(handler, stop)
                pause = 1.0
            except (BrokerUnreachable, StoreTrouble, DoorRefused) as away:
                if isinstance(away, DoorRefused) and away.status in (401, 403):
                    raise
                log.warning("%s; trying again within %.0f s", away, pause)
                if isinstance(away, QueueGone) and self._door is None:
                    log.warning("what lay on the queue may be lost: give the door to catch up")
                self._ask_door_at = time.monotonic()
                _rest(stop, pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, LONGEST_PAUSE)

    def _round(self, handler: Handler, stop: threading.Event) -> None:
        """What `run` does about once a second."""
        self._compare_at_night(handler)
        if self.has_queue:
            self.poll(handler, wait=1.0)
            self._ask_door(handler)
        elif time.monotonic() >= (self._ask_door_at or 0.0):
            self.catch_up(handler)
            self._ask_door_at = time.monotonic() + ASK_AGAIN
        else:
            _rest(stop, 1.0)
            if self._handle_due(handler):
                self.flush()

    def poll(self, handler: Handler, *, wait: float = 0.0) -> int:
        """Send what is unsent, take in what has arrived and handle it; the number handled.

        Waits at most `wait` seconds. Where the handler raises, nothing of that message is kept but
        the message itself: it is tried again after growing pauses (`Retry`), the later messages of
        its task wait behind it and all others go on; in the end it is put aside (`aside`).
        """
        queue = self._needs_queue()
        self._look_at_store()
        try:
            self._flush_unless_resting()
            self._take_in(queue.receive(wait))
        except BrokerUnreachable:
            self._handle_due(handler)  # what is here needs no broker
            raise
        handled = self._handle_due(handler)
        if handled:
            self._flush_unless_resting()
        return handled

    def drain(self, handler: Handler) -> int:
        """Handle everything that lies on the queue now, then return; for runs by the clock."""
        queue = self._needs_queue()
        self._look_at_store()
        self.flush()
        handled = 0
        while (arrival := queue.take_one()) is not None:
            self._take_in([arrival])
            handled += self._handle_due(handler)
        handled += self._handle_due(handler)
        self.flush()
        return handled

    def catch_up(self, handler: Handler, *, after: int = 0) -> int:
        """Fetch over HTTPS what was missed and handle it; the number of messages handled.

        Asks for every missing number above `after` that it did not ask for before, and for
        whatever came after the last. What cannot be read is put aside, and the rest goes on.
        """
        if self._door is None:
            raise PartnerError(
                "catching up needs the HTTPS door: --door and --door-key (PARTNER_DOOR …)",
                "cần cổng HTTPS: --door và --door-key (PARTNER_DOOR …)",
            )
        gaps, handled, reached = self._inbox.gaps, 0, after
        while True:
            missing = gaps.next_to_ask(after)
            begin = max(reached, gaps.highest()) if missing is None else missing - 1
            page = self._door.tasks(begin)
            highest = self._take_in_page(page.bodies)
            handled += self._handle_due(handler)
            reached = max(highest, page.next or 0, begin + len(page.bodies))
            with self._store.transaction():
                gaps.asked(begin + 1, reached if page.bodies else None)
            if missing is None and not page.bodies:
                break
        self.flush()
        return handled

    def fetch(self, wait: float = 0.0) -> int:
        """Take in what has arrived without handling it: `poll` does later. How many messages."""
        arrivals = self._needs_queue().receive(wait)
        self._take_in(arrivals)
        return len(arrivals)

    def receive(self, body: bytes) -> None:
        """Keep a message that came by webhook, as one of the door; `run` or `poll` handles it."""
        self._take_in_page([body])

    def verdict(self, answer: str, *, wait: float = 0.0) -> Refusal | None:
        """What the city said against an answer, waiting at most `wait` seconds for it to come.

        None says that nothing has come so far: an answer that is applied is not told apart. Where
        another program reads the queue it takes nothing from it, and looks into the file alone.
        """
        end = time.monotonic() + wait
        waits: Callable[[float], object] | None = None
        while (said := self._outbox.refusal(answer)) is None and self.has_queue:
            if (left := end - time.monotonic()) <= 0:
                break
            waits = waits or self._waiter()
            waits(min(left, 0.5))
        return said

    def _waiter(self) -> Callable[[float], object]:
        """How to wait for what comes: by taking it, unless another program reads the queue."""
        alone = self._broker is None or self._broker.readers() == 0
        return self.fetch if alone else time.sleep

    def _ask_door(self, handler: Handler) -> None:
        """Catch up by ourselves where that is due; not on what was before this store began."""
        began = self._inbox.gaps.lowest()
        if self._door is None or began == 0:
            return
        if self._ask_door_at is None and self._inbox.gaps.next_to_ask(began) is not None:
            self._ask_door_at = time.monotonic() + OVERTAKEN
        if self._ask_door_at is None or time.monotonic() < self._ask_door_at:
            return
        self._ask_door_at = None
        try:
            caught = self.catch_up(handler, after=began)
        except DoorRefused as refused:
            log.warning("cannot catch up now: %s", refused)
            self._ask_door_at = time.monotonic() + ASK_AGAIN
        else:
            if caught:
                log.warning("%d messages that did not come by the queue came by the door", caught)

    @property
    def files(self) -> Files:
        """Scans to read and results to hand in; PartnerError where there is no door."""
        if self._door is None:
            raise PartnerError(
                "files need the HTTPS door: --door and --door-key (PARTNER_DOOR …)",
                "tệp cần cổng HTTPS: --door và --door-key (PARTNER_DOOR …)",
            )
        return Files(self._door)

    def check(self) -> Iterator[Finding]:
        """Try the connection step by step; takes and sends nothing. PartnerError says what fails."""
        return findings(self.agency, self._broker, self._door)

    @property
    def has_queue(self) -> bool:
        """Whether messages come by a queue (`poll`); else the door must be asked (`catch_up`)."""
        return self._transport is not None


def _rest(stop: threading.Event, seconds: float) -> None:
    """Wait without holding the event's lock: a signal handler of this thread may set it."""
    end = time.monotonic() + seconds
    while not stop.is_set() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))
