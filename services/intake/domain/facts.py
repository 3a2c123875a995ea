"""What has happened at a desk, in intake's own words; the public wording is messaging's.

Each fact carries the catalogue's procedure and office as they were in force for the dossier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.intake.domain.dossier import Dossier, HeldPaper, Wait
from shared.catalogue import Agency, Procedure

Because = Literal["clock_resumed", "supplement_dropped", "extended"]


@dataclass(frozen=True, slots=True)
class ContactGiven:
    """The citizen left a way to be reached; goes to the notifier alone."""

    dossier: Dossier
    at: datetime


@dataclass(frozen=True, slots=True)
class DossierRegistered:
    """Filed online or by post, not yet checked by a desk."""

    dossier: Dossier
    procedure: Procedure
    office: Agency


@dataclass(frozen=True, slots=True)
class DossierReceived:
    """Received as valid: numbered, dated and promised."""

    dossier: Dossier
    procedure: Procedure
    office: Agency


@dataclass(frozen=True, slots=True)
class DossierRefused:
    """Not received, with the reason and what the citizen can do."""

    dossier: Dossier
    procedure: Procedure
    office: Agency
    reason: str
    next_step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SupplementRequested:
    """The desk asked for papers before reception."""

    dossier: Dossier
    office: Agency
    wait: Wait


@dataclass(frozen=True, slots=True)
class SupplementReminded:
    """The date for papers is near; `agency` and `agency_name` say who asked for them."""

    dossier: Dossier
    agency: str
    agency_name: str
    wait: Wait
    respond_by: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class SupplementExtended:
    """The desk gives more time for its own request."""

    dossier: Dossier
    office: Agency
    wait: Wait
    respond_by: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class DossierSupplemented:
    """The citizen brought what was asked for; `form` holds the changed fields that travel."""

    dossier: Dossier
    round: int
    papers: tuple[HeldPaper, ...]
    form: Mapping[str, Any] = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class DossierPaid:
    """The citizen paid what a step asked for."""

    dossier: Dossier
    wait: Wait
    amount_vnd: int
    at: datetime


@dataclass(frozen=True, slots=True)
class DeadlineStated:
    """The date in force, stated anew because routing told of something that moves it."""

    dossier: Dossier
    because: Because
    at: datetime


@dataclass(frozen=True, slots=True)
class DossierWithdrawn:
    """The citizen took the dossier back before a result."""

    dossier: Dossier
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DossierReturned:
    """The result is in the citizen's hands; `method` is one of RETURN_METHODS."""

    dossier: Dossier
    method: str
    at: datetime


Fact = (
    ContactGiven
    | DossierRegistered
    | DossierReceived
    | DossierRefused
    | SupplementRequested
    | SupplementReminded
    | SupplementExtended
    | DossierSupplemented
    | DossierPaid
    | DeadlineStated
    | DossierWithdrawn
    | DossierReturned
)

RETURN_METHODS = {
    "desk": ("Nhận tại bộ phận một cửa", "collected at the desk"),
    "post": ("Gửi qua bưu điện", "sent by post"),
    "online": ("Trả kết quả điện tử", "returned online"),
}
