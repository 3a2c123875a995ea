"""The code that a citizen is sent to read results: six digits, ten minutes, five tries, one use.

The look-up word stands on paper that others may see; the code goes to the contact that the desk knows.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Final

from services.intake.domain.dossier import Contact
from services.intake.domain.guessing import Allowance

LASTS: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
#: A stranger with the paper in hand cannot fill somebody's phone: three at once, then one in ten minutes.
SENT: Final = Allowance(free=3, per_minute=0.1, longest=600.0)


def draw() -> str:
    """Six digits from the system's randomness."""
    return f"{secrets.randbelow(10**6):06d}"


def digest(code: str, dossier: str, secret: str) -> str:
    """What is kept of a code: of no use without the city's secret."""
    return hmac.digest(secret.encode(), f"result code\0{dossier}\0{code}".encode(), "sha256").hex()


def tidied(given: str) -> str:
    """A code as it was typed, without what phones put between the digits."""
    return "".join(letter for letter in given[:40] if letter.isdigit())


def can_be_sent(contact: Contact) -> bool:
    """Whether the citizen agreed to messages somewhere."""
    told = contact.told
    return bool((contact.sms and told.phone) or (contact.mail and told.email))
