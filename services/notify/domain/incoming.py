"""What citizens write to the city by SMS, and what is meant by it.

Whoever writes is known by the number alone. A number that is no mobile of here (a short code, a
name) may stop nothing and is never answered: it is a machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.notify.domain.contacts import EMAIL, MOBILE, SMS
from services.notify.domain.messages import ASKER, Message
from services.notify.domain.moments import NAMES_VI
from services.notify.domain.states import State
from services.notify.domain.values import spoken_time
from shared.catalogue.model import AnsweringRule
from shared.catalogue.render import MARK_LENGTH, render_sms
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import WORD_ALPHABET, ids_from
from shared.kernel.phones import normalise_phone
from shared.kernel.retry import RetryPolicy
from shared.kernel.text import sms_segments, squeezed, unaccent

#: The same words by one number within so long are the same message, told again by its provider.
WINDOW: Final = timedelta(minutes=10)
#: So long the other parts of a text are waited for; then it counts as it is.
PARTS_WITHIN: Final = timedelta(minutes=10)
#: How a look-up is tried again while intake is away or says to wait; some hours in all.
ASKING: Final = RetryPolicy(max_attempts=12, first=5, factor=2, cap=1800)
LONGEST: Final = 1000
NO_DOSSIER: Final = "-"  # where a message has a dossier's code, and is about none


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text, or a part of one, as its provider has brought it.

    `name` is the provider's own, empty where it gives none. `reference` joins the `parts` of a long
    one. `token`: for whoever must be thanked.
    """

    provider: str
    sender: str = field(repr=False)
    text: str = field(repr=False)
    name: str = ""
    reference: str = ""
    parts: int = 1
    part: int = 1
    token: object = field(default=None, repr=False, compare=False)

    def names(self, now: datetime) -> tuple[str, str]:
        """Its id, and the one that it would have had a while ago: each text is heard once."""
        if self.name:
            known = ids_from("heard", self.provider, self.name, str(self.part))()
            return known, known
        window = int(now.timestamp() // WINDOW.total_seconds())
        said = (self.provider, self.sender, self.reference, f"{self.part}/{self.parts}", self.text)
        made = [ids_from("heard", *said, str(number))() for number in (window, window - 1)]
        return made[0], made[1]


class Kind(StrEnum):
    """What was meant; the values are stored."""

    STOP = "stop"
    START = "start"
    STATUS = "status"
    GENUINE = "genuine"
    OTHER = "other"
    MACHINE = "machine"  # not a citizen's number
    PART = "part"  # of a text that was taken up whole


@dataclass(frozen=True, slots=True)
class Asked:
    """An order, with the code and the look-up word that stood behind it."""

    kind: Kind
    code: str = field(default="", repr=False)
    word: str = field(default="", repr=False)


def phone_of(sender: str) -> str | None:
    """The mobile number (E.164) of whoever wrote; None for a short code, a name, another country."""
    try:
        number = normalise_phone(sender[:40]).e164
    except InvalidInput:
        return None
    return number if MOBILE.fullmatch(number) else None


def understood(text: str, rule: AnsweringRule) -> Asked:
    """What a text asks for; whatever fits nothing is `OTHER`."""
    whole = squeezed(text)
    if whole in map(squeezed, rule.stop):
        return Asked(Kind.STOP)
    if whole in map(squeezed, rule.start):
        return Asked(Kind.START)
    words = unaccent(text).upper().split()
    if (rest := _behind(words, rule.status)) and len(rest) > 1:
        return Asked(Kind.STATUS, "".join(rest[:-1])[:60], rest[-1][:40])
    if rest := _behind(words, rule.genuine):
        return Asked(Kind.GENUINE, "".join(rest)[:60])
    return Asked(Kind.OTHER)


def _behind(words: Sequence[str], orders: Sequence[str]) -> list[str]:
    """What stands behind one of the orders; also where a digit follows it without a blank."""
    for order in orders:
        said = squeezed(order)
        for count in range(1, len(order.split()) + 1):
            if squeezed("".join(words[:count])) == said:
                return list(words[count:])
        first = words[0] if words else ""
        if first.startswith(said) and first[len(said) : len(said) + 1].isdigit():
            return [first[len(said) :], *words[1:]]
    return []


def mark_of(message_id: str) -> str:
    """The short code of a message: told apart among those of one number, and worth nothing else."""
    digest = hashlib.blake2b(message_id.encode(), digest_size=8).digest()
    number, letters = int.from_bytes(digest, "big"), ""
    for _ in range(MARK_LENGTH):
        number, place = divmod(number, len(WORD_ALPHABET))
        letters += WORD_ALPHABET[place]
    return letters


def meant_by(code: str, sent: Sequence[Message]) -> Message | None:
    """The message that a citizen asks about, by its short code or its dossier's; the latest."""
    wanted = squeezed(code)
    fits = [m for m in sent if wanted in (mark_of(m.id), squeezed(m.dossier))]
    return max(fits, key=lambda message: message.sent_at or message.changed_at, default=None)


def about(message: Message, language: str) -> dict[str, str]:
    """What is said of a message that was ours."""
    at = message.sent_at or message.changed_at
    return {
        "code": message.dossier,
        "sent_at": spoken_time(at, language, brief=True),
        "about": NAMES_VI.get(message.moment, "")
        if language == "vi"
        else message.moment.replace("_", " "),
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """Which words of the rule, filled with what."""

    name: str
    language: str = "vi"
    values: dict[str, str] = field(default_factory=dict, repr=False)


def answer_to(
    heard_id: str, phone: str, answer: Answer, rule: AnsweringRule, now: datetime
) -> Message | None:
    """The answer as a message that goes at once; None where the city says nothing at that."""
    words = rule.words.get(answer.name)
    if words is None:
        return None
    said = words.en if answer.language == "en" else words.vi
    body = render_sms(said, answer.values)
    segments = sms_segments(body)
    return Message(
        id=ids_from("answer", heard_id)(),
        fact_id=heard_id,
        moment=f"answer_{answer.name}",
        role=ASKER,
        channel=SMS,
        dossier=answer.values.get("code", NO_DOSSIER),
        state=State.QUEUED,
        made_at=now,
        changed_at=now,
        language=answer.language,
        to=phone,
        body=body,
        encoding=segments.encoding,
        parts=segments.parts,
        next_at=now,
    )


#: By which of them a citizen may stop messages.
STOPPABLE: Final = (SMS, EMAIL)
