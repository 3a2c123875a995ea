"""One story: whatever happens, in whatever order it arrives, the three services tell the same.

Whole dossiers by the public doors: desk, agencies and the clock act, the services hear of it late,
in another order and twice; the catalogue changes meanwhile. After each rest intake, routing and
notify are held side by side.
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
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from partner import DoorRefused
from services.intake.domain.dossier import Dossier
from services.intake.domain.reorganising import Plan
from services.intake.domain.statuses import Status
from services.intake.storage.queries import find_dossier
from services.intake.usecases.lists import holders
from services.intake.usecases.reorganise import move_some, read_plan
from services.routing.domain.case import Case, Task
from services.routing.storage.cases import Cases
from services.routing.usecases.reorganise import move_left
from services.routing.usecases.rules import Rules
from shared.catalogue import Catalogue, Procedure, load
from shared.kernel.errors import NotFound
from shared.messaging import parked
from shared.messaging.memory import MemoryTransport
from shared.messaging.outbox import resend
from shared.messaging.relay import Relay
from shared.settings import PROJECT
from simulation.kit import MORNING, Agency, AnswerRefused, City, Desk, Rejected, open_city
from tests.embedded.townsfolk import TODAYS_OFFICE

#: A fork; a payment and a step outside the legal time; silence as consent; a step after the result.
MATTERS = (
    ("1.012783", "mot-cua-thanh-pho"),
    ("2.000986", "ubnd-phuong-1"),
    ("1.013831", "mot-cua-thanh-pho"),
    ("1.009994", "mot-cua-thanh-pho"),
)
#: An ordinary morning, and the last day of a version of the third and the fourth.
STARTS = (MORNING, MORNING, datetime(2025, 6, 30, 2, tzinfo=UTC))
#: There are three wards from then on.
THREE_WARDS = datetime(2025, 6, 30, 17, tzinfo=UTC)
ANSWERS = (
    "grant", "grant", "grant", "grant", "", "refuse", "give up", "not ours", "papers", "time",
)  # fmt: skip
ACTS = ("", "", "receive", "supplement", "supplement", "pay", "hand over", "withdraw")
THEN = ("", "rest", "sleep", "time passes", "some hear", "some hear", "shuffled", "all again")
ENDS = {"resolved": {9, 10}, "stopped": {8}, "withdrawn": {7}}
LONG_AGO = datetime(2022, 1, 1, tzinfo=UTC)
SERVICES = ("intake", "routing", "notify")


@cache
def catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")


@cache
def plan() -> Plan:
    return read_plan(PROJECT / "docs/examples/reorganise-2025-07-01.yaml", catalogue())


@cache
def empty_city() -> Path:
    """The files of a migrated city in which nothing has happened."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-story-"))
    open_city(folder, catalogue=catalogue()).close()
    return folder


def filed_under(dossier: Dossier) -> Procedure:
    """The version that counts for a dossier to its end."""
    return catalogue().procedure_version(dossier.procedure, dossier.procedure_version)


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

    @initialize(
        at=st.sampled_from(STARTS),
        matters=st.lists(st.sampled_from(MATTERS), min_size=1, max_size=2),
        online=st.booleans(),
    )
    def begin(self, at: datetime, matters: list[tuple[str, str]], *, online: bool) -> None:
        self.city.set(at)
        for matter in matters:
            self.file(matter, online=online)
        self.city.rest()

    def file(self, matter: tuple[str, str], *, online: bool = False) -> None:
        code, office = matter
        desk = self.desk(office if self.city.now() < THREE_WARDS else TODAYS_OFFICE)
        try:
            channels = self.city.procedure(code).channels
        except NotFound:  # it may have ended meanwhile
            return
        channel = "online" if online and "online" in channels else channels[0]
        filed = desk.submit(code, number=next(self.number), channel=channel)
        self.filed[filed.code] = desk

    @rule(
        pick=st.integers(0, 9),
        granted=st.integers(0, 4),
        act=st.sampled_from(("withdraw", "withdraw", "hand over", "supplement")),
        answer=st.sampled_from(("grant", "grant", "refuse", "papers")),
        who=st.permutations(SERVICES),
        steps=st.integers(0, 3),
        desk_first=st.booleans(),
    )
    def acts_cross(
        self,
        pick: int,
        granted: int,
        act: str,
        answer: str,
        who: list[str],
        steps: int,
        *,
        desk_first: bool,
    ) -> None:
        """Somewhere on its way, most often at its end, desk and agency act at the same time."""
        if not (code := self.going(pick)):
            return
        until = self.city.now() + timedelta(days=5)
        for _ in range(granted):
            self.desk_acts(code, "receive")
            self.desk_acts(code, "pay")
            self.agency_answers(code, pick, "grant", until)
            self.city.rest()
        if desk_first:
            self.desk_acts(code, act)
            self.some_hear(who[:1], steps)
        self.agency_answers(code, pick, answer, until)
        if not desk_first:
            self.some_hear(who[:1], steps)
            self.desk_acts(code, act)
        self.rest()

    @rule(pick=st.integers(0, 9), rested=st.booleans())
    def papers_are_asked_and_brought(self, pick: int, *, rested: bool) -> None:
        """A round of papers: by the desk before reception, by an agency after it."""
        if not (code := self.going(pick)):
            return
        if self.dossier(code).status is Status.REGISTERED:
            with suppress(Rejected):
                self.filed[code].ask_papers(code, ["Sổ hộ khẩu"], "thiếu")
        else:
            self.agency_answers(code, pick, "papers", self.city.now() + timedelta(days=9))
        self.city.rest()
        self.desk_acts(code, "supplement")
        if rested:
            self.rest()

    @rule(pick=st.integers(0, 9), rested=st.booleans())
    def units_are_put_together(self, pick: int, *, rested: bool) -> None:
        """2025-07-01 has come, and the operator types it, once or again."""
        if self.city.now() < THREE_WARDS - timedelta(days=9):
            return  # three years on, what has ended meanwhile would be pruned
        if self.city.now() < THREE_WARDS:
            self.sleep(int((THREE_WARDS - self.city.now()).total_seconds()) // 60 + 90)
        if rested:
            self.city.rest()
        after: str | None = ""
        while after is not None:
            with self.city.built.intake.store.begin() as uow:
                _, after = move_some(uow, plan(), catalogue(), after)
        if pick % 2:
            self.city.rest()
        with self.city.built.routing.store.begin() as uow:
            known = plan()
            rules = Rules(catalogue())
            move_left(uow, rules, known.code, known.reason, known.successors, "")
        self.filed = {code: self.desk(self.dossier(code).office) for code in self.filed}

    def going(self, pick: int) -> str | None:
        """A dossier that has not ended."""
        going = [each for each in self.filed if not self.dossier(each).status.final]
        return going[pick % len(going)] if going else None

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
        if not (code := self.going(pick)):
            self.file(MATTERS[pick % len(MATTERS)], online=desk_first)
            return
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
        elif then == "shuffled":
            self.queues_are_shuffled(pick)
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

    def queues_are_shuffled(self, seed: int) -> None:
        """What has been sent and not yet heard arrives in another order."""
        for service in self.city.built.services.values():
            for loop in service.loops:
                if isinstance(loop, Relay):
                    loop.step(0)
        transport = self.city.built.bus._transport
        assert isinstance(transport, MemoryTransport)
        for queue in transport._memory.queues.values():
            Random(seed).shuffle(queue.messages)

    def all_is_sent_again(self, who: str) -> None:
        with self.city.built.services[who].store.begin() as uow:
            resend(uow, LONG_AGO)

    def agency_answers(self, code: str, pick: int, answer: str, until: datetime) -> None:
        tasks = self.open_tasks(code)
        self.head_places(code, pick)
        if not tasks or not answer:
            return
        task = tasks[pick % len(tasks)]
        agency = self.agency(task.agency.code)
        with suppress(AnswerRefused, DoorRefused):
            for handed in agency.tasks(code):
                if handed.id == task.id:
                    self.answer(agency, handed, answer, until)

    def head_places(self, code: str, pick: int) -> None:
        """What waits for the head of the office goes to somebody, also back to who had it."""
        head = self.city.head(self.filed[code].office)
        for each in head.to_place():
            if each["dossier"] == code and pick % 2:
                agency = pick % 4 == 1 and each["before"][0]["named"]
                head.place(each["task"], agency or each["before"][-1]["agency"], "đúng thẩm quyền")

    def answer(self, agency: Agency, task: Any, act: str, until: datetime) -> None:
        if act == "grant":
            try:
                agency.grant(task, amount_vnd=5000)
            except (AnswerRefused, DoorRefused):  # nobody asks for a sum there
                agency.grant(task)
        elif act == "refuse":
            agency.complete(task.id, "refused", reason="không đủ điều kiện")
        elif act == "give up":
            agency.refuse(task.id, "không đủ căn cứ")
        elif act == "not ours":
            named = (None, "cong-an-phuong-2", "ubnd-phuong-2")[until.hour % 3]
            agency.not_ours(task.id, "khác địa bàn", named)
        elif act == "papers":
            agency.ask_papers(task.id, ["Sổ hộ khẩu"], "bản chụp mờ", respond_by=until)
        else:
            agency.more_time(task.id, "đông việc", until)

    def desk_acts(self, code: str, act: str) -> None:
        desk = self.filed[code]
        if act == "receive" and self.dossier(code).status is Status.REGISTERED:
            desk.receive(code)  # it was whole when it was filed, so it is received
        with suppress(Rejected):
            if act == "supplement":
                self.supplement(desk, code)
            elif act == "pay":
                wanted = [
                    w.amount_vnd for w in self.dossier(code).open_waits if w.kind == "payment"
                ]
                desk.pay(code, (wanted or [None])[0] or 5000, "BL-0001")
            elif act == "hand over":
                desk.hand_over(code)
            elif act == "withdraw":
                desk.withdraw(code, "đổi ý")

    def supplement(self, desk: Desk, code: str) -> None:
        """A paper more, one counted again, a field written anew or emptied, by turns."""
        dossier, turn = self.dossier(code), next(self.number)
        texts = [field for field in filed_under(dossier).form if field.type in ("text", "name")]
        field = texts[turn % len(texts)]
        emptied = not field.required and turn % 3 == 0
        form = {field.name: "" if emptied else "Trần Văn " + ("Sửa", "Đổi", "Chữa")[turn % 3]}
        papers: list[dict[str, Any]] = [{"name": f"Giấy {turn % 3}", "original": 1, "copy": 0}]
        if dossier.papers and turn % 2:
            papers = [{"code": dossier.papers[0].code, "original": 1, "copy": turn % 3}]
        desk.act(code, "supplement", {"papers": papers, "form": form})

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
        if case is None:
            assert dossier.received_at is None, (code, dossier.status)
            return
        place = (code, dossier.status, case.state, self.city.now())
        told = Counter(
            each["moment"]
            for each in self.city.operator().messages(dossier=code)
            if (each["channel"] == "sms" and each["state"] in ("sent", "cancelled"))
            or each["reason"] == "at_desk"
        )
        ends = {end for end in ENDS if told[end]}
        self.same_file(dossier, case)
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

    def same_file(self, dossier: Dossier, case: Case) -> None:
        """What was handed in and filled in, by the version it was filed under, is intake's."""
        place = (dossier.code, dossier.status)
        assert case.version == dossier.procedure_version, place
        if dossier.moves and not dossier.status.final:
            assert case.office.code == dossier.office, place
            ended = {t.agency.code for t in case.tasks.values() if t.is_open and t.kind == "task"}
            assert not ended & plan().successors.keys(), place
        assert case.papers == dossier.papers, place
        assert dict(case.form) == filed_under(dossier).shared(dossier.form), place

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
        working = (t for t in case.tasks.values() if t.is_open and t.kind != "payment")
        with self.city.built.intake.store.read() as connection:
            named = holders(connection, [dossier.code]).get(dossier.code, "")
        assert set(filter(None, named.split(", "))) == {t.agency.name for t in working}, place

    def messages_hold(self, dossier: Dossier, told: Counter[str]) -> None:
        """Each thing that the citizen must know was sent once, overtaken, or done at the desk."""
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
            "reorganised": len(dossier.moves),
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

    def case(self, code: str) -> Case | None:
        with self.city.built.routing.store.begin() as uow:
            return uow.get(Cases).get(code)

    def open_tasks(self, code: str) -> list[Task]:
        case = self.case(code)
        tasks = [] if case is None else case.tasks.values()
        return [task for task in tasks if task.is_open and task.kind == "task"]


OneStory.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestOneStory = OneStory.TestCase
