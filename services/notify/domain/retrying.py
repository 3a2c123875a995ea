"""When a failed message is tried again: growing waits with a cap, one budget for all tries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zlib import crc32


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """The tries one message has, whoever spends them (sender, restart or sweeper).

    As set here they last for most of a day: a mail server may be away over a weekend's night.
    """

    tries: int = 24
    first: timedelta = timedelta(seconds=30)
    factor: int = 3
    cap: timedelta = timedelta(hours=1)

    def wait_after(self, tries_made: int, message_id: str) -> timedelta | None:
        """The wait before the next try; None when the budget is spent.

        Up to a tenth is added, by the message's id, so that the messages of one outage do not
        come back in one wave; it is repeatable, because a simulation repeats to the letter.
        """
        if tries_made >= self.tries:
            return None
        growth = float(self.factor) ** max(tries_made - 1, 0)
        wait = min(self.first * growth, self.cap)
        share = crc32(f"{message_id}/{tries_made}".encode()) % 1000 / 10_000
        return wait + wait * share
