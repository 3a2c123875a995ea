"""Small worlds for routing's domain tests: a calendar, a directory and procedures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.routing.domain.case import Case, Office, Received, Setting
from services.routing.domain.journey import open_case
from services.routing.domain.move import Change
from services.routing.domain.plan import Plan, Ref, StepPlan, route
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
OFFICE = Office("phuong-1", "UBND Phường 1", "29866")


class Roles:
    """A directory in which every role but `nobody` has an agency of its name."""

    def responsible(self, role: str) -> tuple[Ref, bool]:
        """The agency named after the role, the office where nobody is competent."""
        return (OFFICE.ref, False) if role == "nobody" else (Ref(role, f"Cơ quan {role}"), True)

    def calendar(self, agency: str) -> WorkingCalendar:
        """Everybody works the same hours."""
        return CALENDAR


def step(code: str, *after: str, **options: Any) -> StepPlan:
    """A step named after its code, for the agency of the same name, two working days long."""
    options.setdefault("role", code)
    options.setdefault("budget", Duration(2, "working_day"))
    return StepPlan(code=code, name=f"Bước {code}", after=after, **options)


def setting(*steps: StepPlan, branches: tuple[str, ...] = (), **options: Any) -> Setting:
    """What a case of a procedure with these steps is judged by."""
    plan = Plan("2.000986", 1, "Thủ tục thử", steps, **options)
    return Setting(route(plan, branches), Roles(), SeededIds(7).new)


def opened(judged: Setting, form: Mapping[str, Any] | None = None, now: datetime = NOW) -> Change:
    """A case of that setting, just received with twenty working days promised."""
    due_at = CALENDAR.add_days(now, 20)
    received = Received(
        dossier="000.00.01.H20-220301-0001",
        procedure="2.000986",
        version=1,
        procedure_name="Thủ tục thử",
        office=OFFICE,
        branches=(),
        received_at=now,
        promised_at=due_at,
        due_at=due_at,
        form=form or {},
        papers=({"code": "to-khai", "name": "Tờ khai", "original": 1, "copy": 0},),
    )
    return open_case(received, judged, now)


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
    step("tax", "check", outside_clock=True),
    step("pay", "tax", kind="payment", budget=None),
    step("sign", "pay", results=("KQ.4",)),
    step("cadastre", "sign", after_result=True),
)
