"""Saying who was told and who cannot be, and what follows for the other ways of a moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from services.notify.domain.ladder import Patience, follow
from services.notify.domain.messages import APPLICANT, Message
from services.notify.domain.states import LOST, State
from services.notify.storage import beside
from services.notify.storage.correspondence import lock_dossiers
from services.notify.storage.messages import Messages
from shared.database import UnitOfWork
from shared.events.notify import AddressFailed, CitizenNotified, StopChanged

Patient = Callable[[datetime], Patience]


def notified(messages: Iterable[tuple[Message, datetime]]) -> list[CitizenNotified]:
    """The citizens were told, each message then (UTC); of what went to staff nothing is said."""
    return [
        CitizenNotified(
            dossier=message.dossier,
            moment=message.moment,
            channel=message.channel,
            message=message.id,
            sent_at=sent_at,
            party=message.party,
        )
        for message, sent_at in messages
        if message.is_citizens
    ]


def hold(uow: UnitOfWork, moved: Iterable[Message]) -> None:
    """Before messages are written that others follow: hold their dossiers.

    Two senders may lose the two ways of one moment at once: one of them must see both.
    """
    followed = [message.dossier for message in moved if _is_followed(message)]
    if followed:
        lock_dossiers(uow.connection, followed)


def follow_up(
    uow: UnitOfWork,
    moved: Iterable[Message],
    patient: Patient | None = None,
    final: Collection[str] = (),
) -> None:
    """What follows for the other ways of these moments, and for a citizen whom none is left for.

    `final`: ids of what was handed to somebody who never tells whether it arrived.
    """
    followed = [message for message in moved if _is_followed(message)]
    if not followed:
        return
    messages = uow.get(Messages)
    groups: dict[tuple[str, str, str], list[Message]] = {}
    for message in messages.of_facts(message.fact_id for message in followed):
        groups.setdefault(_moment(message), []).append(message)
    for message in {_moment(each): each for each in followed}.values():
        patience = patient(uow.now) if patient else None
        changed, events = follow(
            groups[_moment(message)], uow.now, patience, final=message.id in final
        )
        for each in changed:
            messages.change(each)
        uow.record(*events)


def _moment(message: Message) -> tuple[str, str, str]:
    return message.fact_id, message.moment, message.role


def _is_followed(message: Message) -> bool:
    return message.is_citizens and (message.rungs > 1 or message.state in LOST)


def blamed(uow: UnitOfWork, moved: Sequence[Message]) -> list[AddressFailed]:
    """As `refused`, heard afterwards: not of an address that another has taken the place of."""
    failed = [message for message in moved if message.state is State.UNDELIVERABLE]
    now = beside.theirs(uow.connection, [m.dossier for m in failed]) if failed else set()
    return refused([each for each in failed if (each.dossier, each.to) in now], uow.now)


def refused(moved: Iterable[Message], at: datetime) -> list[AddressFailed]:
    """Of which addresses a server has said for good that nothing arrives there."""
    return [
        AddressFailed(dossier=message.dossier, channel=message.channel, at=at)
        for message in moved
        if message.role == APPLICANT and message.state is State.UNDELIVERABLE
    ]


def stop_told(ended: Iterable[Message], at: datetime) -> list[StopChanged]:
    """The desks of these hear that their citizen wants nothing more by this way."""
    return [
        StopChanged(dossier=message.dossier, channel=message.channel, stopped=True, at=at)
        for message in ended
    ]


def notable(message: Message, before: Message) -> Sequence[CitizenNotified]:
    """What a receipt brings to light: that somebody was told of whom nobody knew it."""
    if before.sent_at is None and message.sent_at is not None:
        return notified([(message, message.sent_at)])
    return []
