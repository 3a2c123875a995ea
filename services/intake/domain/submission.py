"""What is handed in to be filed, and everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast

from services.intake.domain.contacts import ContactInput, check_contact, check_parties
from services.intake.domain.dossier import CHANNELS, Contact
from services.intake.domain.forms import (
    PaperCount,
    check_branches,
    check_form,
    check_papers,
    missing_papers,
)
from services.intake.domain.sizes import check_size
from shared.catalogue import Agency, Procedure
from shared.events import parts
from shared.events.types import Channel
from shared.kernel.errors import Fault, InvalidInput

#: What cannot be judged while the part that it hangs on is wrong.
_HANGS_ON = {
    "contact.consent.sms": "contact.phone",
    "contact.consent.email": "contact.email",
}


@dataclass(frozen=True, slots=True)
class SubmitDossier:
    """A citizen's matter as typed at a desk or sent in; everything is still to be checked."""

    office: str
    procedure: str
    channel: str
    contact: ContactInput
    form: Mapping[str, Any] = field(repr=False)
    papers: tuple[PaperCount, ...] = ()
    branches: tuple[str, ...] | None = None
    parties: Mapping[str, ContactInput] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """A submission that has been found in order."""

    procedure: Procedure
    office: Agency
    channel: Channel
    contact: Contact
    form: Mapping[str, Any] = field(repr=False)
    papers: tuple[parts.Paper, ...]
    branches: tuple[str, ...]

    @property
    def direct(self) -> bool:
        """True where the citizen stands at the desk and the desk checks at once."""
        return self.channel == "direct"


def check_submission(
    command: SubmitDossier, procedure: Procedure, office: Agency, today: date
) -> Checked:
    """Check everything against the procedure; InvalidInput carries every fault at once.

    `today` is the local day, for dates that may not lie in the future.
    """
    faults: list[Fault] = []
    if command.channel not in procedure.channels or command.channel not in CHANNELS:
        said = ", ".join(procedure.channels)
        faults.append(Fault("channel", f"Hình thức nộp: {said}.", f"must be one of: {said}"))
    contact = check_contact(command.contact, faults)
    parties = check_parties(procedure, command.parties, faults)
    told: list[Fault] = []
    papers = check_papers(procedure.papers, command.papers, told)
    there = {paper.code for paper in papers}
    form = check_form(procedure.form, command.form, faults, today=today, there=there)
    faults.extend(told)
    check_size(form, papers, faults)
    branches = check_branches(procedure, command.branches, faults)
    if command.channel == "direct":
        faults.extend(missing_papers(procedure.papers, papers))
    if faults or contact is None:
        raise InvalidInput(faults)
    channel, contact = cast(Channel, command.channel), replace(contact, parties=parties)
    return Checked(procedure, office, channel, contact, form, papers, branches)


def together(
    known: Sequence[Fault], found: Iterable[Fault], *, uncounted: Collection[str] = ()
) -> list[Fault]:
    """The faults of a request's shape and those of its contents, less what only follows from them.

    `uncounted` are the codes of papers whose counts could not be read.
    """
    places = {fault.place for fault in known}
    follows = {f"papers.{code}" for code in uncounted}
    follows |= {place for place, cause in _HANGS_ON.items() if cause in places}
    return [*known, *(fault for fault in found if not _told(fault.place, places | follows))]


def _told(place: str, places: Collection[str]) -> bool:
    return any(each == place or each.startswith(f"{place}.") for each in places)
