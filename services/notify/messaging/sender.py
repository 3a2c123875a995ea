"""The sending loop of one channel: claim, let go of the database, hand over, record.

One loop per channel, so that a slow mail server holds up no text message. What a crash between
two of these steps means is decided by the channel: an idempotent one sends again, any other
leaves the message to a person (`uncertain`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from services.notify.channels import Channel
from services.notify.domain.delivery import Failed, Letter, Result, Unknown
from services.notify.domain.messages import Message
from services.notify.domain.retrying import RetryBudget
from services.notify.messaging.processes import process_is_gone, process_name
from services.notify.storage import sendings
from services.notify.storage.messages import bell_of
from services.notify.usecases.handing import Tray
from services.notify.usecases.sending import (
    ORPHANED_AFTER,
    Tried,
    claim_due,
    give_back,
    record_tries,
    take_back,
)
from shared.database import Store
from shared.log import get

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
        self.kind = kind
        self._channel = channel
        self._store = store
        self._budget = budget or RetryBudget()
        self._batch = batch
        # A local channel is quick, and a simulation's batches must not depend on the machine.
        self._patience = patience if channel.remote else math.inf
        self._me = me or process_name()
        self._bell = store.signal(bell_of(kind))
        self._tray = Tray(self._me, self._bell)
        self._is_dead = is_dead or process_is_gone
        self._started = False
        self._seen = -1  # rings for queued rows when the database was last asked what is due
        self._due: datetime | None = None
        self._asked_at = 0.0  # monotonic
        self._more = False  # the last claim was full: there is probably another
        self._unrecorded: list[Tried] = []

    def step(self, wait: float) -> int:
        """Send one batch; when nothing is due, wait up to `wait` s for something."""
        heard = self._bell.count  # before looking: what is put into the tray meanwhile rings anew
        if self._is_due():
            return self._send()
        if wait <= 0:
            return 0
        self._rest(heard, wait)
        return self._send() if self._is_due() else 0

    @property
    def tray(self) -> Tray | None:
        """Where units of this process may put what they write; None where each must be claimed.

        What lies in the tray of a process that dies may have been sent or not. Where that is no
        matter it is sent again; a mail server gets only what was claimed for it one batch before.
        """
        return self._tray if self._channel.idempotent else None

    def next_due(self) -> datetime | None:
        """When a message is next tried, UTC."""
        self._look()
        return self._due

    def wake(self) -> None:
        """Look again now."""
        self._bell.set()

    def close(self) -> None:
        """Let go of the channel's connections, and of what was not sent: others may have time."""
        self._channel.close()
        left = self._tray.close()
        if left:
            with self._store.begin() as uow:
                give_back(uow, left, self._me)

    # --- one batch ------------------------------------------------------------------------------

    def _send(self) -> int:
        # What a channel answered is written first: only then may anything be sent again.
        self._record()
        taken_back = 0 if self._started else self._take_back()
        claimed: list[Message] = []
        if self._is_row_due() and not self._tray_goes_first():
            claimed = self._claim()
            if not claimed and self._is_row_due():
                taken_back += self._take_back()
        # After all that may fail: what is taken from the tray is in nobody else's hands.
        messages = self._tray.take(self._batch, self._store.clock.now()) + claimed
        if not messages:
            return taken_back
        self._unrecorded = self._hand_over(messages)
        return self._record()

    def _tray_goes_first(self) -> bool:
        """Whether more than a batch came before the rows; nothing is added until these are gone."""
        first = len(self._tray) > self._batch
        if first:
            self._tray.refuse()
        return first

    def _claim(self) -> list[Message]:
        with self._store.begin() as uow:
            claimed = claim_due(uow, self.kind, self._me, self._batch)
        self._more = len(claimed) == self._batch
        if not self._more:
            self._tray.caught_up()
        if not claimed:
            self._seen = -1
        return claimed

    def _take_back(self) -> int:
        holds_nothing = self._started and not self._tray
        with self._store.begin() as uow:
            found = take_back(
                uow,
                self.kind,
                idempotent=self._channel.idempotent,
                is_dead=self._gone,
                idle=self._me if holds_nothing else None,
            )
        self._started = True
        if self._channel.idempotent:
            self._tray.open()
        self._seen = -1
        return found

    def _gone(self, sender: str) -> bool:
        # Messages under this name at the start are those of a run that died.
        if sender == self._me:
            return not self._started
        return self._is_dead(sender)

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
        if not self._started or self._unrecorded or self._tray:
            return True
        return self._is_row_due()

    def _is_row_due(self) -> bool:
        if self._more:
            return True
        self._look()
        return self._due is not None and self._due <= self._store.clock.now()

    def _look(self) -> None:
        rings, now = self._tray.rings, time.monotonic()
        if rings == self._seen and now - self._asked_at < LOOK_EVERY_SECONDS:
            return
        idle = not self._tray
        with self._store.query() as connection:
            found = sendings.next_due(connection, self.kind, self._me)
        lost = found.mine_since + ORPHANED_AFTER if found.mine_since and idle else None
        self._due = min((at for at in (found.due, lost) if at is not None), default=None)
        self._seen, self._asked_at = rings, now

    def _rest(self, heard: int, wait: float) -> None:
        if self._due is not None:
            left = (self._due - self._store.clock.now()).total_seconds()
            wait = max(0.0, min(wait, left))
        self._bell.wait(heard, wait)


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
