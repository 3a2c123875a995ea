"""What becomes of an event: one message per channel, or one that waits for the contact.

Nothing is sent here; the sending loops take the messages from where they are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from services.notify.domain.cases import Case, learn
from services.notify.domain.composing import Composer
from services.notify.domain.contacts import NO_CONSENT, choose
from services.notify.domain.messages import APPLICANT, NO_CHANNEL, Message, unreachable
from services.notify.domain.moments import MOMENTS, Details
from services.notify.domain.states import State
from services.notify.domain.values import Notice
from shared.events.decision import Decision
from shared.events.event import Event
from shared.events.intake import (
    ContactGiven,
    DeadlineStated,
    DossierReturned,
    ResultCodeGiven,
    SupplementLapsed,
)
from shared.events.routing import DossierResolved, DossierStopped, SupplementDropped

_AFTER_THE_END = (DossierReturned, ResultCodeGiven)
_PROPOSALS = (DossierResolved, DossierStopped, SupplementDropped)
TOLD_BEFORE: Final = (
    "Cơ sở dữ liệu của nơi gửi đã khôi phục từ bản sao: điều này công dân đã được báo rồi."
)
AFTER_THE_END: Final = "Đến muộn: hồ sơ đã kết thúc, công dân không được nhắn nữa."


@dataclass(frozen=True, slots=True)
class Correspondence:
    """What notify knows of one dossier.

    `messages` are those that wait for the contact, and all that were written since it was read.
    """

    case: Case
    contact: ContactGiven | None = None
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds where an event is handled: which fact it is, when it was made, when this is.

    `told`: the messages that there are of a dossier of which something may be said again.
    """

    composer: Composer
    fact_id: str
    made_at: datetime
    now: datetime
    new_id: Callable[[], str]
    told: frozenset[str] = frozenset()


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a text will be made of, as it is kept while the contact is awaited."""

    made_at: datetime
    due_at: datetime | None = None
    data: Details = Details()


def write_messages(
    known: Correspondence | None, event: Event, around: Circumstances
) -> Decision[Correspondence]:
    """Remember what the event teaches and write the messages of its moment."""
    before = known or Correspondence(Case(event.subject))
    if isinstance(event, _PROPOSALS) and event.proposed:
        return Decision()  # intake confirms it, or states what came before it
    if before.case.ended and not isinstance(event, _AFTER_THE_END):
        return Decision(note=AFTER_THE_END)
    case = learn(before.case, event)
    moment = MOMENTS[type(event)]
    details = moment.details(event)
    notice = around.composer.notice(case, around.made_at, details)
    blank = Message(
        id=around.new_id(),
        fact_id=around.fact_id,
        moment=moment.code,
        role=APPLICANT,
        channel=NO_CHANNEL,
        dossier=event.subject,
        state=State.AWAITING_CONTACT,
        made_at=around.now,
        changed_at=around.now,
    )
    if blank.id in around.told:
        return Decision(replace(before, case=case), note=TOLD_BEFORE)
    if before.contact is None:
        kept = _Kept(around.made_at, case.due_at, details)
        waiting = replace(blank, about=msgspec.to_builtins(kept))
        return Decision(replace(before, case=case, messages=(*before.messages, waiting)))
    written, events = _addressed(blank, notice, before.contact, around)
    return Decision(replace(before, case=case, messages=before.messages + written), events)


def learn_deadline(
    known: Correspondence | None, event: DeadlineStated | SupplementLapsed, _: Circumstances
) -> Decision[Correspondence]:
    """Remember the date in force."""
    before = known or Correspondence(Case(event.subject))
    return Decision(replace(before, case=learn(before.case, event)))


def release_messages(
    known: Correspondence | None, contact: ContactGiven, around: Circumstances
) -> Decision[Correspondence]:
    """Remember how to reach the citizen and write the messages that waited for it."""
    before = known or Correspondence(Case(contact.dossier))
    messages: list[Message] = []
    events: list[Event] = []
    for message in before.messages:
        if message.state is not State.AWAITING_CONTACT:
            messages.append(message)
            continue
        kept = msgspec.convert(message.about, _Kept)
        case = replace(before.case, due_at=kept.due_at)
        notice = around.composer.notice(case, kept.made_at, kept.data)
        written, told = _addressed(message, notice, contact, around)
        messages += written
        events += told
    return Decision(replace(before, contact=contact, messages=tuple(messages)), tuple(events))


def _addressed(
    blank: Message, notice: Notice, contact: ContactGiven, around: Circumstances
) -> tuple[tuple[Message, ...], tuple[Event, ...]]:
    """One message per channel, the first under the given id; or one that ends here, and why."""
    choice = choose(contact)
    if not choice.addresses:
        reason = choice.reason or NO_CONSENT
        end = State.SKIPPED if reason == NO_CONSENT else State.UNDELIVERABLE
        ended = blank.moved(end, around.now, reason=reason, told_unreachable=True, about=None)
        return (ended,), (unreachable(blank, reason, around.now),)
    ids = [blank.id, *(around.new_id() for _ in choice.addresses[1:])]
    written = tuple(
        around.composer.write(blank, notice, contact, to, message_id=message_id, now=around.now)
        for message_id, to in zip(ids, choice.addresses, strict=True)
    )
    return written, ()
