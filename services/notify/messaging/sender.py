"""The sending loop of one channel: claim, let go of the database, hand over, record.

One loop per channel, so that a slow mail server holds up no text message. What a crash between
two of these steps means is decided by the channel: an idempotent one sends again, any other
leaves the message to a person (`uncertain`).
"""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from services.notify.channels import Channel
from services.notify.domain.delivery import Failed, Letter, Result, Unknown
from services.notify.domain.messages import Message
from services.notify.domain.retrying import RetryBudget
from services.notify.storage import sendings
from services.notify.usecases.sending import Tried, claim_due, record_tries, take_back
from shared.log import get
from shared.store import Store

BATCH = 50
# To another machine a step hands over for so long at most, then records: a stop waits for no slow
# server.
PATIENCE_SECONDS = 4.0
# How old the answer to "is anything due?" may grow when no commit was heard of.
LOOK_EVERY_SECONDS = 5.0

_log = get("notify.sender")


class Sender:
    """Sends what is due by one kind of address (`kind`: email or sms), batch by batch."""

    def __init__(
        self,
        kind: str,
        channel: Channel,
        store: Store,
        *,
        budget: RetryBudget | None = None,
        batch: int = BATCH,
        patience: float = PATIENCE_SECONDS,
        me: str | None = None,
        is_dead: Callable[[str], bool] | None = None,
    ) -> None:
        self.name = f"notify.sender.{kind}"
        self._kind = kind
        self._channel = channel
        self._store = store
        self._budget = budget or RetryBudget()
        self._batch = batch
        # A local channel is quick, and a simulation's batches must not depend on the machine.
        self._patience = patience if channel.remote else math.inf
        self._me = me or process_name()
        self._is_dead = is_dead or process_is_gone
        self._started = False
        self._seen = -1  # rings of the store's bell when it was last asked what is due
        self._due: datetime | None = None
        self._asked_at = 0.0  # monotonic
        self._more = False  # the last batch was full: there is probably another
        self._unrecorded: list[Tried] = []

    def step(self, wait: float) -> int:
        """Send one batch; when nothing is due, wait up to `wait` s for something."""
        if self._is_due():
            return self._send()
        if wait <= 0:
            return 0
        self._rest(wait)
        return self._send() if self._is_due() else 0

    def next_due(self) -> datetime | None:
        """When a message is next tried, UTC."""
        self._look()
        return self._due

    def wake(self) -> None:
        """Look again now."""
        self._store.wake.set()

    def close(self) -> None:
        """Let go of the channel's connections."""
        self._channel.close()

    # --- one batch ------------------------------------------------------------------------------

    def _send(self) -> int:
        # What a channel answered is written first: only then may anything be sent again.
        self._record()
        taken_back = 0 if self._started else self._take_back()
        with self._store.begin() as uow:
            claimed = claim_due(uow, self._kind, self._me, self._batch)
        self._more = len(claimed) == self._batch
        if claimed:
            self._unrecorded = self._hand_over(claimed)
            return self._record()
        self._seen = -1
        return taken_back or self._take_back()

    def _take_back(self) -> int:
        with self._store.begin() as uow:
            found = take_back(
                uow, self._kind, idempotent=self._channel.idempotent, is_dead=self._gone
            )
        self._started = True
        return found

    def _gone(self, sender: str) -> bool:
        # Messages under this name at the start are those of a run that died: it sends in one
        # thread, and records before it claims again.
        return sender == self._me or self._is_dead(sender)

    def _hand_over(self, claimed: Sequence[Message]) -> list[Tried]:
        end = time.monotonic() + self._patience
        results: list[Result] = []
        try:
            for result in self._channel.send(_until(claimed, end)):
                results.append(result)  # noqa: PERF402 - what came before a break counts
        # A letter on which a channel breaks must not stop those behind it.
        except Exception as broken:  # noqa: BLE001
            _log.error("channel.broken", channel=self._channel.name, kind=type(broken).__name__)
            reason = f"channel broke: {type(broken).__name__}"
            results.append(Failed(reason) if self._channel.idempotent else Unknown(reason))
        rest: list[Result | None] = [None] * (len(claimed) - len(results))
        return [Tried(*pair) for pair in zip(claimed, [*results, *rest], strict=True)]

    def _record(self) -> int:
        if not self._unrecorded:
            return 0
        with self._store.begin() as uow:
            record_tries(uow, self._unrecorded, self._me, self._budget)
        done, self._unrecorded = self._unrecorded, []
        _report(self._channel.name, done)
        return len(done)

    # --- when ------------------------------------------------------------------------------------

    def _is_due(self) -> bool:
        if not self._started or self._unrecorded or self._more:
            return True
        self._look()
        return self._due is not None and self._due <= self._store.clock.now()

    def _look(self) -> None:
        rings, now = self._store.wake.rings, time.monotonic()
        if rings == self._seen and now - self._asked_at < LOOK_EVERY_SECONDS:
            return
        with self._store.glance() as connection:
            self._due = sendings.next_due(connection, self._kind)
        self._seen, self._asked_at = rings, now

    def _rest(self, wait: float) -> None:
        if self._due is not None:
            left = (self._due - self._store.clock.now()).total_seconds()
            wait = max(0.0, min(wait, left))
        self._store.wake.wait(self._seen, wait)


def _until(claimed: Sequence[Message], end: float) -> Iterator[Letter]:
    for number, message in enumerate(claimed):
        if number and time.monotonic() > end:
            return
        yield message.letter()


def _report(channel: str, done: Sequence[Tried]) -> None:
    counts: dict[str, int] = {}
    for one in done:
        word = "put_back" if one.result is None else type(one.result).__name__.lower()
        counts[word] = counts.get(word, 0) + 1
    _log.info("messages.tried", channel=channel, **counts)


# --- who sends ---------------------------------------------------------------------------------


def process_name() -> str:
    """This process, as a name that the next one can recognise: host, process id and its start.

    The start is needed where numbers repeat: in a container every process has the same one.
    """
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_start_of(pid)}"


def process_is_gone(name: str) -> bool:
    """Whether a sender was a process of this host that no longer lives.

    Of another host nothing is known: its messages are taken over when their lease ends.
    """
    host, number, start = (*name.split(":"), "", "")[:3]
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives and is another user's; perhaps it only has the same number
    return bool(start) and _start_of(int(number)) not in ("", start)


def _start_of(pid: int) -> str:
    """When a process began, in the kernel's own ticks; nothing where no /proc tells it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
