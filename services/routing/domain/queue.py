"""An agency's queue on the broker as it is wished: its users, and who paused it. No I/O.

The broker knows one password of a user, so a new password is a new user: the agency's code at
first, then `<code>.2`, `<code>.3` … An agency code holds no dot, so nobody else is called so.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

#: For so long the user before a rotation may go on.
GRACE: Final = timedelta(hours=24)
LONGEST_GRACE: Final = timedelta(days=30)
LONGEST_WHY: Final = 200
#: The broker's own word for a user that a certificate alone signs in.
NO_PASSWORD: Final = ""


@dataclass(frozen=True, slots=True)
class AgencyQueue:
    """What is wished; instants in UTC.

    `hash` is None where only the broker knows the password (it was given before there was a row).
    `done_at`: when the broker was last as wished, None while it is not; `trouble` says why.
    """

    agency: str
    wanted: bool
    generation: int = 1
    hash: str | None = field(default=None, repr=False)
    old_hash: str | None = field(default=None, repr=False)
    old_until: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_why: str | None = None
    wished_at: datetime | None = None
    wished_by: str | None = None
    done_at: datetime | None = None
    trouble: str | None = None

    @property
    def user(self) -> str:
        """Under which name its programs log in now."""
        return user_of(self.agency, self.generation)

    @property
    def old_user(self) -> str:
        """The name of before the last rotation."""
        return user_of(self.agency, self.generation - 1)

    def in_grace(self, now: datetime) -> bool:
        """Whether the user of before may still go on."""
        return self.old_until is not None and now < self.old_until

    def users(self, now: datetime) -> dict[str, str | None]:
        """Who may log in at the broker now, each with the hash; nobody while it is paused."""
        if not self.wanted or self.paused_at is not None:
            return {}
        old = {self.old_user: self.old_hash} if self.in_grace(now) else {}
        return {self.user: self.hash, **old}

    @property
    def paused_by_city(self) -> bool:
        """Whether only the city's operator may let it go on."""
        return self.paused_at is not None and (self.paused_by or "").startswith("operator")


def user_of(agency: str, generation: int) -> str:
    """The broker user of a generation."""
    return agency if generation <= 1 else f"{agency}.{generation}"


def is_user_of(user: str | None, agency: str) -> bool:
    """Whether a broker user is one of this agency's, of whatever generation.

    Only who may manage the broker makes users, each with the right to answer for its agency alone;
    one that was withdrawn is gone there, and what it had sent before still counts.
    """
    if user is None or not user.startswith(agency):
        return False
    return re.fullmatch(r"(\.[1-9][0-9]{0,8})?", user[len(agency) :], re.ASCII) is not None


def password_hash(password: str, salt: bytes | None = None) -> str:
    """RabbitMQ's salted SHA-256 of a password: base64 of 4 bytes of salt and the digest."""
    salt = secrets.token_bytes(4) if salt is None else salt
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
