"""How often and when a fact that failed is tried again; one budget per fact, whoever tries it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Growing pauses with a cap; after `max_attempts` the fact is parked. Seconds."""

    max_attempts: int = 8
    first: float = 1.0
    factor: float = 3.0
    cap: float = 3600.0
    jitter: float = 0.25

    def spent(self, attempts: int) -> bool:
        """Whether a fact that failed this often has used up its budget."""
        return attempts >= self.max_attempts

    def pause(self, attempts: int, fact_id: str) -> timedelta:
        """How long to wait after failing `attempts` times (from 1).

        The jitter comes from the fact's id: facts that failed together do not come back together,
        and the same run gives the same times.
        """
        pause = min(self.cap, self.first * self.factor ** (attempts - 1))
        digest = hashlib.blake2b(f"{fact_id} {attempts}".encode(), digest_size=4).digest()
        share = int.from_bytes(digest, "big") / 0xFFFFFFFF  # 0 to 1
        return timedelta(seconds=min(self.cap, pause * (1 + self.jitter * (2 * share - 1))))
