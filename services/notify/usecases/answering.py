"""What follows from a text that a citizen wrote: it is done, and answered within the day's share.

Intake is asked between two units of work (`delivery/answerer.py`): here stands what it said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from services.notify.domain.contacts import SMS
from services.notify.domain.incoming import (
    ASKING,
    Answer,
    Asked,
    Kind,
    about,
    answer_to,
    meant_by,
    phone_of,
)
from services.notify.domain.messages import Message
from services.notify.storage import heard as rows
from services.notify.storage.heard import Heard
from services.notify.storage.messages import save
from services.notify.usecases.stopping import start, stop
from shared.catalogue.model import AnsweringRule
from shared.database import UnitOfWork
from shared.kernel.clock import to_vn

HELP: Final = "help"
#: Once a day: what writes without sense is often a machine, and answers whatever it is answered.
_ONCE: Final = frozenset({HELP})


@dataclass(frozen=True, slots=True)
class Later:
    """Intake is away, or says to ask again: after so many seconds at least."""

    seconds: float = 0.0


def may_answer(uow: UnitOfWork, one: Heard, rule: AnsweringRule, name: str = "") -> bool:
    """Whether this number has something left of the day's answers."""
    local = to_vn(uow.now)
    day = datetime.combine(local.date(), time(), local.tzinfo)
    given = rows.answers_since(uow.connection, one.sender, day.astimezone(uow.now.tzinfo))
    return len(given) < rule.most_a_day and not (name in _ONCE and name in given)


def act(
    uow: UnitOfWork, one: Heard, asked: Asked, told: Answer | Later | None, rule: AnsweringRule
) -> Kind:
    """Do what a text asks for; `told` is what the look-up brought, None where none was made."""
    phone = phone_of(one.sender)
    if phone is None:
        rows.done(uow.connection, one.id, Kind.MACHINE, "")
        return Kind.MACHINE
    if isinstance(told, Later):
        tries = one.tries + 1
        if not ASKING.spent(tries):
            pause = max(ASKING.pause(tries, one.id), timedelta(seconds=told.seconds))
            rows.put_off(uow.connection, one.id, uow.now + pause)
            return asked.kind
        told = Answer("later")
    answer = _done(uow, phone, asked, told)
    made = None
    if answer is not None and may_answer(uow, one, rule, answer.name):
        made = answer_to(one.id, phone, answer, rule, uow.now)
    if made is not None:
        save(uow, added=[made])
    rows.done(uow.connection, one.id, asked.kind, answer.name if answer and made else "")
    return asked.kind


def _done(uow: UnitOfWork, phone: str, asked: Asked, told: Answer | None) -> Answer | None:
    """What is done, and which words say so; None where there is nothing new to say."""
    if asked.kind is Kind.STATUS:
        return told
    sent = rows.sent_to(uow.connection, phone)
    language = _language(sent)
    if asked.kind is Kind.STOP:
        return Answer("stopped", language) if stop(uow, SMS, phone, SMS) else None
    if asked.kind is Kind.START:
        return Answer("started", language) if start(uow, SMS, phone) else None
    if asked.kind is Kind.GENUINE:
        meant = meant_by(asked.code, sent)
        if meant is None:
            return Answer("not_genuine", language)
        return Answer("genuine", meant.language, about(meant, meant.language))
    return Answer(HELP, language)


def _language(sent: Sequence[Message]) -> str:
    """The language in which this number was written to last."""
    return next((message.language for message in sent if message.language), "vi")
