"""A message to one recipient by one channel about one event, from waiting to its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from services.notify.domain.contacts import CALL
from services.notify.domain.delivery import Busy, Failed, Letter, Result, Sent
from services.notify.domain.states import LOST, State, move
from shared.events.notify import CitizenUnreachable
from shared.kernel.retry import RetryPolicy

# Who handed the dossier in; every other role in it is a second party's, by its code in the catalogue.
APPLICANT = "applicant"
# Beside it the staff of an agency, whose code is then what the message is about.
STAFF = "staff"
# And whoever has written to the city by SMS, known by the number alone.
ASKER = "asker"
NO_CITIZENS = (STAFF, ASKER)
# A message whose contact is not known yet has no channel.
NO_CHANNEL = ""
# The tries one message has, whoever spends them (sender, restart or sweeper). They last for most of
# a day: a mail server may be away over a weekend's night. Pauses of an hour, and up to a tenth more.
RETRIES = RetryPolicy(max_attempts=24, first=30, cap=3960, jitter=0.1)
# So long is a contact waited for (spec: a day), then the citizen counts as unreachable.
CONTACT_TIMEOUT = timedelta(hours=24)

SPENT = "retries_spent"
TOO_SLOW = "too_slow"
EXPIRED = "expired"
AT_DESK = "at_desk"
ORDERED = "ordered"  # queued by an operator: goes whatever the hour
WRONG_NUMBER = "wrong_number"
OVER_BUDGET = "dossier_budget"  # its dossier has had what the city gives one by this way


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the message ledger; instants are UTC. `to`, `subject`, `body` are personal."""

    id: str
    fact_id: str
    moment: str
    role: str
    channel: str
    dossier: str
    state: State
    made_at: datetime
    changed_at: datetime
    language: str = ""
    to: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    body: str = field(default="", repr=False)
    encoding: str = ""
    parts: int = 0
    template_version: str = ""
    tries: int = 0
    next_at: datetime | None = None
    reason: str | None = None
    # When a channel began to hand over the text, and when it was told that it was taken: both only
    # until this is written down as the new state, after which the second stays.
    text_out_at: datetime | None = None
    sent_at: datetime | None = None
    told_unreachable: bool = False
    provider: str = ""  # whose hands it was given into last
    delivered_at: datetime | None = None
    # Which of how many ways it is by which this person hears of this moment: first come, first tried.
    rung: int = 1
    rungs: int = 1
    matter: str = ""  # what it is about beside its dossier, such as a round of papers
    good_until: datetime | None = None  # of no use afterwards
    # What a text will be made of while the contact is awaited; emptied when it is made.
    about: Mapping[str, Any] | None = field(default=None, repr=False)

    def letter(self) -> Letter:
        return Letter(
            self.id,
            self.channel,
            self.to,
            self.subject,
            self.body,
            self.made_at,
            self.tries,
            self.language,
            self.is_citizens,
        )

    @property
    def is_citizens(self) -> bool:
        """Whether it is for the applicant or a second party, who have a stop list, hours and ways."""
        return self.role not in NO_CITIZENS

    @property
    def party(self) -> str | None:
        """The second party that it is for; None for every other."""
        return self.role if self.is_citizens and self.role != APPLICANT else None

    def moved(self, state: State, now: datetime, **changes: Any) -> Message:
        """This message after an allowed move; `NotAllowed` otherwise."""
        moved = move(self.state, state)
        return replace(self, state=moved, changed_at=now, text_out_at=None, **changes)


def held(message: Message, until: datetime, reason: str, now: datetime) -> Message:
    """A message that does not go before then (UTC): it was not handed over, no try is counted."""
    tries = message.tries - 1
    return message.moved(State.HELD, now, tries=tries, next_at=until, reason=reason)


def requeued(message: Message, now: datetime) -> Message:
    """A message that was not handed over keeps its place, and the try is not counted.

    One whose time lay too far off to be believed was taken as come: so it stays, for every clock.
    """
    due = now if message.next_at is None else min(message.next_at, now)
    return message.moved(State.QUEUED, now, tries=message.tries - 1, next_at=due)


def after_try(message: Message, result: Result, now: datetime, policy: RetryPolicy) -> Message:
    """The message after the channel has answered for it."""
    if isinstance(result, Busy):
        return requeued(message, now)
    message = replace(message, provider=result.by)
    if isinstance(result, Sent):
        return message.moved(State.SENT, now, sent_at=now, next_at=None, reason=None)
    if not isinstance(result, Failed):
        return message.moved(State.UNCERTAIN, now, next_at=None, reason=result.reason)
    if result.permanent:
        return message.moved(State.UNDELIVERABLE, now, next_at=None, reason=result.reason)
    if policy.spent(message.tries):
        return message.moved(State.UNDELIVERABLE, now, next_at=None, reason=SPENT)
    next_at = now + policy.pause(message.tries, message.id)
    return message.moved(State.FAILED, now, next_at=next_at, reason=result.reason)


def after_crash(message: Message, now: datetime, *, idempotent: bool) -> Message:
    """A message in the hands of a sender that died: sent, if that was noted; again, if harmless."""
    if message.sent_at is not None:
        return message.moved(State.SENT, now, next_at=None, reason=None)
    if idempotent or message.text_out_at is None:
        return message.moved(State.QUEUED, now, next_at=now)
    return message.moved(State.UNCERTAIN, now, next_at=None, reason="sender_stopped")


def resent(message: Message, now: datetime) -> Message:
    """The message queued again by an operator's order, with a fresh budget."""
    return message.moved(State.QUEUED, now, tries=0, next_at=now, reason=ORDERED)


def moment_lost(siblings: Iterable[Message]) -> bool:
    """Whether all messages of one moment are lost, and nobody has been told so yet."""
    found = list(siblings)
    return all(m.state in LOST for m in found) and not any(m.told_unreachable for m in found)


def unreachable(message: Message, reason: str, at: datetime) -> CitizenUnreachable:
    """What is said of a moment for which no channel is left; `at` is UTC.

    With the words for the officer who calls, where somebody has to.
    """
    calling = message.channel == CALL
    return CitizenUnreachable(
        dossier=message.dossier,
        moment=message.moment,
        reason=reason,
        at=at,
        call=message.id if calling else None,
        words=message.body if calling else None,
        party=message.party,
    )
