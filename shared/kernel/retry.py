"""How often and when what failed is tried again: one budget for each thing, whoever tries it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Growing pauses up to a cap; after `max_attempts` nobody tries again by itself. Seconds."""

    max_attempts: int = 8
    first: float = 1.0
    factor: float = 3.0
    cap: float = 3600.0
    jitter: float = 0.25

    def spent(self, attempts: int) -> bool:
        """Whether what failed this often has used up its budget."""
        return attempts >= self.max_attempts

    def pause(self, attempts: int, key: str) -> timedelta:
        """How long to wait after failing `attempts` times (from 1); never longer than the cap.

        Up to the share `jitter` is added, by the key, also at the cap: what failed together does
        not come back together, and the same run gives the same times.
        """
        pause = min(self.cap / (1 + self.jitter), self.first * self.factor ** (attempts - 1))
        digest = hashlib.blake2b(f"{key} {attempts}".encode(), digest_size=4).digest()
        share = int.from_bytes(digest, "big") / 0xFFFFFFFF  # 0 to 1
        return timedelta(seconds=pause * (1 + self.jitter * share))

    def beyond(self, now: datetime) -> datetime:
        """Where no pause that begins `now` ends: what lies later was planned by another clock."""
        return now + timedelta(seconds=self.cap)
