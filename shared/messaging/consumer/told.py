"""What may be said of a fact in a log line or a measure: words of ours, never a sender's.

A type, an id or a subject is whatever its sender wrote; somebody's name and telephone number too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from typing import Final

from shared.events import names
from shared.events.registry import KINDS
from shared.messaging.consumer.model import NOT_LET_IN, UNFIT, UNREADABLE

OTHER: Final = "other"
_SOURCES: Final = frozenset(
    {
        names.INTAKE,
        names.INTAKE_CONTACTS,
        names.ROUTING,
        names.ROUTING_STEPS,
        names.ROUTING_TASKS,
        names.ROUTING_NOTICES,
        names.NOTIFY,
    }
)
_AGENCY: Final = re.compile(r"[a-z][a-z0-9-]{0,59}")
# A dossier's code, an id of ours (UUID), and what unreadable bytes are kept under (a hash).
_OURS: Final = re.compile(
    r"(?:\d{2,3}\.){1,3}H\d{2}-\d{6}-\d{4,9}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[0-9a-f]{64}"
)


def type_of(written: str, handled: Container[str] = ()) -> str:
    """A type of the contract, or one `handled` here; nothing for bytes that could not be read."""
    return written if not written or written in handled or written in KINDS else OTHER


def source_of(written: str) -> str:
    """One of our sources, an agency's, or what stands for those that were not let in."""
    if written in _SOURCES or written in (UNREADABLE, NOT_LET_IN, UNFIT):
        return written
    agency = names.agency_of(written)
    return written if agency is not None and _AGENCY.fullmatch(agency) else OTHER


def id_of(written: str) -> str:
    """An id or subject of ours as it is; any other by the beginning of its SHA-256."""
    if not written or _OURS.fullmatch(written):
        return written
    return f"sha256:{hashlib.sha256(written.encode('utf-8', 'replace')).hexdigest()[:16]}"
