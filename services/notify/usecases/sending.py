"""The sending loop's steps in the database: claim, record what channels said, take back, give up.

The channel itself is called between two of these units, with no transaction open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.notify.domain.contacts import NO_CONTACT
from services.notify.domain.delivery import Busy, Result, Sent, Unknown
from services.notify.domain.messages import (
    CONTACT_TIMEOUT,
    SPENT,
    Message,
    after_crash,
    after_try,
    requeued,
    unreachable,
)
from services.notify.domain.receipts import Ticket, tickets_for
from services.notify.domain.states import State
from services.notify.storage import receipts, sendings
from services.notify.storage.messages import Messages
from services.notify.storage.receipts import Try
from services.notify.storage.spending import offices_of
from services.notify.usecases.telling import Patient, follow_up, hold, notified, refused
from shared.database import UnitOfWork
from shared.kernel.retry import RetryPolicy

# Longer than any batch takes: only a sender that hangs loses its messages to another.
LEASE = timedelta(minutes=10)
# Longer than a commit takes: what a sender has under its name for so long and does not hold,
# nobody holds.
ORPHANED_AFTER = timedelta(minutes=1)
GIVE_UP_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Tried:
    """A message and what its channel answered; None when it was not handed over at all."""

    message: Message
    result: Result | None


def claim_due(uow: UnitOfWork, channel: str, sender: str, limit: int) -> list[Message]:
    """Up to `limit` messages that this sender, and nobody else, now has; `gate` lets them go."""
    wanted = sendings.Claim(sender, uow.shared_now() + LEASE)
    sendings.release(uow.connection, channel, uow.now)
    return sendings.claim(uow.connection, channel, wanted, uow.now, limit)


def go_out(
    uow: UnitOfWork, going: Sequence[Message], sender: str, taken: Iterable[Message]
) -> bool:
    """Note that these texts go out now; False when one of them is no longer this sender's.

    `taken` were sent since the last such note. After a crash they count as sent, and what goes out
    now alone as uncertain.
    """
    holder = sendings.Claim(sender, uow.shared_now() + LEASE)
    ids, others = [each.id for each in going], [each.id for each in taken]
    return sendings.go_out(uow.connection, ids, others, holder, uow.now)


def renew(uow: UnitOfWork, held: Iterable[Message], sender: str) -> None:
    """Go on holding messages for which the channel waits."""
    holder = sendings.Claim(sender, uow.shared_now() + LEASE)
    sendings.renew(uow.connection, [message.id for message in held], holder)


def record_tries(
    uow: UnitOfWork,
    tried: Sequence[Tried],
    sender: str,
    policy: RetryPolicy,
    patient: Patient | None = None,
) -> None:
    """Write what became of a batch, say who was told and who cannot be, and what follows."""
    sent = {one.message.id: one for one in tried if isinstance(one.result, Sent)}
    others = [_moved(one, uow, policy) for one in tried if not isinstance(one.result, Sent)]
    gone = [replace(one.message, state=State.SENT) for one in sent.values()]
    hold(uow, [*gone, *others])
    marked: set[str] = set()
    for by in sorted({_by(one) for one in sent.values()}):
        ids = sorted(name for name, one in sent.items() if _by(one) == by)
        marked |= sendings.mark_sent(uow.connection, ids, sender, uow.now, by)
    uow.record(*notified((one.message, uow.now) for name, one in sent.items() if name in marked))
    if others:
        marked |= _record_others(uow, others, sender)
    _write_down(uow, [one for one in tried if one.message.id in marked])
    final = {name for name, one in sent.items() if not _has_receipts(one)}
    moved = [message for message in (*gone, *others) if message.id in marked]
    follow_up(uow, moved, patient, final)


def _by(one: Tried) -> str:
    return "" if one.result is None else one.result.by


def _has_receipts(one: Tried) -> bool:
    return isinstance(one.result, Sent) and bool(one.result.references)


def _record_others(uow: UnitOfWork, moved: Sequence[Message], sender: str) -> set[str]:
    held = sendings.still_held(uow.connection, sorted(message.id for message in moved), sender)
    others = [message for message in moved if message.id in held]
    for message in others:
        uow.get(Messages).change(message)
    uow.record(*refused((m for m in others if m.reason != SPENT), uow.now))
    return held


def _write_down(uow: UnitOfWork, tried: Iterable[Tried]) -> None:
    """Each try that was one, and by which names its provider will speak of it."""
    tickets: list[Ticket] = []
    tries = []
    for message, result in ((one.message, one.result) for one in tried):
        if result is None or isinstance(result, Busy):
            continue
        kind = type(result).__name__.lower()
        reason = None if isinstance(result, Sent) else result.reason
        tries.append((message, result.by, kind, reason))
        if isinstance(result, Sent | Unknown):
            tickets += tickets_for(message, result.by, result.references, uow.now)
    _note_tries(uow, tries)
    receipts.add_tickets(uow.connection, tickets)


def _note_tries(uow: UnitOfWork, tries: Sequence[tuple[Message, str, str, str | None]]) -> None:
    """By whom each message was taken, or not, and what that costs whom."""
    if not tries:
        return
    offices = offices_of(uow.connection, [message.dossier for message, *_ in tries])
    rows = [
        Try(
            message.id, by, message.tries, uow.now, kind, reason,
            message.channel, offices.get(message.dossier, ""), message.parts,
        )
        for message, by, kind, reason in tries
    ]  # fmt: skip
    receipts.add_tries(uow.connection, rows)


def recover(
    uow: UnitOfWork,
    channel: str,
    *,
    idempotent: bool,
    is_dead: Callable[[str], bool],
    idle: str | None = None,
    patient: Patient | None = None,
    by: str = "",
) -> int:
    """Messages that a dead or hanging sender held: queued again, sent, or uncertain; how many.

    `idle` is a sender that holds nothing now: what is long claimed in its name was never handed to
    it, because the word of the commit was lost. `by` is who was given what went.
    """
    messages = uow.get(Messages)
    orphans: list[Message] = []
    if idle:
        since = uow.now - ORPHANED_AFTER
        orphans = sendings.orphaned(uow.connection, channel, idle, since, uow.now)
    for message in orphans:
        messages.change(requeued(message, uow.now))
    dead = [name for name in sendings.senders(uow.connection, channel) if is_dead(name)]
    known = {message.id for message in orphans}
    found = sendings.left_behind(uow.connection, channel, uow.shared_now(), dead)
    left = [message for message in found if message.id not in known]
    after = [after_crash(message, uow.now, idempotent=idempotent) for message in left]
    hold(uow, after)
    gone = [each for each in after if each.state in (State.SENT, State.UNCERTAIN)]
    kinds = {State.SENT: "sent", State.UNCERTAIN: "unknown"}
    _note_tries(uow, [(each, by or channel, kinds[each.state], each.reason) for each in gone])
    for message, now in zip(left, after, strict=True):
        messages.change(now)
        if message.sent_at is not None:
            uow.record(*notified([(message, message.sent_at)]))
    # Only of who tells of no receipts it is noted in passing that they took it.
    final = {message.id for message in after if message.state is State.SENT}
    follow_up(uow, after, patient, final)
    return len(orphans) + len(left)


def waited_too_long(uow: UnitOfWork, put_off: Collection[str]) -> list[str]:
    """The messages whose contact did not come within its time, without those put off."""
    since = uow.now - CONTACT_TIMEOUT
    return sendings.awaiting_since(uow.connection, since, GIVE_UP_AT_ONCE, put_off)


def give_up_waiting(uow: UnitOfWork, ids: Sequence[str]) -> int:
    """These messages are waited for no longer: the citizen is unreachable; how many they were."""
    late = uow.get(Messages).still_awaiting(ids)
    for message in late:
        ended = message.moved(
            State.UNDELIVERABLE, uow.now, reason=NO_CONTACT, told_unreachable=True
        )
        uow.get(Messages).change(ended)
        uow.record(unreachable(message, NO_CONTACT, uow.now))
    return len(late)


def _moved(one: Tried, uow: UnitOfWork, policy: RetryPolicy) -> Message:
    message = one.message
    if one.result is None:
        return requeued(message, uow.now)
    return after_try(message, one.result, uow.now, policy)


def next_give_up(connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
    """When the longest waiting message is given up (UTC), but for those put off; None for none."""
    since = sendings.first_awaiting(connection, put_off)
    return since + CONTACT_TIMEOUT if since else None
