"""The client's side of reconciliation: compare with the city, and fetch what we lack."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from partner.errors import PartnerError
from partner.messages import write_sums
from partner.reconciling import (
    REPLY,
    Compared,
    DaySum,
    Span,
    coming_night,
    days_until,
    numbers,
    read_compared,
    since_then,
    sums,
)
from partner.taking import Handler, Taking

ROUNDS = 3  # compare, fetch and leave out, compare again; once more for what came meanwhile
log = logging.getLogger("partner")


class Comparing(Taking):
    """What `partner.client.Client` does to know that it has all that the city made for it."""

    _waiter: Callable[[], Callable[[float], object]]
    _compare_at: datetime | None = None

    def reconcile(self, handler: Handler, *, days: int = 7, wait: float = 10.0) -> list[Compared]:
        """Compare the last days with the city and fetch what we lack; the city's last word of each.

        By the door, else over the queue: then the city sends again what we lack, and its word and
        these messages are waited for, `wait` seconds at a time. `days` is at most 31, today's is
        the last. What was fetched is handled. PartnerError where the city says nothing.
        """
        left_out: dict[date, tuple[Span, ...]] = {}
        rounds: list[list[Compared]] = []
        for left in range(ROUNDS - 1, -1, -1):
            mine = sums(self._store, days_until(self._now(), days), left_out)
            told = self._ask_city(mine, wait)
            rounds.append(told)
            wanted = [span for each in told for span in each.wanted]
            fresh = {each.day: each.forgotten for each in told if each.forgotten}
            if not left or not (wanted or fresh):
                break
            left_out |= {day: left_out.get(day, ()) + spans for day, spans in fresh.items()}
            self._get(wanted, wait)
            self._handle_due(handler)
        self.flush()
        return since_then(rounds[0], rounds[-1])

    def _ask_city(self, mine: Sequence[DaySum], wait: float) -> list[Compared]:
        days = [each.told() for each in mine]
        try:
            if self._door is not None:
                return read_compared(self._door.compare(days))
            return read_compared(self._by_queue(days, wait))
        except ValueError as odd:
            raise PartnerError(str(odd), "không đọc được trả lời của thành phố") from odd

    def _by_queue(self, days: Sequence[object], wait: float) -> object:
        queue = self._needs_queue()
        given = write_sums(self.agency, days, answer_id=self._new_id(), at=self._now())
        if not queue.publish(given):
            raise PartnerError(
                "the broker would not take our sums now: try again later",
                "máy chủ chưa nhận được: hãy thử lại sau",
            )
        end, waits = time.monotonic() + wait, self._waiter()
        while True:
            for reply in self._inbox.newest(REPLY):
                if reply.data.get("answer_id") == given.id:
                    return reply.data
            if (left := end - time.monotonic()) <= 0:
                raise PartnerError(
                    "the city has not answered yet: its word comes by the queue, try again later",
                    "thành phố chưa trả lời: hãy thử lại sau",
                )
            waits(min(left, 0.5))

    def _get(self, wanted: Sequence[Span], wait: float) -> None:
        """Fetch these numbers; over the queue wait until the city's messages have come again."""
        end, waits = time.monotonic() + wait, None if self._door else self._waiter()
        for first, last in wanted:
            after = first - 1
            while self._door is not None and after < last:
                page = self._door.tasks(after)
                highest = self._take_in_page(page.bodies)
                if not page.bodies:
                    break
                after = max(highest, page.next or 0, after + 1)
            while waits and self._inbox.came(first, last) < last - first + 1:
                if (left := end - time.monotonic()) <= 0:
                    return
                waits(min(left, 0.5))

    def _compare_at_night(self, handler: Handler) -> None:
        """What `run` does once a night; what does not work is said, and tried again in an hour."""
        if self._compare_at is None:
            self._compare_at = coming_night(self._now())
        if self._now() < self._compare_at:
            return
        self._compare_at = coming_night(self._now())
        try:
            told = self.reconcile(handler)
        except PartnerError as failed:
            log.warning("cannot compare with the city now: %s", failed)
            self._compare_at = self._now() + timedelta(hours=1)
            return
        for each in told:
            if each.fetched or not each.agreed:
                log.warning("%s: %s", each.day.isoformat(), in_words(each))


def in_words(of: Compared) -> str:
    """What is to be said of one day, in one line."""
    if of.agreed:
        return f"{of.count} messages, agreed" + (f"; {of.fetched} came again" if of.fetched else "")
    words = [
        f"{numbers(spans)} {said} ({_some(spans)})"
        for spans, said in (
            (of.missing, "have not come"),
            (of.unknown, "the city has not got: tell the city"),
            (of.forgotten, "are of before a restore of the city"),
        )
        if spans
    ]
    return f"{of.count} messages; " + (
        "; ".join(words) or "the same numbers have other ids: tell the city"
    )


def _some(spans: Sequence[Span]) -> str:
    listed = [str(a) if a == b else f"{a}-{b}" for a, b in spans[:5]]
    return ", ".join(listed) + (", …" if len(spans) > 5 else "")
