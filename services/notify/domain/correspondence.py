"""What becomes of an event: a ladder of messages, or one that waits for the contact.

The first of them is queued, the others stand by (`ladder`). Nothing is sent here; the sending loops
take the messages from where they are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import msgspec

from services.notify.domain.cases import Case, learn
from services.notify.domain.composing import Composer
from services.notify.domain.contacts import CALL, NO_CONSENT, Address, Party, choose, party_of
from services.notify.domain.courtesy import OUTDATED, outdates
from services.notify.domain.ladder import call
from services.notify.domain.messages import APPLICANT, AT_DESK, NO_CHANNEL, Message, unreachable
from services.notify.domain.moments import CONTACT_CHANGED, MOMENTS, Details
from services.notify.domain.states import State
from services.notify.domain.values import Notice
from shared.catalogue.model import TellingRule
from shared.events.decision import Decision
from shared.events.event import Event
from shared.events.intake import (
    ContactGiven,
    DeadlineStated,
    DossierMoved,
    DossierPartlyReturned,
    DossierReturned,
    PartyGiven,
    ResultCodeGiven,
    SupplementLapsed,
    WaybillCorrected,
)
from shared.events.notify import CallDropped
from shared.events.routing import DossierResolved, DossierStopped, SupplementDropped

_HANDED = (DossierReturned, DossierPartlyReturned)
_AFTER_THE_END = (*_HANDED, WaybillCorrected, ResultCodeGiven, DossierMoved)
_PROPOSALS = (DossierResolved, DossierStopped, SupplementDropped)
TOLD_BEFORE: Final = (
    "Cơ sở dữ liệu của nơi gửi đã khôi phục từ bản sao: điều này công dân đã được báo rồi."
)
AT_THE_DESK: Final = "Công dân vừa làm việc này tại bộ phận một cửa nên không nhắn."
AFTER_THE_END: Final = "Đến muộn: hồ sơ đã kết thúc, công dân không được nhắn nữa."


@dataclass(frozen=True, slots=True)
class Correspondence:
    """What notify knows of one dossier.

    `parties` by their role, all of them known once the contact is: intake states them before it.
    `messages` are those that wait for the contact, and all that were written since it was read.
    """

    case: Case
    contact: ContactGiven | None = None
    parties: Mapping[str, Party] = field(default_factory=dict)
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

    @property
    def rule(self) -> TellingRule:
        """How the city tells its citizens today."""
        return self.composer.rule(self.now)


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a text will be made of, as it is kept while the contact is awaited."""

    made_at: datetime
    due_at: datetime | None = None
    data: Details = Details()


#: The last way: whoever calls knows the number, which is not repeated here.
_DESK: Final = Address(CALL, "")


def write_messages(
    known: Correspondence | None, event: Event, around: Circumstances
) -> Decision[Correspondence]:
    """Remember what the event teaches and write the messages of its moment."""
    before = known or Correspondence(Case(event.subject))
    if _is_no_news(event):
        return Decision()
    if before.case.ended and not isinstance(event, _AFTER_THE_END):
        return Decision(note=AFTER_THE_END)
    case = learn(before.case, event)
    moment = MOMENTS[type(event)]
    details = moment.details(event)
    notice = around.composer.notice(case, around.made_at, details)
    blank = replace(_blank(event, moment.code, around), matter=moment.matter(event))
    if isinstance(event, ResultCodeGiven):
        blank = replace(blank, good_until=event.until)
    if blank.id in around.told:
        return Decision(replace(before, case=case), note=TOLD_BEFORE)
    before, dropped = _without_calls(before, blank, around.now)
    if moment.code in around.rule.at_desk and _stood_there(event, case):
        seen = blank.moved(State.SKIPPED, around.now, reason=AT_DESK)
        others, events = _to_parties(blank, notice, before, around)
        known = replace(before, case=case, messages=(*before.messages, seen, *others))
        return Decision(known, (*dropped, *events), note=AT_THE_DESK)
    if before.contact is None:
        kept = _Kept(around.made_at, case.due_at, details)
        waiting = replace(blank, about=msgspec.to_builtins(kept))
        known = replace(before, case=case, messages=(*before.messages, waiting))
        return Decision(known, dropped)
    written, events = _to_all(blank, notice, before, before.contact, around)
    known = replace(before, case=case, messages=before.messages + written)
    return Decision(known, (*dropped, *events))


def _to_all(
    blank: Message,
    notice: Notice,
    known: Correspondence,
    contact: ContactGiven,
    around: Circumstances,
) -> tuple[tuple[Message, ...], tuple[Event, ...]]:
    """The applicant's messages of one moment, and those of the parties that hear of it."""
    written, events = _addressed(blank, notice, contact, around)
    others, more = _to_parties(blank, notice, known, around)
    return written + others, events + more


def _to_parties(
    blank: Message, notice: Notice, known: Correspondence, around: Circumstances
) -> tuple[tuple[Message, ...], tuple[Event, ...]]:
    messages, events = list[Message](), list[Event]()
    for role, party in sorted(known.parties.items()):
        if blank.moment in party.told:
            theirs = replace(blank, id=around.new_id(), role=role, about=None)
            written, told = _addressed(theirs, notice, party.contact, around)
            messages += written
            events += told
    return tuple(messages), tuple(events)


def learn_party(
    known: Correspondence | None, given: PartyGiven, _: Circumstances
) -> Decision[Correspondence]:
    """Remember how to reach a second party; what they hear of comes later than this."""
    before = known or Correspondence(Case(given.dossier))
    return Decision(replace(before, parties={**before.parties, given.role: party_of(given)}))


def _is_no_news(event: Event) -> bool:
    """Intake has still to confirm it; or other agencies work on it, and the citizen's office stays."""
    if isinstance(event, DossierMoved):
        return event.from_office == event.office
    return isinstance(event, _PROPOSALS) and bool(event.proposed)


def _without_calls(
    before: Correspondence, news: Message, now: datetime
) -> tuple[Correspondence, tuple[Event, ...]]:
    """Nobody has to call any more about what these news have overtaken: the desk is told."""
    kept, dropped = list[Message](), list[Event]()
    for each in before.messages:
        if each.state is State.TO_CALL and outdates(news, each):
            dropped.append(CallDropped(dossier=each.dossier, call=each.id, at=now))
            each = each.moved(State.CANCELLED, now, reason=OUTDATED)  # noqa: PLW2901
        kept.append(each)
    return replace(before, messages=tuple(kept)), tuple(dropped)


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
        written, told = _to_all(message, notice, before, contact, around)
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
    fresh = tuple(
        each for each in choose(contact, around.rule.channels).addresses if each not in known
    )
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


def _stood_there(event: Event, case: Case) -> bool:
    """Whether the citizen has just done this at the desk, as far as the city can know."""
    if isinstance(event, DossierReturned | DossierPartlyReturned):
        return event.method == "desk" and event.taker != "representative"
    return case.channel == "direct"


def _addressed(
    blank: Message, notice: Notice, contact: ContactGiven, around: Circumstances
) -> tuple[tuple[Message, ...], tuple[Event, ...]]:
    """The ladder, its first under the given id; or one that ends here, and why."""
    choice = choose(contact, around.rule.channels)
    if choice.addresses:
        return _written(blank, notice, contact, choice.addresses, around), ()
    reason = choice.reason or NO_CONSENT
    if _needs_act(blank, around):
        words = around.composer.write(blank, notice, contact, _DESK)
        asked, event = call(words, reason, around.now)
        return (asked,), (event,)
    end = State.SKIPPED if reason == NO_CONSENT else State.UNDELIVERABLE
    ended = blank.moved(end, around.now, reason=reason, told_unreachable=True, about=None)
    return (ended,), (unreachable(blank, reason, around.now),)


def _written(
    blank: Message,
    notice: Notice,
    contact: ContactGiven,
    addresses: tuple[Address, ...],
    around: Circumstances,
) -> tuple[Message, ...]:
    """One for each way, and where the citizen has to act a call of the desk behind them."""
    ways = (*addresses, *([_DESK] if _needs_act(blank, around) else []))
    first = around.composer.write(blank, notice, contact, ways[0])
    ladder = [first.moved(State.QUEUED, around.now, next_at=around.now)]
    for to in ways[1:]:
        other = replace(blank, id=around.new_id())
        written = around.composer.write(other, notice, contact, to)
        ladder.append(written.moved(State.STANDBY, around.now))
    count = len(ladder)
    return tuple(replace(each, rung=n, rungs=count) for n, each in enumerate(ladder, start=1))


def _needs_act(message: Message, around: Circumstances) -> bool:
    """Whether the desk calls where no other way is left; a second party has nothing to do."""
    return message.role == APPLICANT and message.moment in around.rule.needs_act
