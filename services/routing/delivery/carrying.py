"""Brings the broker to what is wished of the agencies' queues, and says what was done.

For whoever may manage the broker. It goes by what is there and not by what was done before, so that
once more changes nothing, and a broker that lost its users has them again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.routing.delivery.management import Management, ManagementTrouble, Seen
from services.routing.domain.queue import AgencyQueue, is_user_of
from services.routing.storage import queues
from services.routing.usecases.queues import TROUBLES
from shared.database import Store
from shared.identity import audit
from shared.kernel.actor import Actor
from shared.log import get
from shared.messaging.advice import Both
from shared.messaging.amqp.address import parse
from shared.settings import Settings

EVERY_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 1.0
_ME: Final = Actor("service", "routing.queues")
_log = get("queues")


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done for an agency, or why it could not be (`well` is False)."""

    agency: str
    said: Both
    well: bool = True


def management_of(settings: Settings) -> list[Management]:
    """The management door of the city's broker; none where it was not named, or there is no broker."""
    if settings.management_url is None or settings.amqp_url.startswith("memory:"):
        return []
    vhost = parse(settings.amqp_url)[0].vhost
    return [Management(settings.management_url, vhost, settings.amqp_prefix)]


def carry_out(store: Store, management: Management, actor: Actor = _ME) -> list[Deed]:
    """Bring the broker to what is wished now; what was done, or could not be, in words."""
    with store.read() as connection:
        rows, now = queues.every(connection), store.clock.now()
    done: list[Deed] = []
    trouble: str | None = None
    seen: Seen | None = None
    for row in rows:
        deeds: list[Both] = []
        known = row
        if trouble is None:
            try:
                seen = seen or management.seen()
                known = _adopted(row, seen)
                deeds.extend(_carry(management, seen, known, now))
                own = None if _has_passwords(known, now) else "password"
            except ManagementTrouble as wrong:
                _log.error("queues.not_carried", agency=row.agency, why=wrong.code, told=wrong.en)
                own = wrong.code
                trouble = None if own == "refused" else own  # with the next it would be the same
        else:
            own = trouble
        _keep(store, actor, row, replace(known, trouble=own), changed=bool(deeds))
        done += [Deed(row.agency, said) for said in deeds]
        if own is not None:
            done.append(Deed(row.agency, Both(*TROUBLES[own]), well=False))
    return done


def _adopted(row: AgencyQueue, seen: Seen) -> AgencyQueue:
    """With the hashes that only the broker knows: given before anything was wished."""
    hash_, old = row.hash, row.old_hash
    if hash_ is None:
        hash_ = seen.users.get(row.user)
    if old is None and row.old_until is not None:
        old = seen.users.get(row.old_user)
    return replace(row, hash=hash_, old_hash=old)


def _has_passwords(row: AgencyQueue, now: datetime) -> bool:
    return row.user not in row.users(now) or row.hash is not None


def _carry(management: Management, seen: Seen, row: AgencyQueue, now: datetime) -> Iterator[Both]:
    """Users first, so that nobody reads a queue that is going."""
    wanted = row.users(now)
    for user in sorted(each for each in seen.users if is_user_of(each, row.agency)):
        if user not in wanted:
            management.withdraw(user)
            yield Both(f"đã rút người dùng {user}", f"withdrew the user {user}")
    if row.wanted and management.have_queue(seen, row.agency):
        yield Both("đã tạo hàng đợi", "made the queue")
    for user, hash_ in wanted.items():
        if hash_ is not None and management.have_user(seen, row.agency, user, hash_):
            yield Both(f"đã đặt người dùng {user}", f"set the user {user}")
    if not row.wanted and management.drop_queue(seen, row.agency):
        yield Both("đã xóa hàng đợi", "deleted the queue")


def _keep(
    store: Store, actor: Actor, before: AgencyQueue, after: AgencyQueue, *, changed: bool
) -> None:
    """Write down how it went, unless somebody has wished otherwise meanwhile."""
    if not changed and after == before and (after.trouble is None) == (before.done_at is not None):
        return
    with store.begin(actor) as uow:
        if queues.of(uow.connection, before.agency, hold=True) != before:
            return  # the next time
        at = None if after.trouble else uow.now
        queues.put(uow, replace(after, done_at=at))
        if changed:
            audit.note(uow, "carry out agency queue", [before.agency])


class QueueKeeper:
    """The loop of who may manage the broker: at once after a wish, and again and again."""

    name = "routing.queues"

    def __init__(self, store: Store, management: Management) -> None:
        self._store = store
        self._management = management
        self._woken = threading.Event()
        self._next = self._look = 0.0  # monotonic
        self._seen = -1  # commits when last looked

    def step(self, wait: float) -> int:
        """Carry out what is wished, when it is time; else wait up to `wait` s."""
        if not self._is_time():
            if wait > 0:
                self._woken.wait(min(wait, _LOOK_SECONDS))
                self._woken.clear()
            if not self._is_time():
                return 0
        self._next = time.monotonic() + EVERY_SECONDS
        done = carry_out(self._store, self._management)
        for deed in done:
            if deed.well:
                _log.info("queues.carried", agency=deed.agency, did=deed.said.en)
        return len(done)

    def _is_time(self) -> bool:
        at, commits = time.monotonic(), self._store.commits.count
        if at >= self._next:
            return True
        if commits == self._seen or at < self._look:
            return False
        self._seen, self._look = commits, at + _LOOK_SECONDS
        with self._store.query() as connection:
            return queues.some_wait(connection)

    def next_due(self) -> datetime | None:
        """None: nothing of the city's depends on it."""
        return None

    def wake(self) -> None:
        """End a waiting step, and carry out now."""
        self._next = 0.0
        self._woken.set()

    def close(self) -> None:
        """Let go of the management door's connections."""
        self._management.close()
