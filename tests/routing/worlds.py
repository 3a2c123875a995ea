"""Small worlds for routing's domain tests: a calendar, a directory and procedures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

import msgspec

from services.routing.domain.case import Case, Circumstances, DateRules
from services.routing.domain.journey import open_case
from services.routing.domain.plan import Plan, StepPlan, route
from services.routing.domain.refusals import Refusal
from shared.events.decision import Decision
from shared.events.event import Event, kind_of
from shared.events.intake import DossierReceived
from shared.events.parts import Agency, Office, Paper, ProcedureVersion
from shared.kernel.calendar import Duration, Session, WorkingCalendar
from shared.kernel.ids import SeededIds

DAY = (Session(time(7, 30), time(11, 30)), Session(time(13, 30), time(17, 30)))
CALENDAR = WorkingCalendar(
    weekly=dict.fromkeys(range(5), DAY),
    off=frozenset({date(2022, 4, 11)}),
    years=frozenset(range(2021, 2032)),
)
# Tuesday 2022-03-01 09:00 in Việt Nam.
NOW = datetime(2022, 3, 1, 2, 0, tzinfo=UTC)
OFFICE = Office(code="phuong-1", name="UBND Phường 1", territory="29866")
DOSSIER = "000.00.01.H20-220301-0001"
E = TypeVar("E", bound=Event)
DATES = DateRules(
    near=Duration(24, "hour"),
    soon=Duration(4, "working_hour"),
    apologise_after=Duration(4, "working_hour"),
    new_date=Duration(2, "working_day"),
)


class Roles:
    """A directory in which every role but `nobody` has an agency of its name."""

    def responsible(self, role: str, place: str | None = None) -> tuple[Agency, bool]:
        """The agency named after the role (and the place), the office where nobody is competent."""
        role = role if place is None else f"{role}-{place}"
        if role == "nobody":
            return Agency(code=OFFICE.code, name=OFFICE.name), False
        return Agency(code=role, name=f"Cơ quan {role}"), True

    def competent(
        self, role: str, named: str | None = None, place: str | None = None
    ) -> tuple[Agency, ...]:
        """Whoever is named `role-…` holds it too; the rules name its own, of `twin` two."""
        held = [named] if named is not None and named.startswith(f"{role}-") else []
        rules = () if role == "nobody" else (role, f"{role}-deputy") if role == "twin" else (role,)
        return tuple(map(self._agency, (*held, *rules)))

    def agency(self, code: str) -> Agency | None:
        """Every code is an agency's, but for those that begin with `no-`."""
        return None if code.startswith("no-") else self._agency(code)

    def _agency(self, code: str) -> Agency:
        return Agency(code=code, name=f"Cơ quan {code}")

    def calendar(self, agency: str) -> WorkingCalendar:
        """Everybody works the same hours."""
        return CALENDAR

    def dates(self) -> DateRules:
        """Warned a day and four working hours before; the city apologises after four more."""
        return DATES

    def patience(self, agency: str) -> Duration | None:
        """Only who is called impatient is handed a task again."""
        return Duration(4, "working_hour") if agency == "impatient" else None


def step(code: str, *after: str, **options: Any) -> StepPlan:
    """A step named after its code, for the agency of the same name, two working days long."""
    options.setdefault("role", code)
    options.setdefault("budget", Duration(2, "working_day"))
    return StepPlan(code=code, name=f"Bước {code}", after=after, **options)


def setting(*steps: StepPlan, branches: tuple[str, ...] = (), **options: Any) -> Circumstances:
    """What a case of a procedure with these steps is judged by, at NOW."""
    plan = Plan("2.000986", 1, "Thủ tục thử", steps, **options)
    return Circumstances(route(plan, branches), Roles(), NOW, SeededIds(7).new)


def at(judged: Circumstances, now: datetime) -> Circumstances:
    """The same at another instant."""
    return replace(judged, now=now)


@dataclass(frozen=True)
class Change:
    """A decision beside the case as it stands after it."""

    case: Case
    decision: Decision[Case]
    refusal: Refusal | None = None

    @property
    def rule(self) -> str | None:
        """By which rule an answer was not applied."""
        return None if self.refusal is None else self.refusal.rule

    @property
    def changed(self) -> bool:
        """Whether anything was changed."""
        return self.decision.state is not None

    @property
    def note(self) -> str | None:
        """Why nothing, or not all that was asked, was done."""
        return self.decision.note

    @property
    def facts(self) -> list[Event]:
        """What everybody is told."""
        return [each for each in self.decision.events if kind_of(type(each)).way != "tasks"]

    @property
    def orders(self) -> list[Any]:
        """What goes to one agency's queue."""
        return [each for each in self.decision.events if kind_of(type(each)).way == "tasks"]

    def only(self, kind: type[E]) -> list[E]:
        """The events of one class."""
        return [each for each in self.decision.events if isinstance(each, kind)]


def after(case: Case, decision: Decision[Case] | Refusal) -> Change:
    """A decision about this case."""
    if isinstance(decision, Refusal):
        return Change(case, Decision(), decision)
    return Change(decision.state or case, decision)


def received(form: Mapping[str, Any] | None = None, now: datetime = NOW) -> DossierReceived:
    """A dossier just received with twenty working days promised."""
    due_at = CALENDAR.add_days(now, 20)
    return DossierReceived(
        dossier=DOSSIER,
        procedure=ProcedureVersion(
            code="2.000986", name="Thủ tục thử", version=1, short_name="Thu tuc"
        ),
        field="Hộ tịch",
        office=OFFICE,
        channel="direct",
        submitted_at=now,
        received_at=now,
        promised_at=due_at,
        due_at=due_at,
        form=dict(form or {}),
        papers=(Paper(code="to-khai", name="Tờ khai", original=1, copy=0),),
        branches=(),
    )


def opened(judged: Circumstances, form: Mapping[str, Any] | None = None) -> Change:
    """A case just opened at NOW."""
    branches = dict.fromkeys(each.branch for each in judged.route.steps if each.branch)
    given = msgspec.structs.replace(received(form), branches=tuple(branches))
    decision = open_case(given, at(judged, NOW))
    assert decision.state is not None
    return Change(decision.state, decision)


def task_of(case: Case, code: str) -> str:
    """The id of the task that a step was handed over with."""
    return case.tasks[code].id


def later(**by: float) -> datetime:
    """An instant so much after NOW."""
    return NOW + timedelta(**by)


# Birth, then residence and card in parallel, then the desk gathers: the shape of 2.000986.
BIRTH = (
    step("birth", results=("KQ.1",), shares=("child", "mother"), max_extensions=1),
    step("residence", "birth", results=("KQ.2",), shares=("child", "address")),
    step("card", "birth", results=("KQ.3",), shares=("child",)),
    step("gather", "residence", "card"),
)
# Land: check, tax works out the duty, the citizen pays, sign, and the cadastre afterwards.
LAND = (
    step("check"),
    step("tax", "check", pauses_clock=True),
    step("pay", "tax", kind="payment", budget=None),
    step("sign", "pay", results=("KQ.4",)),
    step("cadastre", "sign", after_result=True),
)
