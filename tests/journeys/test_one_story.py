"""One story: whatever happens, in whatever order it arrives, the three services tell the same.

Whole dossiers by the public doors: desk, agencies and the clock act, the services hear of it late,
in another order and twice. After each rest intake, routing and notify are held side by side.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from partner import DoorRefused
from services.intake.domain.dossier import Dossier
from services.intake.domain.statuses import Status
from services.intake.storage.queries import find_dossier
from services.routing.domain.case import Case, Task
from services.routing.storage.cases import Cases
from shared.catalogue import Catalogue, load
from shared.messaging import parked
from shared.messaging.outbox import resend
from shared.settings import PROJECT
from simulation.kit import MORNING, Agency, AnswerRefused, City, Desk, Rejected, open_city

#: A fork; a payment and a step outside the legal time; silence as consent; a step after the result.
MATTERS = (
    ("1.012783", "mot-cua-thanh-pho"),
    ("2.000986", "ubnd-phuong-1"),
    ("1.013831", "mot-cua-thanh-pho"),
    ("1.009994", "mot-cua-thanh-pho"),
)
ANSWERS = ("grant", "grant", "grant", "grant", "", "refuse", "not ours", "papers", "time")
ACTS = ("", "", "supplement", "pay", "hand over", "withdraw", "withdraw")
THEN = ("", "", "rest", "sleep", "time passes", "some hear", "some hear", "all again")
ENDS = {"resolved": {9, 10}, "stopped": {8}, "withdrawn": {7}}
LONG_AGO = datetime(2022, 1, 1, tzinfo=UTC)
SERVICES = ("intake", "routing", "notify")


@cache
def catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")


@cache
def empty_city() -> Path:
    """The files of a migrated city in which nothing has happened."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-story-"))
    open_city(folder, catalogue=catalogue()).close()
    return folder


class OneStory(RuleBasedStateMachine):
    """A city whose parts hear of each other when the rules say so."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lienthong-story-"))
        shutil.copytree(empty_city(), self.folder, dirs_exist_ok=True)
        self.city: City = open_city(self.folder, at=MORNING, catalogue=catalogue())
        self.filed: dict[str, Desk] = {}
        self.desks: dict[str, Desk] = {}
        self.agencies: dict[str, Agency] = {}
        self.number = itertools.count(1)

    def teardown(self) -> None:
        try:
            self.rest()
        finally:
            self.city.close()
            shutil.rmtree(self.folder)

    # --- what happens ---------------------------------------------------------------------------

    @initialize(matters=st.lists(st.sampled_from(MATTERS), min_size=1, max_size=2))
    def begin(self, matters: list[tuple[str, str]]) -> None:
        for matter in matters:
            self.file(matter)
        self.city.rest()

    def file(self, matter: tuple[str, str]) -> None:
        procedure, office = matter
        desk = self.desk(office)
        self.filed[desk.submit(procedure, number=next(self.number)).code] = desk

    @rule(
        pick=st.integers(0, 9),
        answer=st.sampled_from(ANSWERS),
        act=st.sampled_from(ACTS),
        desk_first=st.booleans(),
        hours=st.integers(1, 200),
        between=st.sampled_from((0, 0, 30, 60 * 24)),
        then=st.sampled_from(THEN),
        who=st.permutations(SERVICES),
    )
    def people_act(
        self,
        pick: int,
        answer: str,
        act: str,
        hours: int,
        between: int,
        then: str,
        who: list[str],
        *,
        desk_first: bool,
    ) -> None:
        """An agency and the desk act before anybody has heard of the other; then time goes on."""
        going = [each for each in self.filed if not self.dossier(each).status.final]
        if not going:
            self.file(MATTERS[pick % len(MATTERS)])
            return
        code = going[pick % len(going)]
        until = self.city.now() + timedelta(hours=hours)
        if desk_first:
            self.desk_acts(code, act)
            self.sleep(between)
        self.agency_answers(code, pick, answer, until)
        if not desk_first:
            self.sleep(between)
            self.desk_acts(code, act)
        if then == "rest":
            self.rest()
        elif then == "sleep":
            self.sleep(hours * 60)
        elif then == "time passes":
            self.city.advance(timedelta(hours=hours))
        elif then == "some hear":
            self.some_hear(who[: 1 + pick % 2], 1 + hours % 3)
        elif then == "all again":
            self.all_is_sent_again(who[0])

    def sleep(self, minutes: int) -> None:
        """Time passes and no service sees it: what fell due meanwhile is found later."""
        self.city.set(self.city.now() + timedelta(minutes=minutes))

    def some_hear(self, who: list[str], steps: int) -> None:
        """These services move a little, in this order; what was said to the others is delayed."""
        for _ in range(steps):
            for name in who:
                for loop in self.city.built.services[name].loops:
                    loop.step(0)

    def all_is_sent_again(self, who: str) -> None:
        with self.city.built.services[who].store.begin() as uow:
            resend(uow, LONG_AGO)

    def agency_answers(self, code: str, pick: int, answer: str, until: datetime) -> None:
        tasks = self.open_tasks(code)
        if not tasks or not answer:
            return
        task = tasks[pick % len(tasks)]
        agency = self.agency(task.agency.code)
        with suppress(AnswerRefused, DoorRefused):
            for handed in agency.tasks(code):
                if handed.id == task.id:
                    self.answer(agency, handed, answer, until)

    def answer(self, agency: Agency, task: Any, act: str, until: datetime) -> None:
        if act == "grant":
            try:
                agency.grant(task, amount_vnd=5000)
            except (AnswerRefused, DoorRefused):  # nobody asks for a sum there
                agency.grant(task)
        elif act == "refuse":
            agency.complete(task.id, "refused", reason="không đủ điều kiện")
        elif act == "not ours":
            agency.refuse(task.id, "không thuộc thẩm quyền")
        elif act == "papers":
            agency.ask_papers(task.id, ["Sổ hộ khẩu"], "bản chụp mờ", respond_by=until)
        else:
            agency.more_time(task.id, "đông việc", until)

    def desk_acts(self, code: str, act: str) -> None:
        desk = self.filed[code]
        with suppress(Rejected):
            if act == "supplement":
                desk.supplement(code, "Bản chụp rõ")
            elif act == "pay":
                wanted = [
                    w.amount_vnd for w in self.dossier(code).open_waits if w.kind == "payment"
                ]
                desk.pay(code, (wanted or [None])[0] or 5000, "BL-0001")
            elif act == "hand over":
                desk.hand_over(code)
            elif act == "withdraw":
                desk.withdraw(code, "đổi ý")

    def rest(self) -> None:
        self.city.rest()
        for service in self.city.built.services.values():
            with service.store.read() as connection:
                assert parked.list_held(connection) == []
        for code in self.filed:
            self.holds(code)

    # --- what must hold -------------------------------------------------------------------------

    def holds(self, code: str) -> None:
        dossier, case = self.dossier(code), self.case(code)
        place = (code, dossier.status, case.state, self.city.now())
        told = Counter(sent.moment for sent in self.city.sent(code) if sent.channel == "sms")
        ends = {end for end in ENDS if told[end]}
        if case.state == "live":
            self.holds_alive(dossier, case)
            assert not ends, place
        else:
            assert dossier.status in ENDS[case.state], place
            assert dossier.open_waits == (), place
            assert dossier.paused_since is None, place
            assert ends == {case.state}, place
        if case.state in ("stopped", "withdrawn"):
            assert not self.open_tasks(code), place
        self.messages_hold(dossier, told)
        for task in case.tasks.values():
            if task.closed_by == "lapsed":
                given_up = [w for w in dossier.waits if w.step == task.step and w.dropped]
                assert given_up, (place, "routing's lapse is intake's")

    def holds_alive(self, dossier: Dossier, case: Case) -> None:
        place = (dossier.code, dossier.status, self.city.now())
        assert dossier.status in {2, 4, 5, 6}, place
        assert case.due_at == dossier.due_at, place
        assert case.dates_awaited == 0, place
        assert case.waiting_papers == (dossier.status is Status.SUPPLEMENT), place
        stands = case.waiting_for_citizen or case.clock_stopped_at is not None
        assert stands == (dossier.paused_since is not None), place
        paying = {task.step for task in case.tasks.values() if task.kind == "payment"}
        paying &= {step for step, task in case.tasks.items() if task.is_open}
        assert paying == {w.step for w in dossier.open_waits if w.kind == "payment"}, place

    def messages_hold(self, dossier: Dossier, told: Counter[str]) -> None:
        """Each thing that the citizen must know was sent once."""
        rounds = [w for w in dossier.waits if w.kind == "supplement"]
        payments = [w for w in dossier.waits if w.kind == "payment"]
        expected = {
            "received": 1,
            "supplement_requested": len(rounds),
            "supplemented": sum(w.answered for w in rounds),
            "payment_requested": len(payments),
            "paid": sum(w.answered for w in payments),
            "extended": len(dossier.extensions),
            "returned": int(dossier.status is Status.RETURNED),
        }
        if dossier.status is Status.WITHDRAWN:
            # What routing asked while the withdrawal was on its way may have been told before it.
            for moment in ("supplement_requested", "payment_requested", "extended"):
                assert told[moment] >= expected.pop(moment), dossier.code
        assert {moment: told[moment] for moment in expected} == expected, dossier.code
        assert all(told[end] <= 1 for end in ENDS), dossier.code
        assert told["supplement_dropped"] <= sum(w.dropped is not None for w in rounds)

    # --- looking --------------------------------------------------------------------------------

    def desk(self, office: str) -> Desk:
        if office not in self.desks:
            self.desks[office] = self.city.desk(office)
        return self.desks[office]

    def agency(self, code: str) -> Agency:
        if code not in self.agencies:
            self.agencies[code] = self.city.agency(code)
        return self.agencies[code]

    def dossier(self, code: str) -> Dossier:
        with self.city.built.intake.store.read() as connection:
            dossier = find_dossier(connection, code)
        assert dossier is not None
        return dossier

    def case(self, code: str) -> Case:
        with self.city.built.routing.store.begin() as uow:
            case = uow.get(Cases).get(code)
        assert case is not None
        return case

    def open_tasks(self, code: str) -> list[Task]:
        with self.city.built.routing.store.begin() as uow:
            case = uow.get(Cases).get(code)
        tasks = [] if case is None else case.tasks.values()
        return [task for task in tasks if task.is_open and task.kind == "task"]


OneStory.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestOneStory = OneStory.TestCase
