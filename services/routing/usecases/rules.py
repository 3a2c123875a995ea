"""The city's rules as the journey needs them, read from the catalogue and kept.

Here and nowhere else the catalogue's procedures become routes and its agencies a directory.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from services.routing.domain.case import Case, Office, Received, Setting
from services.routing.domain.plan import Plan, Ref, Route, StepPlan, route
from shared.catalogue import Catalogue
from shared.catalogue.model import Procedure, Step
from shared.kernel.calendar import WorkingCalendar
from shared.kernel.clock import to_vn
from shared.kernel.errors import NotFound, ParkNow

_KEPT_DIRECTORIES = 256


class NoSuchRules(ParkNow):
    """The catalogue here does not know what a dossier was received under."""

    default_vi = "Danh mục không có thủ tục hoặc nơi tiếp nhận của hồ sơ này."


class CityDirectory:
    """Who is competent for one office's dossiers on one day."""

    def __init__(self, catalogue: Catalogue, office: str, territory: str, on: date) -> None:
        self._catalogue = catalogue
        self._territory = territory
        self._on = on
        self._found: dict[str, tuple[Ref, bool]] = {}
        try:
            self._office = catalogue.agency(office)
        except NotFound as unknown:
            raise NoSuchRules(unknown.en) from None

    def responsible(self, role: str) -> tuple[Ref, bool]:
        """The receiving office if it holds the role itself, else whoever does for its territory.

        Nobody competent: the receiving office coordinates, so that nothing is lost.
        """
        known = self._found.get(role)
        if known is None:
            known = self._found[role] = self._look_up(role)
        return known

    def _look_up(self, role: str) -> tuple[Ref, bool]:
        office = self._office
        if role in office.roles:
            return Ref(office.code, office.name), True
        try:
            agency = self._catalogue.agency_for(role, self._territory, self._on)
        except NotFound:
            return Ref(office.code, office.name), False
        return Ref(agency.code, agency.name), True

    def calendar(self, agency: str) -> WorkingCalendar:
        """The clock that an agency's deadlines are counted by."""
        return self._catalogue.calendar(agency)


class Rules:
    """Builds the setting of a case; one per process, safe between threads (it only caches)."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._routes: dict[tuple[str, int, tuple[str, ...]], Route] = {}
        self._directories: dict[tuple[str, str, date], CityDirectory] = {}

    def for_received(self, received: Received, at: datetime, new_id: Callable[[], str]) -> Setting:
        """What a dossier that was just received is judged by."""
        route_ = self.route(received.procedure, received.version, received.branches)
        return Setting(route_, self._directory(received.office, at), new_id)

    def for_case(self, case: Case, at: datetime, new_id: Callable[[], str]) -> Setting:
        """What an open case is judged by: the version it came under, the agencies of the day."""
        route_ = self.route(case.procedure.code, case.version, case.branches)
        return Setting(route_, self._directory(case.office, at), new_id)

    def step(self, procedure: str, version: int, step: str) -> StepPlan | None:
        """One step of a procedure version, None if the catalogue has no such step."""
        try:
            found = self.catalogue.procedure_version(procedure, version).step(step)
        except NotFound:
            return None
        return None if found is None else _step_plan(found)

    def labels(self, procedure: str, version: int) -> dict[str, str]:
        """What the form fields of a procedure version are called, by name."""
        try:
            found = self.catalogue.procedure_version(procedure, version)
        except NotFound:
            return {}
        return {field.name: field.label for field in found.form}

    def leads_to_payment(self, procedure: str, version: int, step: str) -> bool:
        """Whether the citizen pays next what this step works out."""
        try:
            found = self.catalogue.procedure_version(procedure, version)
        except NotFound:
            return False
        return any(each.kind == "payment" and step in each.after for each in found.steps)

    def supplement_rounds(self, procedure: str, version: int) -> int | None:
        """How often papers may be asked for; None for any number."""
        try:
            return self.catalogue.procedure_version(procedure, version).max_supplement_rounds
        except NotFound:
            return None

    def route(self, procedure: str, version: int, branches: tuple[str, ...]) -> Route:
        """The steps that these branches lead through; NoSuchRules for an unknown version."""
        key = (procedure, version, branches)
        known = self._routes.get(key)
        if known is None:
            try:
                found = self.catalogue.procedure_version(procedure, version)
            except NotFound as unknown:
                raise NoSuchRules(unknown.en) from None
            known = self._routes[key] = route(plan_of(found), branches)
        return known

    def _directory(self, office: Office, at: datetime) -> CityDirectory:
        on = to_vn(at).date()
        key = (office.code, office.territory, on)
        known = self._directories.get(key)
        if known is None:
            if len(self._directories) >= _KEPT_DIRECTORIES:
                self._directories.clear()
            known = CityDirectory(self.catalogue, office.code, office.territory, on)
            self._directories[key] = known
        return known


def plan_of(procedure: Procedure) -> Plan:
    """The part of a procedure version that routing works with."""
    return Plan(
        code=procedure.code,
        version=procedure.version,
        name=procedure.name,
        steps=tuple(_step_plan(step) for step in procedure.steps),
        restart_after_supplement=procedure.supplement_rule == "restart",
        max_supplement_rounds=procedure.max_supplement_rounds,
    )


def _step_plan(step: Step) -> StepPlan:
    return StepPlan(
        code=step.code,
        name=step.name,
        role=step.role,
        kind=step.kind,
        after=step.after,
        budget=step.budget,
        shares=step.shares,
        branch=step.branch,
        consent_by_silence=step.silence == "consent",
        after_result=step.after_result,
        outside_clock=step.pauses_clock and step.kind == "task",
        results=step.results,
        max_extensions=step.max_extensions,
    )
