"""What holds where a dossier is decided: the city's rules and the present instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.intake.domain.deadline import Rules
from services.intake.domain.dossier import Dossier
from shared.catalogue import Agency, Catalogue, PapersRule, Procedure
from shared.events import parts
from shared.kernel.calendar import Duration, WorkingCalendar
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput, NotFound


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The catalogue's answers about one dossier; NotFound for what it does not know."""

    catalogue: Catalogue
    now: datetime

    @property
    def today(self) -> date:
        """The local day."""
        return to_vn(self.now).date()

    def office(self, dossier: Dossier) -> Agency:
        """The office whose dossier it is."""
        return self.catalogue.agency(dossier.office)

    def calendar(self, dossier: Dossier) -> WorkingCalendar:
        """When that office works."""
        return self.catalogue.calendar(dossier.office)

    def procedure(self, dossier: Dossier) -> Procedure:
        """The version that the dossier keeps for life."""
        return procedure_of(self.catalogue, dossier)

    def rules(self, dossier: Dossier) -> Rules:
        """What the catalogue says of the dossier's time."""
        procedure = self.procedure(dossier)
        restart = procedure.supplement_rule == "restart"
        return Rules(legal_time(procedure, dossier), self.calendar(dossier), restart)

    def papers_rule(self, asked_at: datetime) -> PapersRule | None:
        """The city's rule for papers that were asked for at that instant."""
        return self.catalogue.papers_rule(to_vn(asked_at).date())

    def agency(self, code: str) -> parts.Agency:
        """An agency as events name it; a dossier outlives the agencies of the catalogue."""
        try:
            return agency(self.catalogue.agency(code))
        except NotFound:
            return parts.Agency(code=code, name=code)

    def offered(self, office: Agency, code: str) -> Procedure:
        """The procedure in force today, if this office takes it in; else InvalidInput."""
        try:
            procedure = self.catalogue.procedure(code, self.today)
        except NotFound:
            procedure = None
        if procedure is None or not self.catalogue.office_handles(
            office.code, procedure, self.today
        ):
            vi, en = (
                "Bộ phận này không tiếp nhận thủ tục này.",
                "this office does not take in such a procedure",
            )
            raise InvalidInput([Fault("procedure", vi, en)])
        return procedure


def procedure_of(catalogue: Catalogue, dossier: Dossier) -> Procedure:
    """The version that the dossier keeps for life."""
    return catalogue.procedure_version(dossier.procedure, dossier.procedure_version)


def legal_time(procedure: Procedure, dossier: Dossier) -> Duration:
    """What the law gives for this dossier: by the way it was filed, its case, its branches."""
    return procedure.legal_time(dossier.channel, dossier.form, dossier.branches)


def told_date(catalogue: Catalogue, dossier: Dossier) -> datetime | None:
    """The date that the citizen was given: none by a reception on a day without appointments.

    It is stored all the same, and an apology names one.
    """
    received_at = dossier.received_at
    if received_at is None or dossier.extensions:
        return dossier.due_at
    day = to_vn(received_at).date()
    office = dossier.office_at(received_at)
    return None if catalogue.no_appointment(office, day) else dossier.due_at


# --- as events name them ----------------------------------------------------------------------


def agency(known: Agency) -> parts.Agency:
    """An agency or office with its name."""
    return parts.Agency(code=known.code, name=known.name)


def version(procedure: Procedure) -> parts.ProcedureVersion:
    """A version of a procedure with its names."""
    return parts.ProcedureVersion(
        code=procedure.code,
        name=procedure.name,
        version=procedure.version,
        short_name=procedure.short_name,
    )
