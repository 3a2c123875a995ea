"""Tell the citizen: news -> remembered case -> one message per channel, or one that waits.

Nothing is sent here; the sending loop takes the rows from where they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.notify.domain.cases import Case, learn
from services.notify.domain.contacts import NO_CONSENT, Contact, choose
from services.notify.domain.facts import CitizenUnreachable
from services.notify.domain.messages import APPLICANT, NO_CHANNEL, Message
from services.notify.domain.news import News
from services.notify.domain.states import State
from services.notify.domain.values import Subject, as_of, kept
from services.notify.storage import people
from services.notify.storage.messages import Messages
from services.notify.storage.people import Cases, Contacts
from services.notify.usecases.composing import Composer
from shared.database import UnitOfWork
from shared.kernel.clock import format_instant, parse_instant


def warm_news(uow: UnitOfWork, dossiers: Sequence[str]) -> None:
    """Read what a batch of news needs, in one trip for all of it."""
    people.warm(uow, dossiers)


def warm_contacts(uow: UnitOfWork, dossiers: Sequence[str]) -> None:
    """Hold these dossiers, then read what waits for their contacts (see Contacts.warm)."""
    messages = uow.get(Messages)
    messages.warm_awaiting(dossiers)
    uow.get(Cases).warm(messages.awaiting)


def tell_citizen(uow: UnitOfWork, composer: Composer, news: News) -> None:
    """Remember what the news teaches and write the messages of its moment."""
    cases = uow.get(Cases)
    case = learn(cases.get(news.dossier), news)
    subject = composer.subject(news, case)
    cases.put(case)
    blank = Message(
        id=uow.ids.new(),
        fact_id=news.fact_id,
        moment=news.moment,
        person=APPLICANT,
        channel=NO_CHANNEL,
        dossier=news.dossier,
        state=State.AWAITING_CONTACT,
        made_at=uow.now,
        changed_at=uow.now,
    )
    contact = uow.get(Contacts).get(news.dossier)
    if contact is None:
        uow.get(Messages).add(replace(blank, about=_waiting(news, case)))
        return
    for message in _addressed(uow, composer, blank, subject, contact):
        uow.get(Messages).add(message)


def take_contact(uow: UnitOfWork, composer: Composer, contact: Contact) -> None:
    """Remember how to reach the citizen and release what waited for it."""
    uow.get(Contacts).put(contact)
    messages = uow.get(Messages)
    for waiting in messages.take_awaiting(contact.dossier):
        subject = _subject_of(uow, composer, waiting)
        first, *others = _addressed(uow, composer, waiting, subject, contact)
        messages.change(first)
        for message in others:
            messages.add(message)


def _addressed(
    uow: UnitOfWork, composer: Composer, blank: Message, subject: Subject, contact: Contact
) -> list[Message]:
    """One message per channel, the first under the given id; or one that ends here, and why."""
    choice = choose(contact)
    if not choice.addresses:
        reason = choice.reason or NO_CONSENT
        uow.record(CitizenUnreachable(blank.dossier, blank.moment, reason, uow.now))
        end = State.SKIPPED if reason == NO_CONSENT else State.UNDELIVERABLE
        ended = blank.moved(end, uow.now, reason=reason, told_unreachable=True, about=None)
        return [ended]
    found = []
    for index, address in enumerate(choice.addresses):
        message_id = blank.id if index == 0 else uow.ids.new()
        found.append(
            composer.write(blank, subject, contact, address, message_id=message_id, now=uow.now)
        )
    return found


# --- a message that waits keeps what its text will be made of -----------------------------------


def _waiting(news: News, case: Case) -> dict[str, object]:
    return {
        "name": news.name,
        "made_at": format_instant(news.made_at),
        "due_at": format_instant(case.due_at) if case.due_at else None,
        "data": kept(news),
    }


def _subject_of(uow: UnitOfWork, composer: Composer, waiting: Message) -> Subject:
    about = waiting.about or {}
    news = News(
        fact_id=waiting.fact_id,
        name=str(about["name"]),
        dossier=waiting.dossier,
        made_at=parse_instant(str(about["made_at"])),
        data=about["data"],
    )
    case = uow.get(Cases).get(waiting.dossier) or Case(waiting.dossier)
    return composer.subject(news, as_of(case, about.get("due_at")))
