"""What an agency's user may do at the broker: read its own queue and answer as itself."""

from __future__ import annotations

import re
from typing import Any, Final

from shared.events import names

NOTHING: Final = "^$"
#: What one user may open: a program has one connection or two.
LIMITS: Final = {"max-connections": 10, "max-channels": 20}


def permission(agency: str, user: str = "", prefix: str = "") -> dict[str, Any]:
    """Its own queue to read, the exchange of answers to write to; nothing to make or change.

    `user` is one of its users, its code where none is named; `prefix` stands before all names.
    """
    return {
        "user": user or agency,
        "configure": NOTHING,
        "write": f"^{_plain(prefix + names.AGENCY_ANSWERS)}$",
        "read": f"^{_plain(prefix + names.agency_queue(agency))}$",
    }


def topic_permission(agency: str, user: str = "", prefix: str = "") -> dict[str, Any]:
    """The keys under which a user may answer: its own agency's alone."""
    key = _plain(names.answer_key(agency, "KIND")).replace("KIND", "[a-z_]+")
    return {
        "user": user or agency,
        "exchange": prefix + names.AGENCY_ANSWERS,
        "write": f"^{key}$",
        "read": NOTHING,
    }


def _plain(name: str) -> str:
    """A name as a pattern for itself; a hyphen outside brackets needs no escape."""
    return re.escape(name).replace(r"\-", "-")
