"""Comparing with the city, day by day: what we have of its messages, and what it says of that.

A message belongs to the day of Viet Nam's calendar (UTC+7) in which its `time` lies. The sum of a
day is how many messages there are, and SHA-256 over the lines `<number> <id>` in the order of the
numbers, each with a line feed, in UTF-8.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from partner.store import Store

VN = timezone(timedelta(hours=7))
MOST_DAYS, MOST_SPANS = 31, 200
KIND = "day_sums"
REPLY = "day_sums_compared"
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DaySum:
    """The messages of one day, and the numbers that they have."""

    day: date
    count: int
    sha256: str
    spans: tuple[Span, ...]

    def told(self) -> dict[str, Any]:
        """As it is handed in."""
        spans = [{"first": first, "last": last} for first, last in self.spans[:MOST_SPANS]]
        day = self.day.isoformat()
        return {"day": day, "count": self.count, "sha256": self.sha256, "spans": spans}


@dataclass(frozen=True, slots=True)
class Compared:
    """What the city says of one day: `agreed`, or which numbers stand in the way.

    `missing` we lack; `forgotten` the city lost when its database was restored, and they are left
    out; `unknown` we have and the city cannot say why it has not: somebody there must look. Where
    all three are empty and it is not agreed, the same numbers have other ids. `fetched` counts what
    we lacked at first and have now.
    """

    day: date
    agreed: bool
    count: int
    spans: tuple[Span, ...]
    missing: tuple[Span, ...]
    forgotten: tuple[Span, ...]
    unknown: tuple[Span, ...]
    fetched: int = 0

    @property
    def wanted(self) -> tuple[Span, ...]:
        """What is to be fetched: what we lack, or the whole day to see which messages are others."""
        if self.agreed or self.missing:
            return self.missing
        return () if self.forgotten or self.unknown else self.spans


def days_until(now: datetime, days: int) -> list[date]:
    """So many days, the last of them today's."""
    today = now.astimezone(VN).date()
    return [
        today - timedelta(days=back) for back in range(min(max(days, 1), MOST_DAYS) - 1, -1, -1)
    ]


def sums(
    store: Store, days: Sequence[date], left_out: Mapping[date, Sequence[Span]] | None = None
) -> list[DaySum]:
    """What we have of these days, in one pass; what cannot be read counts as well.

    Numbers of before a restore of the city's database are left out: it has forgotten them.
    """
    began = datetime(days[0].year, days[0].month, days[0].day, tzinfo=VN) - timedelta(days=1)
    lost: list[Span] = []
    found: dict[date, set[tuple[int, str]]] = {day: set() for day in days}
    for number, raw in _kept(store, store.when(began.astimezone(UTC))):
        made = _made(raw)
        if isinstance(follows := raw.get("follows"), str) and follows.isdigit():
            lost.append((int(follows) + 1, number - 1))
        if made is not None and made in found:
            found[made].add((number, str(raw.get("id"))))
    beside = left_out or {}
    return [_sum(day, found[day], [*lost, *beside.get(day, ())]) for day in days]


def _kept(store: Store, since: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Number and envelope of each message that came since then."""
    rows = store.do(
        "SELECT sequence, body FROM messages WHERE sequence IS NOT NULL AND came_at >= ? UNION ALL"
        " SELECT sequence, body FROM unreadable WHERE sequence IS NOT NULL AND came_at >= ?",
        since,
        since,
    )
    for number, body in rows:
        try:
            raw = json.loads(bytes(body).decode("utf-8-sig"))
        except (ValueError, RecursionError):
            continue
        if isinstance(raw, dict):
            yield number, raw


def _made(raw: Mapping[str, Any]) -> date | None:
    try:
        return datetime.fromisoformat(raw["time"]).astimezone(VN).date()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _sum(day: date, messages: Iterable[tuple[int, str]], left_out: Sequence[Span]) -> DaySum:
    digest, spans, count = hashlib.sha256(), list[Span](), 0
    for number, message in sorted(messages):
        if any(first <= number <= last for first, last in left_out):
            continue
        count += 1
        digest.update(f"{number} {message}\n".encode())
        if spans and number - spans[-1][1] <= 1:  # two of one number are odd, and told so
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return DaySum(day, count, digest.hexdigest(), tuple(spans))


def read_compared(told: Any) -> list[Compared]:
    """What the city says of the days, by either way; ValueError where it cannot be read."""
    try:
        return [
            Compared(
                day=date.fromisoformat(each["day"]),
                agreed=each["agreed"] is True,
                count=int(each["count"]),
                spans=_spans(each["spans"]),
                missing=_spans(each["missing"]),
                forgotten=_spans(each["forgotten"]),
                unknown=_spans(each["unknown"]),
            )
            for each in told["days"]
        ]
    except (KeyError, TypeError, AttributeError) as odd:
        raise ValueError("the city's word about the days cannot be read") from odd


def _spans(told: Any) -> tuple[Span, ...]:
    return tuple((int(each["first"]), int(each["last"])) for each in told)


def coming_night(now: datetime) -> datetime:
    """When to compare next by ourselves: half past midnight in Viet Nam, give or take half an hour.

    Before the city looks at night, and not all agencies at once.
    """
    local = now.astimezone(VN)
    at = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return at + timedelta(days=1, minutes=random.uniform(15, 75))


def numbers(spans: Iterable[Span]) -> int:
    """How many numbers there are."""
    return sum(last - first + 1 for first, last in spans)


def since_then(first: Sequence[Compared], now: Sequence[Compared]) -> list[Compared]:
    """The same as now, with how much was missing at first and is not any more."""
    before = {each.day: numbers(each.missing) for each in first}
    return [
        replace(each, fetched=max(0, before.get(each.day, 0) - numbers(each.missing)))
        for each in now
    ]
