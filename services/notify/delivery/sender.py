"""The sending loop of one channel: claim, let go of the database, hand over, record.

One loop per channel, so that a slow mail server holds up no text message. What a crash between
two of these steps means is decided by the channel: an idempotent one sends again; with any other
each message is noted before its text goes out, and that one alone is left to a person
(`uncertain`). Where a server takes its time, a step ends and a later one goes on waiting.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from services.notify.channels import Channel
from services.notify.delivery.handing import Handing
from services.notify.delivery.lookout import Lookout
from services.notify.delivery.processes import Presence
from services.notify.domain.delivery import Busy, Failed, GoingOut, Sent, Unknown, Waiting
from services.notify.domain.messages import RETRIES, Message
from services.notify.storage import sendings
from services.notify.storage.messages import signal_of
from services.notify.usecases.gating import Manners, gate
from services.notify.usecases.sending import (
    ORPHANED_AFTER,
    Tried,
    claim_due,
    go_out,
    record_tries,
    recover,
    renew,
)
from services.notify.usecases.telling import Patient
from shared.database import Store
from shared.kernel.actor import Actor
from shared.kernel.retry import RetryPolicy
from shared.log import get

BATCH = 50
# To another machine a step hands over for so long at most, then records: a stop waits for no slow
# server.
STEP_SECONDS = 4.0
# A stop waits so much longer for what a server says of a text that is out.
CLOSE_SECONDS = 3.0
# A part of the lease after which it is renewed.
RENEW_SECONDS = 60.0
# How old the answer to "is anything due?" may grow when no commit was heard of.
LOOK_EVERY_SECONDS = 5.0

_SENDER = Actor("service", "notify")
_log = get("notify.sender")


class Sender:
    """Sends what is due by one kind of address (`kind`: email or sms), batch by batch."""

    def __init__(
        self,
        kind: str,
        channel: Channel,
        store: Store,
        *,
        policy: RetryPolicy = RETRIES,
        batch: int = BATCH,
        step_seconds: float = STEP_SECONDS,
        presence: Presence | None = None,
        manners: Manners | None = None,
        me: str | None = None,
        is_dead: Callable[[str], bool] | None = None,
    ) -> None:
        self.name = f"notify.sender.{kind}"
        self.kind = kind
        self._channel = channel
        self._store = store
        self._policy = policy
        self._batch = batch
        # A local channel is quick, and a simulation's batches must not depend on the machine.
        self._seconds = step_seconds if channel.remote else math.inf
        self._presence = presence or Presence(store)
        self._manners = manners  # None: whatever is due goes at once
        self._buried = 0  # as far as what the dead left was looked for
        self._me = me or self._presence.name
        self._signal = store.signal(signal_of(kind))
        self._is_dead = is_dead or self._presence.is_gone
        self._started = False
        self._claimed_at = -1  # sets when the last claim began
        self._lookout = Lookout(store, self._signal, self._find, every=LOOK_EVERY_SECONDS)
        self._more = False  # the last claim was full: there is probably another
        self._unrecorded: list[Tried] = []
        self._handing: Handing | None = None  # a batch that is not over: its server is slow
        self._held_at = 0.0  # monotonic: when the lease of its messages was last renewed
        self._noted = 0  # how many of the unrecorded are noted as taken already
        self._done: list[Tried] = []  # recorded and not reported yet
        self._paused_until = 0.0  # monotonic: until then the provider wants nothing

    @property
    def _patience(self) -> Patient | None:
        return self._manners.patience if self._manners else None

    def step(self, wait: float) -> int:
        """Send one batch; when nothing is due, wait up to `wait` s for something."""
        if self._handing is not None:
            return self._go_on(self._handing, wait)
        heard = self._signal.count  # before looking: what is committed meanwhile sets it anew
        if (pause := self._paused_until - time.monotonic()) > 0:
            time.sleep(max(0.0, min(wait, pause)))
            return 0
        if self._is_due():
            return self._send()
        if wait <= 0:
            return 0
        self._lookout.rest(heard, wait)
        return self._send() if self._is_due() else 0

    def next_due(self) -> datetime | None:
        """When a message is next tried, UTC."""
        return self._lookout.next_due()

    def wake(self) -> None:
        """Look again now."""
        self._signal.set()

    def close(self) -> None:
        """Let go of the channel's connections and of every message.

        Texts that are out and of which the server says nothing for some seconds are uncertain.
        """
        if (handing := self._handing) is not None:
            self._go_on(handing, CLOSE_SECONDS)
            self._leave(handing)
        self._record()
        self._channel.close()
        self._presence.leave(self.kind)

    # --- one batch ------------------------------------------------------------------------------

    def _send(self) -> int:
        # What a channel answered is written first: only then may anything be sent again.
        self._record()
        self._presence.enter(self.kind)
        recovered = self._recover() if self._has_heard_of_dead() else 0
        claimed, stayed = self._claim()
        if not claimed:
            if stayed:
                return recovered + stayed
            # What is due is not queued: it may be somebody's who is gone.
            return recovered + (self._recover() if self._is_due() else 0)
        self._held_at = time.monotonic()
        return self._go_on(Handing(self._channel, claimed), self._seconds)

    def _claim(self) -> tuple[list[Message], int]:
        """What goes now, and how many of those that were due do not."""
        heard = self._signal.count  # before claiming: what is committed meanwhile sets it anew
        with self._store.begin(_SENDER) as uow:
            claimed = claim_due(uow, self.kind, self._me, self._batch)
            going = gate(uow, claimed, self._manners) if self._manners else claimed
        self._claimed_at = heard
        self._more = len(claimed) == self._batch
        self._lookout.forget()
        return going, len(claimed) - len(going)

    def _has_heard_of_dead(self) -> bool:
        return not self._started or self._presence.buried != self._buried

    def _recover(self) -> int:
        self._buried = self._presence.buried
        with self._store.begin(_SENDER) as uow:
            found = recover(
                uow,
                self.kind,
                idempotent=self._channel.idempotent,
                by=self._channel.name,
                is_dead=self._gone,
                idle=self._me if self._started else None,
                patient=self._patience,
            )
        self._started = True
        self._lookout.forget()
        return found

    def _gone(self, sender: str) -> bool:
        # Messages under this name at the start are those of a run that died.
        if sender == self._me:
            return not self._started
        return self._is_dead(sender)

    def _go_on(self, handing: Handing, seconds: float) -> int:
        """Hand over until the batch is over, or the time is and a server still waited for."""
        self._renew(handing)
        end = time.monotonic() + seconds
        try:
            while (word := handing.next()) is not None:
                self._unrecorded += handing.settled()
                if isinstance(word, GoingOut) and not self._note(handing, word):
                    break
                if isinstance(word, Busy):
                    self._paused_until = time.monotonic() + word.seconds
                if time.monotonic() > end:
                    self._unrecorded += handing.release()
                    if isinstance(word, Waiting) and handing.held:
                        self._handing = handing
                        return self._record()
        except BaseException:
            self._leave(handing)
            raise
        self._leave(handing)
        return self._record()

    def _leave(self, handing: Handing) -> None:
        self._handing = None
        self._unrecorded += handing.leave()

    def _note(self, handing: Handing, word: GoingOut) -> bool:
        """Write down whose texts go out now, and what became of those before them.

        False when one is no longer this sender's. Who was told is said at the end of the batch,
        but where a receipt may come: its provider's name for it must not be lost in a crash.
        """
        going = handing.going(word)
        if self._channel.idempotent or not going:
            return True
        fresh = self._unrecorded[self._noted :]
        taken = [each for each in fresh if _is_plainly_sent(each)]
        others = [each for each in fresh if not _is_plainly_sent(each)]
        with self._store.begin(_SENDER) as uow:
            ours = go_out(uow, going, self._me, [each.message for each in taken])
            if others:
                record_tries(uow, others, self._me, self._policy, self._patience)
        if ours:
            handing.out += len(going)
        self._held_at = time.monotonic()
        self._unrecorded[self._noted :] = taken
        self._noted = len(self._unrecorded)
        self._done += others
        return ours

    def _renew(self, handing: Handing) -> None:
        if not handing.held or time.monotonic() - self._held_at < RENEW_SECONDS:
            return
        with self._store.begin(_SENDER) as uow:
            renew(uow, handing.held, self._me)
        self._held_at = time.monotonic()

    def _record(self) -> int:
        if self._unrecorded:
            with self._store.begin(_SENDER) as uow:
                record_tries(uow, self._unrecorded, self._me, self._policy, self._patience)
        done, self._done = [*self._done, *self._unrecorded], []
        self._unrecorded, self._noted = [], 0
        if done:
            _report(self._channel.name, done)
        return len(done)

    # --- when ------------------------------------------------------------------------------------

    def _is_due(self) -> bool:
        if self._has_heard_of_dead() or self._unrecorded or self._more:
            return True
        # Whoever set it wrote a message that waits: claiming it is as dear as asking whether it does.
        if self._signal.count != self._claimed_at:
            return True
        return self._lookout.is_due()

    def _find(self, connection: sa.Connection) -> datetime | None:
        found = sendings.next_due(connection, self.kind, self._me)
        return _first(found, self._store.clock.now(), self._store.shared_clock.now(connection))


def _is_plainly_sent(one: Tried) -> bool:
    return isinstance(one.result, Sent) and not one.result.references


def _first(found: sendings.Next, now: datetime, shared: datetime) -> datetime | None:
    """When something has to be looked at, by the clock of this machine (UTC).

    What lies farther off than anything is planned was written before it was put back: that is due.
    """
    due = now if found.due is not None and found.due > RETRIES.beyond(now) else found.due
    held = found.held
    if held is not None and held > now + sendings.LONGEST_HOLD:
        held = now
    lease = None if found.lease is None else now + (found.lease - shared)
    mine = found.mine_since
    lost = None if mine is None else now if mine > now else mine + ORPHANED_AFTER
    return min((at for at in (due, held, lease, lost) if at is not None), default=None)


def _report(channel: str, done: Sequence[Tried]) -> None:
    counts = Counter(
        "put_back" if one.result is None else type(one.result).__name__.lower() for one in done
    )
    # Reasons are words of ours and codes.
    whys = {one.result.reason for one in done if isinstance(one.result, Failed | Unknown)}
    _log.info("messages.tried", channel=channel, **counts, why=sorted(whys)[:3])
