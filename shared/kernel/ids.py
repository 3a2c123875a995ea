"""Makers of ids and look-up words, random or repeatable from a seed.

Ids are UUID version 7 (RFC 9562): they sort by the time of their making, which keeps index pages
of the ledgers warm. Nothing secret is made here; keys come from shared/identity/keys.py.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from typing import Protocol

# Without 0 O, 1 I L, 5 S, 8 B, 2 Z: a citizen reads the word from paper and types it on a phone.
WORD_ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
WORD_LENGTH = 6
# The seeded maker counts milliseconds from here, so a seed gives the same ids on any day.
SEEDED_EPOCH_MS = 1_646_067_600_000  # 2022-03-01T00:00+07:00
_TAIL_BYTES = 10  # 80 bits, of which 74 are used
_POOL_BYTES = 100 * _TAIL_BYTES


class Ids(Protocol):
    """Makes ids; handed in wherever one is needed."""

    def new(self) -> str:
        """A new UUID version 7 as text."""

    def word(self) -> str:
        """A look-up word of six capitals and digits without look-alikes."""


def _uuid7(milliseconds: int, tail: int) -> str:
    """Build a UUID version 7 from Unix milliseconds and 74 free bits."""
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= ((tail >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= tail & ((1 << 62) - 1)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class _Pool(threading.local):
    """Bytes from the system's randomness, asked for many at a time, each given out once.

    Every thread has its own; a forked process begins a new one, or it would give the same bytes
    as its parent.
    """

    owner = 0  # the thread's number in the system, which no fork keeps
    data = b""
    at = 0

    def take(self, length: int) -> bytes:
        owner = threading.get_native_id()
        end = self.at + length
        if owner != self.owner or end > len(self.data):
            self.owner, self.data, end = owner, secrets.token_bytes(_POOL_BYTES), length
        self.at = end
        return self.data[end - length : end]


class RandomIds:
    """Ids from the system's randomness and clock; words cannot be guessed from one another."""

    def __init__(self) -> None:
        self._pool = _Pool()

    def new(self) -> str:
        """A new UUID version 7 as text."""
        tail = int.from_bytes(self._pool.take(_TAIL_BYTES))
        return _uuid7(time.time_ns() // 1_000_000, tail)

    def word(self) -> str:
        """A look-up word of six capitals and digits without look-alikes."""
        return "".join(secrets.choice(WORD_ALPHABET) for _ in range(WORD_LENGTH))


class SeededIds:
    """The same seed gives the same ids in the same order; safe between threads; never for secrets."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._made = 0

    def new(self) -> str:
        """The next UUID version 7 of this seed as text; each sorts after the one before."""
        with self._lock:
            self._made += 1
            return _uuid7(SEEDED_EPOCH_MS + self._made, self._random.getrandbits(74))

    def word(self) -> str:
        """The next look-up word of this seed."""
        with self._lock:
            return "".join(self._random.choice(WORD_ALPHABET) for _ in range(WORD_LENGTH))


def ids_from(*names: str) -> Callable[[], str]:
    """Ids that come out the same, one after the other, whenever the same names are given.

    They sort in their order, and by the time of the first name where that is a UUID version 7.
    """
    seed = hashlib.blake2b("\n".join(names).encode(), digest_size=16).digest()
    made = _time_of(names[0])
    milliseconds = int.from_bytes(seed[:6]) if made is None else made
    counted = itertools.count(1)

    def new() -> str:
        number = next(counted)
        drawn = hashlib.blake2b(seed + number.to_bytes(4), digest_size=8).digest()
        tail = (number & 0xFFF) << 62 | int.from_bytes(drawn) >> 2
        return _uuid7(milliseconds, tail)

    return new


def _time_of(text: str) -> int | None:
    """The milliseconds since 1970 in a UUID version 7; None of any other text."""
    try:
        read = uuid.UUID(text)
    except ValueError:
        return None
    return read.int >> 80 if read.version == 7 else None
