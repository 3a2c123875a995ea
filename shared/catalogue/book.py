"""The catalogue as the services use it: everything looked up by code and day.

Built by `loading`; holds no file handle and does no I/O. Rules that need a whole procedure at
once (graphs, times) are checked before a book is ever built.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from shared.catalogue.model import (
    WHOLE_CITY,
    Agency,
    AnsweringRule,
    CostRule,
    DatesRule,
    FormKind,
    OfficialForm,
    PapersRule,
    Procedure,
    Role,
    SpecialDay,
    TellingRule,
    Template,
    UntakenRule,
    Ward,
)
from shared.kernel.calendar import WorkingCalendar
from shared.kernel.errors import NotFound

DESK = "desk"


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """The two calendars of an office: what deadlines are counted by, and when its desk is open."""

    name: str
    clock: WorkingCalendar
    reception: WorkingCalendar
    no_appointment: frozenset[int]


class Catalogue:
    """The city's rules on any day; every look-up that finds nothing raises NotFound."""

    def __init__(
        self,
        *,
        version: str,
        procedures: Iterable[Procedure],
        agencies: Iterable[Agency],
        roles: Iterable[Role],
        wards: Iterable[Ward],
        hours: Mapping[str, OfficeHours],
        holidays: tuple[SpecialDay, ...],
        holidays_source: str,
        templates: Iterable[Template],
        papers_rules: Iterable[PapersRule] = (),
        untaken_rules: Iterable[UntakenRule] = (),
        dates_rules: Iterable[DatesRule] = (),
        forms: Iterable[OfficialForm] = (),
        telling_rules: Iterable[TellingRule] = (),
        answering_rules: Iterable[AnsweringRule] = (),
        cost_rules: Iterable[CostRule] = (),
    ) -> None:
        self.version, self.holidays, self.holidays_source = version, holidays, holidays_source
        self.roles: Mapping[str, Role] = {role.code: role for role in roles}
        self.wards: tuple[Ward, ...] = tuple(wards)
        self._agencies, self._hours = {agency.code: agency for agency in agencies}, dict(hours)
        self._papers_rules, self._telling_rules = tuple(papers_rules), tuple(telling_rules)
        self._untaken_rules, self._dates_rules = tuple(untaken_rules), tuple(dates_rules)
        self._answering_rules, self._cost_rules = tuple(answering_rules), tuple(cost_rules)
        self._forms = sorted(forms, key=lambda one: not one.used_by)  # those for some roles first
        self._procedures: dict[str, list[Procedure]] = {}
        for procedure in procedures:
            self._procedures.setdefault(procedure.code, []).append(procedure)
        self._by_role: dict[tuple[str, str], list[Agency]] = {}
        # An agency that only checks the installation never comes before a real one.
        for agency in sorted(self._agencies.values(), key=lambda one: one.check):
            for role in agency.roles:
                self._by_role.setdefault((role, agency.territory), []).append(agency)
        self._templates: dict[tuple[str, str, str], list[Template]] = {}
        for template in templates:
            said = (template.moment, template.channel, template.language)
            self._templates.setdefault(said, []).append(template)

    # --- procedures ---------------------------------------------------------------------------

    def procedure(self, code: str, on: date) -> Procedure:
        """The version that a dossier received on this day falls under."""
        versions = self._procedures.get(code, [])
        for procedure in versions:
            if procedure.is_valid(on):
                return procedure
        if versions:
            raise NotFound(
                f"procedure {code} is not in force on {on}",
                vi=f"Thủ tục {code} không có hiệu lực ngày {on:%d/%m/%Y}.",
            )
        raise NotFound(f"there is no procedure {code}", vi=f"Không có thủ tục {code}.")

    def procedure_version(self, code: str, version: int) -> Procedure:
        """Exactly this version, whether in force or not: a dossier keeps the one it came under."""
        for procedure in self._procedures.get(code, []):
            if procedure.version == int(version):
                return procedure
        raise NotFound(
            f"there is no version {version} of procedure {code}",
            vi=f"Không có phiên bản {version} của thủ tục {code}.",
        )

    def versions(self, code: str) -> tuple[Procedure, ...]:
        """All versions of a procedure, oldest first."""
        return tuple(sorted(self._procedures.get(code, []), key=lambda one: one.valid_from))

    def procedure_codes(self) -> tuple[str, ...]:
        """The codes of all procedures of any day, but for those that check the installation."""
        return tuple(
            code for code in sorted(self._procedures) if not self._procedures[code][0].check
        )

    def procedures(self, on: date, *, check: bool = False) -> tuple[Procedure, ...]:
        """All procedures in force on this day, by code; `check` gives those that check instead."""
        return tuple(
            procedure
            for code in sorted(self._procedures)
            for procedure in self._procedures[code]
            if procedure.is_valid(on) and procedure.check == check
        )

    # --- agencies -----------------------------------------------------------------------------

    def agency(self, code: str) -> Agency:
        """The agency of this code, whatever the day."""
        try:
            return self._agencies[code]
        except KeyError:
            raise NotFound(
                f"there is no agency '{code}'", vi=f"Không có cơ quan '{code}'."
            ) from None

    def agency_codes(self) -> tuple[str, ...]:
        """The codes of all agencies of any day: each keeps its queue while tasks may be on it."""
        return tuple(self._agencies)

    def every_agency(self) -> tuple[Agency, ...]:
        """Every agency of any day, in the order of the files."""
        return tuple(self._agencies.values())

    def agencies(self, on: date) -> tuple[Agency, ...]:
        """All agencies that exist on this day, in the order of the files."""
        return tuple(agency for agency in self._agencies.values() if agency.is_valid(on))

    def offices(self, on: date, *, check: bool = False) -> tuple[Agency, ...]:
        """The agencies that have a desk on this day; `check` gives those that check instead."""
        return tuple(
            agency for agency in self.agencies(on) if agency.is_office and agency.check == check
        )

    def agency_for(self, role: str, territory: str, on: date) -> Agency:
        """Who does this work for this territory: the ward's own agency, else the whole city's."""
        for agency in self.agencies_for(role, territory, on):
            return agency
        raise NotFound(
            f"no agency has the role '{role}' for territory {territory} on {on}",
            vi=f"Không có cơ quan nào giữ vai trò '{role}' cho địa bàn {territory}.",
        )

    def agencies_for(self, role: str, territory: str, on: date) -> Iterator[Agency]:
        """Whoever may do this work for this territory: the ward's own first, then the whole city's."""
        for place in dict.fromkeys((territory, WHOLE_CITY)):
            yield from (a for a in self._by_role.get((role, place), ()) if a.is_valid(on))

    def office_handles(self, office_code: str, procedure: Procedure, on: date) -> bool:
        """Whether this office takes dossiers of this procedure on this day."""
        office = self._agencies.get(office_code)
        if office is None or not office.is_office or not office.is_valid(on):
            return False
        if office.check != procedure.check:
            return False
        return procedure.taken_at(office.territory)

    def ward(self, code: str, on: date) -> Ward:
        """The ward that had this code on this day."""
        for ward in self.wards:
            if ward.code == code and ward.is_valid(on):
                return ward
        raise NotFound(f"there is no ward {code} on {on}", vi=f"Không có xã phường mã {code}.")

    def territory(self, name: str | None, on: date) -> str | None:
        """The code of the unit that has the area of this name on this day.

        An older name is followed to the unit that has its area now; None for no known name.
        """
        known = [ward for ward in self.wards if ward.name == name and ward.valid_from <= on]
        ward = max(known, key=lambda each: each.valid_from, default=None)
        while ward is not None and not ward.is_valid(on):
            after, into = ward.valid_to, ward.into
            follow = (w for w in self.wards if w.code == into and after and w.valid_from > after)
            ward = min(follow, key=lambda each: each.valid_from, default=None)
        return None if ward is None else ward.code

    # --- calendars ----------------------------------------------------------------------------

    def _hours_of(self, agency_code: str) -> OfficeHours:
        return self._hours[self.agency(agency_code).calendar]

    def calendar(self, agency_code: str) -> WorkingCalendar:
        """The clock of an agency: what its deadlines are counted by."""
        return self._hours_of(agency_code).clock

    def reception(self, agency_code: str) -> WorkingCalendar:
        """When the desk is open; wider than the clock (a friendly Sunday), never for counting."""
        return self._hours_of(agency_code).reception

    def no_appointment(self, agency_code: str, on: date) -> bool:
        """Whether the office serves without an appointment on this day."""
        return on.weekday() in self._hours_of(agency_code).no_appointment

    def hours(self) -> Mapping[str, OfficeHours]:
        """All office calendars by code."""
        return dict(self._hours)

    # --- rules of the whole city --------------------------------------------------------------

    def papers_rule(self, on: date) -> PapersRule | None:
        """What holds for papers asked for on this day; None: nobody has laid anything down."""
        return next((rule for rule in self._papers_rules if rule.is_valid(on)), None)

    def untaken_rule(self, on: date) -> UntakenRule | None:
        """What holds for tasks handed over on this day that no agency takes; None: nothing."""
        return next((rule for rule in self._untaken_rules if rule.is_valid(on)), None)

    def dates_rule(self, on: date) -> DatesRule | None:
        """What holds for dates that are near or missed on this day; None: nothing is laid down."""
        return next((rule for rule in self._dates_rules if rule.is_valid(on)), None)

    def telling_rule(self, on: date) -> TellingRule:
        """How citizens are told on this day; where nothing is laid down nothing waits."""
        found = (rule for rule in self._telling_rules if rule.is_valid(on))
        return next(found, None) or TellingRule(on)

    def answering_rule(self, on: date) -> AnsweringRule:
        """What a citizen may say by SMS on this day; where nothing is laid down: stop, and start."""
        found = (rule for rule in self._answering_rules if rule.is_valid(on))
        return next(found, None) or AnsweringRule(on)

    def cost_rule(self, on: date) -> CostRule:
        """What a message costs on this day; where nothing is laid down nothing is known."""
        found = (rule for rule in self._cost_rules if rule.is_valid(on))
        return next(found, None) or CostRule(on)

    def form(self, kind: FormKind, on: date, roles: Collection[str] = ()) -> OfficialForm:
        """The official form in force on this day for a dossier that only these roles act on."""
        for form in self._forms:
            meant = not form.used_by or (bool(roles) and set(roles) <= set(form.used_by))
            if meant and form.kind == kind and form.is_valid(on):
                return form
        raise NotFound(
            f"no official form for {kind} is in force on {on}",
            vi=f"Không có mẫu giấy nào cho việc này có hiệu lực ngày {on:%d/%m/%Y}.",
        )

    # --- templates ----------------------------------------------------------------------------

    def template(self, moment: str, channel: str, language: str, on: date) -> Template:
        """The words for a moment on this day."""
        for template in self._templates.get((moment, channel, language), ()):
            if template.is_valid(on):
                return template
        raise NotFound(
            f"there is no template for {moment}/{channel}/{language} on {on}",
            vi=f"Không có mẫu tin {moment}/{channel}/{language}.",
        )

    def template_version(self, moment: str, channel: str, language: str, version: int) -> Template:
        """Exactly this version of the words, whether in force or not."""
        for template in self._templates.get((moment, channel, language), ()):
            if template.version == version:
                return template
        raise NotFound(
            f"there is no version {version} of {moment}/{channel}/{language}",
            vi=f"Không có phiên bản {version} của mẫu tin {moment}/{channel}/{language}.",
        )

    def templates(self) -> tuple[Template, ...]:
        """All templates of any day."""
        return tuple(one for versions in self._templates.values() for one in versions)
