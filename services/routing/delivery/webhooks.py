"""The loop that sends agencies their messages by webhook: each in order, beside all the others.

What is sent is the agency's own stream of the ledger. Nothing is remembered here: how far each has
come is a row, and who may send to it now is a lease by the database's clock.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.routing.delivery.posting import SECONDS, Poster
from services.routing.domain.webhook import (
    LEASE,
    WELL,
    Outcome,
    Webhook,
    begun_anew,
    failed,
    headers,
)
from services.routing.storage import book, views, webhooks
from services.routing.storage.handed import task_of
from services.routing.storage.webhooks import Waiting
from services.routing.usecases.fetched import note_fetched
from shared.database import Store, UnitOfWork
from shared.events.agencies import TaskAssigned
from shared.events.event import kind_of
from shared.events.names import ROUTING_TASKS, WEBHOOK_TRIED
from shared.kernel.actor import Actor
from shared.kernel.clock import RealClock, format_instant
from shared.kernel.errors import Transient
from shared.log import get

LOOK_EVERY_SECONDS: Final = 30.0
AT_ONCE: Final = 16
#: How long one agency is sent to before it is asked again who is due.
TURN_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 5.0
#: How often it is written down what an agency has taken.
WRITE_SECONDS: Final = 0.5
_SURE_SECONDS: Final = LEASE.total_seconds() - 2 * SECONDS
_PAGE: Final = 20
_SENDER: Final = Actor("service", "routing.webhooks")
_ASSIGNED: Final = kind_of(TaskAssigned).type
_log = get("webhooks")

Post = Callable[[str, dict[str, str], bytes], Outcome]


class Webhooks:
    """Sends what waits; on a clock that is moved by hand one after the other, in this thread."""

    name = "routing.webhooks"

    def __init__(self, store: Store, poster: Poster, key: str, *, me: str | None = None) -> None:
        self._store = store
        self._poster = poster
        self._key = key
        self._me = me or secrets.token_hex(8)
        self._threads = isinstance(store.clock, RealClock)
        self._running: list[threading.Thread] = []
        self._held: dict[str, float] = {}  # steady: when a lease was surely not yet taken anew
        self._stopping = threading.Event()
        self._due: datetime | None = None  # by the clock of this machine, UTC
        self._seen = -1  # commits when last looked
        self._looked_at = 0.0  # monotonic

    def step(self, wait: float) -> int:
        """Begin to send to whoever is due; else wait up to `wait` s for it."""
        if not self._is_due():
            if wait <= 0:
                return 0
            self._rest(wait)
            if not self._is_due():
                return 0
        self._running = [each for each in self._running if each.is_alive()]
        free = AT_ONCE - len(self._running)
        if not free:
            self._stopping.wait(min(wait, 0.05))
            return 0
        began = self._store.clock.steady()
        with self._store.begin(_SENDER) as uow:
            claimed = webhooks.claim(uow, self._me, free)
        self._due = None  # where another process was quicker there is nothing to do
        for hook in claimed:
            self._held[hook.agency] = began
            if self._threads:
                thread = threading.Thread(
                    target=self._send, args=(hook,), name=self.name, daemon=True
                )
                self._running.append(thread)
                thread.start()
            else:
                self._send(hook)
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When the next agency is sent to, UTC."""
        self._look()
        return self._due

    def wake(self) -> None:
        """Look again now."""
        self._looked_at = 0.0
        self._store.commits.set()

    def close(self) -> None:
        """Let what is on its way come to an end, for some seconds; what does not is sent again."""
        self._stopping.set()
        end = time.monotonic() + CLOSE_SECONDS
        for thread in self._running:
            thread.join(max(0.0, end - time.monotonic()))
        self._poster.close()

    # --- when -------------------------------------------------------------------------------------

    def _is_due(self) -> bool:
        self._look()
        return self._due is not None and self._due <= self._store.clock.now()

    def _look(self) -> None:
        commits, at = self._store.commits.count, time.monotonic()
        if commits == self._seen and at - self._looked_at < LOOK_EVERY_SECONDS:
            return
        with self._store.query() as connection:
            found = webhooks.every(connection)
            now = self._store.shared_clock.now(connection)
        first = min((due for hook in found if (due := hook.due(now)) is not None), default=None)
        self._due = None if first is None else self._store.clock.now() + (first - now)
        self._seen, self._looked_at = commits, at

    def _rest(self, wait: float) -> None:
        end = time.monotonic() + wait
        if self._due is not None:
            wait = min(wait, max(0.0, (self._due - self._store.clock.now()).total_seconds()))
        if self._store.commits.wait(self._seen, wait) != self._seen:
            time.sleep(max(0.0, min(0.1, end - time.monotonic())))  # commits come in flurries

    # --- one agency -------------------------------------------------------------------------------

    def _send(self, hook: Webhook) -> None:
        try:
            self._deliver(hook)
        except Transient as away:  # the lease ends by itself; what was sent may be sent again
            _log.warning("webhook.held_up", agency=hook.agency, kind=type(away).__name__)
        # A thread of its own: an error that nobody hears of would hold up this agency in silence.
        except Exception as wrong:  # noqa: BLE001
            _log.error("webhook.broken", agency=hook.agency, exc_info=wrong)

    def _deliver(self, hook: Webhook) -> None:
        going: Webhook | None = hook
        if hook.trial_asked_at is not None:
            going = self._try(hook)
            if going is not None and going.trial != WELL:  # what waits keeps its time
                self._let_go(going)
                return
        end = time.monotonic() + TURN_SECONDS
        while going is not None and going.paused is None and not self._stopping.is_set():
            with self._store.read() as connection:
                page = webhooks.after(connection, going, _PAGE)
            if not page:  # a restored database counts on above what it has
                going = replace(going, cursor=max(going.cursor, going.last))
                break
            going = self._hand_over(going, page, end)
            if time.monotonic() > end:
                break
        if going is not None:
            self._let_go(going)

    def _let_go(self, hook: Webhook) -> None:
        with self._store.begin(_SENDER) as uow:
            webhooks.keep(uow, self._me, hook, held=False)

    def _hand_over(self, hook: Webhook, page: list[Waiting], end: float) -> Webhook | None:
        """Send these in their order and write down what came of it; None where no more is to be sent.

        Written once in a while: what was taken since then is sent again if this process dies.
        """
        sent: list[Waiting] = []
        write_at = time.monotonic() + WRITE_SECONDS
        for message in page:
            if self._stopping.is_set() or time.monotonic() > end:
                break
            if hook.goes(message.type):
                if self._store.clock.steady() - self._held[hook.agency] > _SURE_SECONDS:
                    return None  # this process stood still: another may be sending by now
                outcome = self._post(hook, message.id, message.body)
                if outcome.failure is not None:
                    self._write(hook, sent, outcome)
                    return None
                sent.append(message)
                hook = replace(begun_anew(hook), delivered=hook.delivered + 1)
            hook = replace(hook, cursor=message.number)
            if sent and time.monotonic() >= write_at:
                if not self._write(hook, sent):
                    return None
                sent, write_at = [], time.monotonic() + WRITE_SECONDS
        return hook if not sent or self._write(hook, sent) else None

    def _write(self, hook: Webhook, sent: list[Waiting], outcome: Outcome | None = None) -> bool:
        """Keep how far it has come, and what the last try came to.

        False where it is not ours: its owner has changed it, or another process has it.
        """
        self._held[hook.agency] = self._store.clock.steady()
        with self._store.begin(_SENDER) as uow:
            now = uow.shared_now()
            if sent:
                hook = replace(hook, delivered_at=now)
            if outcome is not None:
                hook = failed(hook, outcome, now)
            ours = webhooks.keep(uow, self._me, hook, held=outcome is None)
            if ours and sent:
                _note(uow, hook.agency, sent)
        if outcome is not None:
            self._tell(hook)
        return ours

    def _post(self, hook: Webhook, message_id: str, body: bytes) -> Outcome:
        now = self._store.clock.now()
        signed = headers(self._key, hook, message_id, body, now)
        return self._poster.post(hook.url, signed, body)

    def _try(self, hook: Webhook) -> Webhook | None:
        """The trial that was asked for: a message without a number, which means nothing."""
        made = self._store.ids.new()
        body = {
            "specversion": "1.0",
            "id": made,
            "source": ROUTING_TASKS,
            "type": WEBHOOK_TRIED,
            "subject": hook.agency,
            "time": format_instant(self._store.clock.now()),
            "datacontenttype": "application/json",
            "data": {},
        }
        outcome = self._post(hook, made, json.dumps(body).encode())
        with self._store.begin(_SENDER) as uow:
            tried = replace(
                hook, trial_asked_at=None, trial_at=uow.now, trial=outcome.failure or WELL
            )
            return tried if webhooks.keep(uow, self._me, tried, held=True) else None

    def _tell(self, hook: Webhook) -> None:
        told = {"agency": hook.agency, "why": hook.failure, "attempts": hook.attempts}
        if hook.paused is not None:
            _log.error("webhook.paused", **told)
        elif hook.attempts == 1:
            _log.warning("webhook.failed", **told)


def _note(uow: UnitOfWork, agency: str, sent: list[Waiting]) -> None:
    """The hand-over book's lines, and that the tasks need not be handed over again."""
    for first, last in _runs([each.number for each in sent]):
        book.note_fetch(uow, agency, first, last, way="webhook")
    found = (task_of(each.body) for each in sent if each.type == _ASSIGNED)
    if named := [task for task in found if task is not None]:
        note_fetched(uow, views.to_repeat(uow.connection, agency, named))


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """First and last of those that follow each other: what was skipped between was not fetched."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        begun = found and found[-1][1] == number - 1
        found = [*found[:-1], (found[-1][0], number)] if begun else [*found, (number, number)]
    return found
