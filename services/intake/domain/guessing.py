"""How often a look-up may be tried: no word can be guessed, and nobody is locked out for good.

Every try counts alike, by the true word or a wrong one, so that being let through tells nothing.
Past what is free each try makes the next one wait, twice as long each time, up to a limit; what was
tried is forgotten little by little.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Allowance:
    """`free` tries at once, `per_minute` that are forgotten, at most `longest` seconds to wait."""

    free: int
    per_minute: float
    longest: float


#: Of 244 million words about one a minute can be tried on a code, by however many callers.
OF_CODE: Final = Allowance(free=6, per_minute=1.0, longest=60.0)
#: A whole waiting room may share an address.
OF_ADDRESS: Final = Allowance(free=30, per_minute=10.0, longest=120.0)
#: An IPv6 line has 2^64 addresses: together they have what a few have.
OF_NETWORK: Final = Allowance(free=60, per_minute=20.0, longest=120.0)
#: After so long nothing is left of any count.
FORGOTTEN_AFTER: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Tries:
    """What is remembered of one code, address or network; instants in UTC."""

    level: float
    at: datetime
    until: datetime

    def wait(self, allowance: Allowance, now: datetime) -> float:
        """Seconds until the next try; never more than the longest, whatever a clock did."""
        return min(max(0.0, (self.until - now).total_seconds()), allowance.longest)


def one_more(before: Tries | None, allowance: Allowance, now: datetime) -> Tries:
    """What is remembered after one more try that was let through."""
    level = 1.0
    if before is not None:
        passed = max(0.0, (now - before.at).total_seconds())
        level += max(0.0, before.level - passed / 60 * allowance.per_minute)
    over = level - allowance.free
    pause = min(allowance.longest, 2.0 ** min(over, 30.0)) if over > 0 else 0.0
    return Tries(level, now, now + timedelta(seconds=pause))
