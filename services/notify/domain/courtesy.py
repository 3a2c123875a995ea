"""Whether a message goes now: still true, at a decent hour, not one of too many. Asked just before.

Nothing that asks the citizen to act is lost here: it waits, at the longest until the next morning,
or what it asks for is no longer so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from services.notify.domain.contacts import NO_CONSENT, OPTED_OUT, choose
from services.notify.domain.messages import EXPIRED, ORDERED, OVER_BUDGET, Message
from shared.catalogue.model import TellingRule
from shared.events.intake import ContactGiven
from shared.kernel.clock import to_vn

OUTDATED: Final = "outdated"
QUIET: Final = "quiet_hours"
TOGETHER: Final = "together"
CAP: Final = "day_is_full"

_DONE: Final = ("resolved", "returned", "stopped", "withdrawn", "refused")
_PAPERS: Final = ("supplemented", "supplement_dropped")
#: A message -> what makes it outdated, whichever was made first: each comes after it by its nature.
OVERTAKEN: Final[Mapping[str, tuple[str, ...]]] = {
    "registered": ("received", *_DONE),
    "received": _DONE,
    "supplemented": ("supplement_requested", *_DONE),
    "supplement_dropped": _DONE,
    "paid": _DONE,
    # An apology is owed, also where the result is there by now.
    "extended": tuple(moment for moment in _DONE if moment != "resolved"),
    "verifying": _DONE,
    "branched": _DONE,
    "resolved": ("returned",),
    "partly_returned": ("returned",),
    "supplement_requested": _DONE,
    "supplement_reminder": _DONE,
    "supplement_extended": _DONE,
    "payment_requested": _DONE,
}
#: The same, where both are about the same round or step.
SETTLED: Final[Mapping[str, tuple[str, ...]]] = {
    "supplement_requested": (*_PAPERS, "supplement_extended"),
    "supplement_reminder": _PAPERS,
    "supplement_extended": _PAPERS,
    "payment_requested": ("paid",),
}
#: The same, where the other was made later.
REPLACED: Final[Mapping[str, tuple[str, ...]]] = {
    "supplement_reminder": ("supplement_extended",),
    "supplement_extended": ("supplement_extended",),
    "payment_requested": ("payment_requested",),
    "extended": ("extended",),
    "verifying": ("verifying", "branched", "extended"),
    "branched": ("verifying", "branched", "extended"),
    "result_code": ("result_code",),
    "contact_changed": ("contact_changed",),
    "supplemented": ("paid",),
    "paid": ("supplemented",),
}


@dataclass(frozen=True, slots=True)
class Beside:
    """Another message of the dossier, as far as it matters here; instants UTC."""

    id: str
    fact_id: str
    moment: str
    matter: str
    made_at: datetime
    sent_at: datetime | None
    channel: str = ""
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of whom a message is for, just before it goes; `today`: how many this address had today.

    `stopped`: the addresses to which this person of the dossier wants nothing sent. `going`: how many
    parts go to them by this message's way just now, before it.
    """

    beside: Sequence[Beside]
    contact: ContactGiven | None
    today: int = 0
    stopped: AbstractSet[str] = frozenset()
    going: int = 0


@dataclass(frozen=True, slots=True)
class Go:
    """Now, to this address."""

    to: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before then (UTC), and why."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Never, and why: it is outdated, or of no use any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Barred:
    """Not by this way, and why: the citizen has closed it meanwhile, or its budget is used up."""

    reason: str


Verdict = Go | Hold | Drop | Barred


def judge(message: Message, around: Around, rule: TellingRule, now: datetime) -> Verdict:
    """What becomes of a message that would go now."""
    if not message.is_citizens:
        return Go(message.to)
    if message.good_until is not None and now >= message.good_until:
        return Drop(EXPIRED)
    to = _address(message, around)
    if isinstance(to, Barred) or message.reason == ORDERED:
        return to
    others = [each for each in around.beside if each.fact_id != message.fact_id]
    if any(outdates(each, message) for each in others):
        return Drop(OUTDATED)
    if message.moment in rule.urgent:
        return to
    over = Barred(OVER_BUDGET) if _is_over_budget(message, around, rule) else None
    return over or _held(message, others, around, rule, now) or to


def _is_over_budget(message: Message, around: Around, rule: TellingRule) -> bool:
    """Whether its dossier has had what the city gives one by this way; what needs an act passes."""
    most = rule.most_per_dossier.get(message.channel)
    if most is None or message.moment in rule.needs_act:
        return False
    had = sum(
        each.parts for each in around.beside if each.sent_at and each.channel == message.channel
    )
    return had + around.going + message.parts > most


def _held(
    message: Message,
    others: Iterable[Beside],
    around: Around,
    rule: TellingRule,
    now: datetime,
) -> Hold | None:
    if (until := quiet_until(rule, now)) is not None:
        return Hold(until, QUIET)
    together = timedelta(minutes=rule.together_minutes)
    last = max((each.sent_at for each in others if each.sent_at), default=None)
    if message.moment not in rule.needs_act and last and timedelta() <= now - last < together:
        return Hold(last + together, TOGETHER)
    full = rule.most_a_day is not None and around.today >= rule.most_a_day
    # Once: somebody who files for a hundred others hears of all of them, a day later.
    if full and message.tries <= 1 and message.reason != CAP:
        return Hold(_next_day(rule, now), CAP)
    return None


def quiet_until(rule: TellingRule, now: datetime) -> datetime | None:
    """When the quiet hours end in which `now` lies (UTC); None outside them."""
    start, end = rule.quiet_from, rule.quiet_to
    if start is None or end is None or start == end:
        return None
    local = to_vn(now)
    at = local.time()
    inside = start <= at < end if start < end else at >= start or at < end
    if not inside:
        return None
    day = local.date() if at < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, local.tzinfo).astimezone(now.tzinfo)


def _next_day(rule: TellingRule, now: datetime) -> datetime:
    local = to_vn(now)
    begin = datetime.combine(local.date() + timedelta(days=1), time(), local.tzinfo)
    opened = begin.astimezone(now.tzinfo)
    return quiet_until(rule, opened) or opened


def outdates(other: Beside | Message, message: Message) -> bool:
    """Whether a message is no longer true, since there is this other of its dossier."""
    moment = message.moment
    if other.moment in OVERTAKEN.get(moment, ()):
        return True
    if other.moment in SETTLED.get(moment, ()) and other.matter == message.matter:
        return True
    newer = other.made_at > message.made_at and other.matter == message.matter
    return newer and other.moment in REPLACED.get(moment, ())


def _address(message: Message, around: Around) -> Go | Barred:
    """Where it goes now: a number that was mended meanwhile takes the place of the old one."""
    to = message.to
    if around.contact is not None:
        chosen = choose(around.contact, (message.channel,))
        if not chosen.addresses:
            return Barred(chosen.reason or NO_CONSENT)
        to = chosen.addresses[0].to
    return Barred(OPTED_OUT) if to in around.stopped else Go(to)
