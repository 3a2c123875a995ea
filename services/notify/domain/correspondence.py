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
from services.notify.domain.contacts import NO_CONSENT, Address, choose
from services.notify.domain.messages import APPLICANT, NO_CHANNEL, Message, unreachable
from services.notify.domain.moments import CONTACT_CHANGED, MOMENTS, Details
from services.notify.domain.states import State
from services.notify.domain.values import Notice
from shared.events.decision import Decision
from shared.events.event import Event
from shared.events.intake import (
    ContactGiven,
    DeadlineStated,
    DossierPartlyReturned,
    DossierReturned,
    ResultCodeGiven,
    SupplementLapsed,
    WaybillCorrected,
)
from shared.events.routing import DossierResolved, DossierStopped, SupplementDropped

_HANDED = (DossierReturned, DossierPartlyReturned)
_AFTER_THE_END = (*_HANDED, WaybillCorrected, ResultCodeGiven)
_PROPOSALS = (DossierResolved, DossierStopped, SupplementDropped)
TOLD_BEFORE: Final = (
    "Cơ sở dữ liệu của nơi gửi đã khôi phục từ bản sao: điều này công dân đã được báo rồi."
)
TOOK_IT: Final = "Công dân tự nhận tại bộ phận một cửa nên không nhắn."
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
    handed = isinstance(event, _HANDED)
    if before.case.ended and not isinstance(event, _AFTER_THE_END):
        return Decision(note=AFTER_THE_END)
    case = learn(before.case, event)
    if handed and getattr(event, "taker", None) == "applicant":
        return Decision(replace(before, case=case), note=TOOK_IT)
    moment = MOMENTS[type(event)]
    details = moment.details(event)
    notice = around.composer.notice(case, around.made_at, details)
    blank = _blank(event, moment.code, around)
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
    """Remember how to reach the citizen and write the messages that waited for it.

    A phone or a mailbox that takes the place of another is told where the dossier stands, and it
    alone: whoever has the old one hears nothing more.
    """
    before = known or Correspondence(Case(contact.dossier))
    messages: list[Message] = list(_to_the_new(before, contact, around))
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


def _to_the_new(
    before: Correspondence, contact: ContactGiven, around: Circumstances
) -> tuple[Message, ...]:
    old, case = before.contact, before.case
    if old is None or case.ended or not case.procedure_name:
        return ()
    known = choose(old).addresses
    fresh = tuple(each for each in choose(contact).addresses if each not in known)
    blank = _blank(contact, CONTACT_CHANGED, around)
    if not fresh or blank.id in around.told:
        return ()
    notice = around.composer.notice(case, around.made_at, Details())
    return _written(blank, notice, contact, fresh, around)


def _blank(event: Event, moment: str, around: Circumstances) -> Message:
    return Message(
        id=around.new_id(),
        fact_id=around.fact_id,
        moment=moment,
        role=APPLICANT,
        channel=NO_CHANNEL,
        dossier=event.subject,
        state=State.AWAITING_CONTACT,
        made_at=around.now,
        changed_at=around.now,
    )


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
    return _written(blank, notice, contact, choice.addresses, around), ()


def _written(
    blank: Message,
    notice: Notice,
    contact: ContactGiven,
    addresses: tuple[Address, ...],
    around: Circumstances,
) -> tuple[Message, ...]:
    ids = [blank.id, *(around.new_id() for _ in addresses[1:])]
    return tuple(
        around.composer.write(blank, notice, contact, to, message_id=message_id, now=around.now)
        for message_id, to in zip(ids, addresses, strict=True)
    )
