"""What a paper is made from: the dossier, what was said of it, and the city's rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from services.intake.domain.circumstances import Circumstances, legal_time
from services.intake.domain.dossier import Dossier
from services.intake.domain.papers.model import Block, Field, OfficialPaper, Signer
from shared.catalogue import WHOLE_CITY, Agency, FormKind, OfficialForm, Procedure
from shared.events.event import Event
from shared.kernel.calendar import Duration
from shared.kernel.clock import to_vn
from shared.kernel.errors import NotFound

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Matter:
    """A dossier to make papers of. `facts` are those of its timeline, in their order.

    `officer` is who stands at the desk, None where it is not known. `lookup` is the address of the
    look-up page, `openings` the desk's hours in words.
    """

    dossier: Dossier
    facts: tuple[Event, ...] = field(repr=False)
    around: Circumstances
    officer: str | None = field(default=None, repr=False)
    lookup: str | None = None
    openings: str = ""

    @property
    def procedure(self) -> Procedure:
        """The version that the dossier keeps for life."""
        return self.around.procedure(self.dossier)

    @property
    def legal_time(self) -> Duration:
        """What the law gives for a dossier like this."""
        return legal_time(self.procedure, self.dossier)

    @property
    def office(self) -> Agency:
        """Whose dossier it is."""
        return self.around.office(self.dossier)

    def then(self, at: datetime) -> Agency:
        """Whose dossier it was at that instant."""
        return self.around.catalogue.agency(self.dossier.office_at(at))

    def said(self, kind: type[E]) -> Iterator[E]:
        """The facts of one kind."""
        return (fact for fact in self.facts if isinstance(fact, kind))

    def agency(self, code: str | None) -> Agency:
        """An agency of the catalogue; the office for one that is not known any more."""
        try:
            return self.around.catalogue.agency(code or "")
        except NotFound:
            return self.office

    def form(self, kind: FormKind, at: datetime) -> OfficialForm:
        """The form of the day on which it happened, for whoever acts on the dossier."""
        roles = {step.role for step in self.procedure.steps if step.kind == "task"}
        return self.around.catalogue.form(kind, to_vn(at).date(), roles)

    def paper(
        self,
        kind: FormKind,
        at: datetime,
        blocks: tuple[Block, ...],
        signers: tuple[Signer, ...],
        *,
        part: int | None = None,
        issuer: Agency | None = None,
    ) -> OfficialPaper:
        """A citizen's paper of this dossier; `part` tells several of one kind apart."""
        form, code = self.form(kind, at), self.dossier.code
        return OfficialPaper(
            kind=kind,
            form=form,
            title=form.title,
            number=f"{number_of(code, part)}/{form.suffix}",
            issuer=issuer or self.then(at),
            place=place_of(self.around, self.then(at), at),
            at=at,
            blocks=blocks,
            signers=signers,
            code=code,
            lookup=self.lookup,
        )

    def person(self) -> tuple[Field, ...]:
        """Who filed it, and what is asked for."""
        contact = self.dossier.contact
        mail = (Field("Thư điện tử", contact.email),) if contact.email else ()
        return (
            Field("Người nộp", contact.name),
            Field("Địa chỉ", contact.address),
            Field("Điện thoại", contact.phone_original or contact.phone),
            *mail,
            Field("Nội dung yêu cầu giải quyết", self.procedure.name),
        )

    def code_field(self) -> Field:
        """The dossier's code, in one piece."""
        return Field("Mã hồ sơ", self.dossier.code, unbroken=True)

    def ask(self) -> str:
        """Whom to call."""
        return f"Cần hỏi thêm, liên hệ {self.office.name}, điện thoại {self.office.hotline}."


def number_of(code: str, part: int | None = None) -> str:
    """The paper's number: the dossier's own without the agency's id, `220301-0001.2`."""
    own = code.partition("-")[2] or code
    return own if part is None else f"{own}.{part}"


def place_of(around: Circumstances, office: Agency, at: datetime) -> str | None:
    """Where the office dates its papers: as it says, else its ward; None where neither is known."""
    if office.place or office.territory == WHOLE_CITY:
        return office.place
    try:
        return around.catalogue.ward(office.territory, to_vn(at).date()).name
    except NotFound:
        return None
