"""Hashing and checking passwords (Argon2id, RFC 9106), and drawing first ones and recovery codes.

The cost is OWASP's: 19 MiB, two passes, one lane, some 20 ms; eight threads at once take 152 MiB.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.intake.domain.staff import fold_password

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Without letters that look alike on paper.
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
RECOVERY_CODES: Final = 8


def hash_password(text: str) -> str:
    """What is kept of a password that keeps the rules."""
    return _HASHER.hash(_bytes(text))


def is_password(text: str, kept: str | None) -> bool:
    """Whether this is the password; for nobody's (None) it takes as long to say no."""
    folded = fold_password(text)
    try:
        _HASHER.verify(kept or _nobodys(), _bytes(folded or "?"))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None and folded is not None


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_bytes(32))


def _bytes(text: str) -> bytes:
    return (fold_password(text) or "").encode("utf-8", "replace")


def draw_password() -> str:
    """A first password: 60 bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


def draw_id() -> str:
    """A new person's opaque id."""
    return "cb-" + "".join(secrets.choice(_LETTERS) for _ in range(10))


def draw_recovery() -> list[str]:
    """Recovery codes, shown once: 50 bits each."""
    return ["-".join(_word(5) for _ in range(2)) for _ in range(RECOVERY_CODES)]


def _word(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def hash_of_recovery(code: str) -> str:
    """What is kept of a recovery code, however it is typed; it is drawn, so a plain hash will do."""
    plain = "".join(letter for letter in code.lower() if letter in _LETTERS)
    return hashlib.sha256(plain.encode()).hexdigest()


def used_recovery(code: str, kept: tuple[str, ...]) -> tuple[str, ...] | None:
    """The hashes that are left once this code is used up; None where it is none of them."""
    asked = hash_of_recovery(code)
    left = tuple(each for each in kept if not hmac.compare_digest(each, asked))
    return left if len(left) < len(kept) else None
