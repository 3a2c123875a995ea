"""What a provider tells afterwards of a letter that it took, and what that makes of the message.

A receipt may come early, late, twice, out of order or for a letter of nobody's: fates are a
lattice, and a message never moves down in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from services.notify.domain.messages import Message
from services.notify.domain.states import State
from shared.kernel.retry import RetryPolicy

NOT_DELIVERED: Final = "not_delivered"
# How long a receipt for a letter that nobody knows is kept: its sender may not have written yet
# that it was taken. Looked at again after seconds, minutes, hours.
STRAYS: Final = RetryPolicy(first=2, factor=4, cap=6 * 3600)
KEEP_STRAYS: Final = timedelta(days=3)
# So long is a receipt waited for before the provider is asked, and so often is it asked.
ASKING: Final = RetryPolicy(max_attempts=8, first=1800, factor=3, cap=24 * 3600)


class Fate(IntEnum):
    """What became of one part of a letter; a higher one is never taken back for a lower one."""

    TAKEN = 0
    UNDERWAY = 1
    LOST = 2  # expired, refused, undeliverable: final, unless it arrived all the same
    DELIVERED = 3


@dataclass(frozen=True, slots=True)
class Receipt:
    """One word of a provider about one part; its text and whatever else it holds is not kept.

    `references` are the names that it may have been given, the likeliest first: some providers
    write a number in hex when they take a letter and in decimal when they tell of it. `number` is
    ours (`number_of`), where the provider gives it back. `token`: for whoever must be thanked.
    """

    provider: str
    references: tuple[str, ...]
    fate: Fate
    code: str = ""
    to: str = field(default="", repr=False)
    number: int | None = None
    token: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A part of a message in a provider's hands, by the name that it has there; instants UTC."""

    provider: str
    reference: str
    message: str
    part: int
    parts: int
    fate: Fate
    taken_at: datetime
    changed_at: datetime
    code: str = ""
    given: str = ""  # the name to the letter, by which the provider can be asked
    asked: int = 0
    ask_at: datetime | None = None
    id: int = 0

    def told(self, fate: Fate, code: str, now: datetime) -> Ticket:
        """This ticket after a receipt; itself where that says nothing higher."""
        if fate <= self.fate:
            return self
        ask_at = None if fate >= Fate.LOST else self.ask_at
        return replace(self, fate=fate, code=code, changed_at=now, ask_at=ask_at)

    def asked_again(self, now: datetime) -> Ticket:
        """This ticket after its provider was asked and had nothing final to say."""
        asked = self.asked + 1
        again = None if ASKING.spent(asked) else now + ASKING.pause(asked + 1, self.reference)
        return replace(self, asked=asked, ask_at=again)


def tickets_for(
    message: Message, provider: str, references: Sequence[str], now: datetime
) -> list[Ticket]:
    """One for each part that has a name at the provider."""
    return [
        Ticket(
            provider=provider,
            reference=even(reference),
            given=reference,
            message=message.id,
            part=part,
            parts=len(references),
            fate=Fate.TAKEN,
            taken_at=now,
            changed_at=now,
            ask_at=now + ASKING.pause(1, reference),
        )
        for part, reference in enumerate(references, start=1)
        if reference
    ]


def even(name: str) -> str:
    """A part's name in one writing: some providers fill with zeros, or change the letters' size."""
    return name.lower().lstrip("0") or "0"


def number_of(message_id: str, tries: int, part: int) -> int:
    """Our own number for a part of one try (1 to 65535): a provider gives it back in its receipt.

    Made of what is written down before the text goes out, so that it is known after a crash.
    """
    digest = hashlib.blake2b(f"{message_id} {tries} {part}".encode(), digest_size=2).digest()
    return int.from_bytes(digest, "big") or 1


def same_phone(one: str, other: str) -> bool:
    """Whether two ways to write a number mean the same; also where one of them is not told."""
    first, second = ("".join(each for each in text if each.isdigit())[-9:] for text in (one, other))
    return not first or not second or first == second


def after_receipts(message: Message, tickets: Sequence[Ticket], now: datetime) -> Message:
    """The message as its tickets have it; itself where they move it nowhere."""
    tries: dict[datetime, dict[int, Ticket]] = {}
    for ticket in tickets:
        of_try = tries.setdefault(ticket.taken_at, {})
        known = of_try.get(ticket.part)
        if known is None or ticket.fate > known.fate:
            of_try[ticket.part] = ticket
    arrived = [max(t.changed_at for t in each.values()) for each in tries.values() if _whole(each)]
    if arrived:
        return _delivered(message, min(arrived), now)
    if not tries or message.state not in (State.SENT, State.UNCERTAIN):
        return message
    last = tries[max(tries)]
    lost = [ticket for ticket in last.values() if ticket.fate is Fate.LOST]
    if lost:
        reason = " ".join(filter(None, (NOT_DELIVERED, lost[0].code)))
        return message.moved(State.UNDELIVERABLE, now, next_at=None, reason=reason)
    if message.state is State.UNCERTAIN and len(last) == next(iter(last.values())).parts:
        sent_at = message.sent_at or now
        return message.moved(State.SENT, now, next_at=None, reason=None, sent_at=sent_at)
    return message


def _whole(of_try: dict[int, Ticket]) -> bool:
    arrived = [ticket for ticket in of_try.values() if ticket.fate is Fate.DELIVERED]
    return bool(arrived) and len(arrived) == arrived[0].parts


def _delivered(message: Message, at: datetime, now: datetime) -> Message:
    # In a sender's hands again by an operator's order: its own answer comes first.
    if message.state in (State.DELIVERED, State.SENDING):
        return message
    sent_at = message.sent_at or at
    return message.moved(
        State.DELIVERED, now, next_at=None, reason=None, sent_at=sent_at, delivered_at=at
    )
