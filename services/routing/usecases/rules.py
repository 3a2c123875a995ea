"""The city's rules as the journey needs them, read from the catalogue and kept.

Here and nowhere else the catalogue's procedures become routes and its agencies a directory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.routing.domain.case import Case, Circumstances, DateRules
from services.routing.domain.plan import Plan, Route, StepPlan, route
from shared.catalogue import Catalogue
from shared.catalogue.model import FormField, Procedure
from shared.catalogue.step import Step
from shared.events.intake import DossierReceived
from shared.events.parts import Agency, Office
from shared.kernel.calendar import Duration, WorkingCalendar, due
from shared.kernel.clock import to_vn
from shared.kernel.errors import MissingCalendar, NotFound, ParkNow

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
        self._found: dict[tuple[str, str | None], tuple[Agency, bool]] = {}
        try:
            self._office = catalogue.agency(office)
        except NotFound as unknown:
            raise NoSuchRules(unknown.en) from None

    def responsible(self, role: str, place: str | None = None) -> tuple[Agency, bool]:
        """The receiving office if it holds the role itself, else whoever does for its territory.

        With a `place` whoever does for that ward. Nobody competent: the receiving office
        coordinates, so that nothing is lost.
        """
        known = self._found.get((role, place))
        if known is None:
            known = self._found[role, place] = self._look_up(role, place)
        return known

    def _look_up(self, role: str, place: str | None) -> tuple[Agency, bool]:
        office = self._office
        if role in office.roles and place is None:
            return Agency(code=office.code, name=office.name), True
        try:
            agency = self._catalogue.agency_for(role, self._territory_of(place), self._on)
        except NotFound:
            return Agency(code=office.code, name=office.name), False
        return Agency(code=agency.code, name=agency.name), True

    def _territory_of(self, place: str | None) -> str:
        """The code of the ward that has the area of this name today; of none such, the office's own."""
        return self._catalogue.territory(place, self._on) or self._territory

    def competent(
        self, role: str, named: str | None = None, place: str | None = None
    ) -> tuple[Agency, ...]:
        """Whoever is named and holds the role anywhere, the office if it does, then its territory's.

        An agency that only checks the installation is competent for its own office alone.
        """
        catalogue, office = self._catalogue, self._office
        own = None if place else office.code
        found = [each for each in (named, own) if each and self.holds(each, role)]
        placed = catalogue.agencies_for(role, self._territory_of(place), self._on)
        codes = dict.fromkeys((*found, *(each.code for each in placed)))
        known = (self.agency(code) for code in codes)
        return tuple(each for each in known if each is not None)

    def holds(self, code: str, role: str) -> bool:
        """Whether an agency has a role today, for whatever territory."""
        return self.agency(code) is not None and role in self._catalogue.agency(code).roles

    def agency(self, code: str) -> Agency | None:
        """By its code, if it is there today and no stranger to this office."""
        try:
            agency = self._catalogue.agency(code)
        except NotFound:
            return None
        there = agency.is_valid(self._on) and agency.check == self._office.check
        return Agency(code=agency.code, name=agency.name) if there else None

    def every(self) -> tuple[Agency, ...]:
        """All that a step can be handed on to today."""
        known = (self.agency(each.code) for each in self._catalogue.agencies(self._on))
        return tuple(each for each in known if each is not None)

    def calendar(self, agency: str) -> WorkingCalendar:
        """The clock that an agency's deadlines are counted by."""
        return self._catalogue.calendar(agency)

    def patience(self, agency: str) -> Duration | None:  # noqa: ARG002 - one rule for all of them
        """By the rule of the day, whichever way the agency is reached."""
        rule = self._catalogue.untaken_rule(self._on)
        return None if rule is None else rule.repeat_after

    def dates(self) -> DateRules:
        """By the rule of the day."""
        rule = self._catalogue.dates_rule(self._on)
        if rule is None:
            return DateRules()
        return DateRules(rule.near, rule.soon, rule.apologise_after, rule.new_date)


class Rules:
    """Builds the circumstances of a case; one per process, safe between threads (it only caches).

    `receipted` tells which file a receipt is for; without it no answer can name one.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        receipted: Callable[[str, str], str | None] = lambda _receipt, _task: None,
    ) -> None:
        self.catalogue = catalogue
        self.receipted = receipted
        self._agencies = frozenset(catalogue.agency_codes())
        self._plans: dict[tuple[str, int], Plan] = {}
        self._routes: dict[tuple[object, ...], Route] = {}
        self._directories: dict[tuple[str, str, date], CityDirectory] = {}

    def for_received(
        self, received: DossierReceived, at: datetime, new_id: Callable[[], str]
    ) -> Circumstances:
        """What a dossier that was just received is judged by."""
        procedure = received.procedure
        route_ = self.route(
            procedure.code, procedure.version, received.branches, received.channel, received.form
        )
        return Circumstances(route_, self.directory(received.office, at), at, new_id)

    def for_case(self, case: Case, at: datetime, new_id: Callable[[], str]) -> Circumstances:
        """What an open case is judged by: the version it came under, the agencies of the day.

        What happened before something that was heard of first counts from that.
        """
        at = max(at, case.latest)
        route_ = self.route(
            case.procedure.code, case.version, case.ways, case.channel or "", case.form
        )
        directory = self.directory(case.office, at)
        return Circumstances(route_, directory, at, new_id, self.receipted)

    def near_until(self, agency: str, now: datetime) -> datetime:
        """Dates up to this instant are near for an agency now, by the rule of the day (UTC)."""
        rule = self.catalogue.dates_rule(to_vn(now).date())
        warned = () if rule is None else (rule.near, rule.soon)
        calendar = self.catalogue.calendar(agency)
        try:
            return max((due(now, each, calendar) for each in warned if each), default=now)
        except MissingCalendar:
            return now

    def has_agency(self, code: str) -> bool:
        """Whether the catalogue knows this agency, of whatever day."""
        return code in self._agencies

    def plan(self, procedure: str, version: int) -> Plan | None:
        """The steps of a procedure version, None if the catalogue does not know it."""
        key = (procedure, version)
        if key not in self._plans:
            try:
                self._plans[key] = plan_of(self.catalogue.procedure_version(procedure, version))
            except NotFound:
                return None
        return self._plans[key]

    def fields(self, procedure: str, version: int) -> dict[str, FormField]:
        """The form fields of a procedure version by name."""
        try:
            found = self.catalogue.procedure_version(procedure, version)
        except NotFound:
            return {}
        return {field.name: field for field in found.form}

    def route(
        self,
        procedure: str,
        version: int,
        branches: tuple[str, ...],
        channel: str,
        form: Mapping[str, Any],
    ) -> Route:
        """The steps that these branches lead through, each with the time of such a dossier.

        NoSuchRules for an unknown version.
        """
        plan = self.plan(procedure, version)
        if plan is None:
            raise NoSuchRules(f"there is no version {version} of procedure {procedure}")
        steps = self.catalogue.procedure_version(procedure, version).steps
        times = tuple(step.time(channel, form, branches) for step in steps)
        key = (procedure, version, branches, times)
        if key not in self._routes:
            timed = zip(plan.steps, times, strict=True)
            own = tuple(replace(step, budget=time) for step, time in timed)
            self._routes[key] = route(replace(plan, steps=own), branches)
        return self._routes[key]

    def directory(self, office: Office, at: datetime) -> CityDirectory:
        """Who is competent for an office's dossiers on the day of this instant."""
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
        pauses_clock=step.pauses_clock and step.kind != "payment",
        results=step.results,
        max_extensions=step.max_extensions,
        back=step.back,
        verification=step.verification,
        place=step.place,
        chooses=step.chooses,
    )
