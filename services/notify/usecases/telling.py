"""Saying who was told and who cannot be: what an answer and a receipt have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from services.notify.domain.messages import STAFF, Message, moment_lost, unreachable
from services.notify.domain.states import LOST, State
from services.notify.storage.correspondence import lock_dossiers
from services.notify.storage.messages import Messages
from shared.database import UnitOfWork
from shared.events.notify import CitizenNotified


def notified(messages: Iterable[tuple[Message, datetime]]) -> list[CitizenNotified]:
    """The citizens were told, each message then (UTC); of what went to staff nothing is said."""
    return [
        CitizenNotified(
            dossier=message.dossier,
            moment=message.moment,
            channel=message.channel,
            message=message.id,
            sent_at=sent_at,
        )
        for message, sent_at in messages
        if message.role != STAFF
    ]


def hold_lost(uow: UnitOfWork, moved: Iterable[Message]) -> None:
    """Before lost messages are written: hold their dossiers.

    Two senders may lose the two channels of one moment at once: one of them must see both.
    """
    lost = [message.dossier for message in moved if message.state in LOST]
    if lost:
        lock_dossiers(uow.connection, lost)


def record_unreachable(uow: UnitOfWork, moved: Iterable[Message]) -> None:
    """Say of which moments of a citizen no channel is left, once each."""
    lost = [message for message in moved if message.state in LOST and message.role != STAFF]
    if not lost:
        return
    messages = uow.get(Messages)
    siblings: dict[tuple[str, str, str], list[Message]] = {}
    for message in messages.of_facts(message.fact_id for message in lost):
        key = (message.fact_id, message.moment, message.role)
        siblings.setdefault(key, []).append(message)
    for message in lost:
        group = siblings[message.fact_id, message.moment, message.role]
        if moment_lost(group):
            group[:] = [_told(uow, message)]


def _told(uow: UnitOfWork, message: Message) -> Message:
    told = replace(message, told_unreachable=True)
    uow.get(Messages).change(told)
    uow.record(unreachable(told, message.reason or State.UNDELIVERABLE.value, uow.now))
    return told


def notable(message: Message, before: Message) -> Sequence[CitizenNotified]:
    """What a receipt brings to light: that somebody was told of whom nobody knew it."""
    if before.sent_at is None and message.sent_at is not None:
        return notified([(message, message.sent_at)])
    return []
