"""Whatever the graph and whatever the answers, a journey ends, once for every step."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.routing.domain.answers import apply_answer
from services.routing.domain.case import ENDED, Case, Circumstances, Task, step_states
from services.routing.domain.deadlines import next_at, time_passed
from services.routing.domain.plan import StepPlan, route
from services.routing.domain.refusals import Refusal
from services.routing.domain.transfers import MOST, place
from services.routing.domain.waiting import moved, paid, supplemented
from shared.catalogue.step import Back, Choice, Verification
from shared.events.agencies import (
    Answer,
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerNotOurs,
    AnswerRefused,
    AnswerSentBack,
    AnswerSupplementNeeded,
    AnswerTaken,
    AnswerVerificationNeeded,
    TaskAssigned,
    TaskCancelled,
)
from shared.events.event import Event
from shared.events.intake import (
    DossierBranched,
    DossierPaid,
    DossierSupplemented,
    DossierVerifying,
)
from shared.events.routing import (
    BranchChosen,
    DossierResolved,
    DossierStopped,
    StepAnswered,
    StepOpened,
    StepSentBack,
    StepTransferred,
    VerificationOpened,
)
from shared.kernel.calendar import Duration, due
from tests.routing.worlds import CALENDAR, NOW, Change, after, at, opened, setting, step

EXTRA = Verification(Duration(3, "working_day"), 1)

_QUIET = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@st.composite
def graphs(draw: st.DrawFn, payments: bool = True) -> tuple[tuple[StepPlan, ...], tuple[str, ...]]:
    """Forks, joins and branches; with payments also waits, ways back, verifications, officers' choices."""
    size = draw(st.integers(1, 7))
    kinds = ["task", "task", "task", "task", "payment", "wait"] if payments else ["task"]
    steps: list[StepPlan] = []
    branches: list[str | None] = [None, None, "x", "y"]
    for number in range(size):
        before = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        kind = draw(st.sampled_from(kinds if number + 1 < size else ["task"]))
        deciding = kind != "wait"
        steps.append(
            step(
                f"s{number}",
                *(f"s{one}" for one in sorted(before)),
                kind=kind,
                branch=draw(st.sampled_from(branches)) if number else None,
                results=draw(st.sampled_from([(), ("KQ.1",)])) if deciding else (),
                consent_by_silence=draw(st.booleans()) and deciding,
                pauses_clock=draw(st.booleans()),
                back=draw(ways_back(steps, before)) if kind == "task" and payments else None,
                verification=draw(st.sampled_from([None, EXTRA])) if payments else None,
                chooses=draw(st.sampled_from([(), ways_on(number)]))
                if kind == "task" and payments
                else (),
            )
        )
        branches.extend(each.code for each in steps[-1].chooses)
    chosen = tuple(sorted(draw(st.sets(st.sampled_from(["x", "y"])))))
    return tuple(steps), chosen


def ways_back(steps: list[StepPlan], before: set[int]) -> st.SearchStrategy[Back | None]:
    """To some step that comes before, or none."""
    earlier, queue = set[str](), [f"s{one}" for one in before]
    while queue:
        code = queue.pop()
        earlier.add(code)
        queue.extend(steps[int(code[1:])].after)
    return st.sampled_from([None, None, *(Back(code, 2) for code in sorted(earlier))])


def ways_on(number: int) -> tuple[Choice, ...]:
    """Two ways of which the officer of a step chooses one; one of them has time of its own."""
    return (
        Choice(f"s{number}a", "a"),
        Choice(f"s{number}b", "b", Duration(4, "working_day")),
    )


def granted(task: str, **fields: Any) -> AnswerCompleted:
    return AnswerCompleted(task=task, outcome="granted", **fields)


def refused(task: str, reason: str) -> AnswerCompleted:
    return AnswerCompleted(task=task, outcome="refused", reason=reason)


class Walk:
    """Answers a case with whatever the dice say until nothing is left to be done."""

    def __init__(self, judged: Circumstances, seed: int) -> None:
        self.dice = random.Random(seed)
        self.judged = judged
        self.now = NOW
        self.facts: list[Event] = []
        self.orders: list[Event] = []
        self.stated: list[VerificationOpened | BranchChosen] = []
        self.case = self.take(opened(judged))

    def take(self, change: Change) -> Case:
        self.facts.extend(change.facts)
        self.orders.extend(change.orders)
        said = (VerificationOpened, BranchChosen)
        waits = (each for each in change.facts if isinstance(each, said))
        self.stated.extend(each for each in waits if getattr(each, "has_time", True))
        self.nobody_is_forgotten(change.case)
        self.case = change.case
        return change.case

    def nobody_is_forgotten(self, case: Case) -> None:
        """Each open task is in exactly one agency's hands, or on the list; each closed in none."""
        given = [each.task for each in self.orders if isinstance(each, TaskAssigned)]
        taken_back = [each.task for each in self.orders if isinstance(each, TaskCancelled)]
        assert len(given) == len(set(given)), "no task is handed over twice"
        of_agencies = [t for t in case.tasks.values() if t.kind == "task"]
        assert {t.id for t in of_agencies} <= set(given)
        assert not {t.id for t in of_agencies if t.is_open} & set(taken_back)
        handed_on = case.handed_on.values()
        over = [t for t in handed_on if t.kind == "task" and not _was_answered(t)]
        assert {t.id for t in over} <= set(taken_back)
        assert not [t for t in handed_on if t.is_open]
        by_step = [(t.step, t.number) for t in (*handed_on, *case.tasks.values())]
        assert len(by_step) == len(set(by_step))
        transferred = [t for t in handed_on if t.closed_by == "transferred"]
        said_no = Counter(t.step for t in transferred if t.kind == "task")
        chosen = Counter(t.step for t in transferred if t.kind == "placing")
        assert all(said_no[s] - chosen[s] <= MOST + 1 for s in said_no), "then the head decides"

    def go(self, limit: int = 400) -> Case:
        for turn in range(limit):
            open_tasks = [t for t in self.case.tasks.values() if t.is_open]
            if not open_tasks:
                return self.case
            self.now += timedelta(hours=self.dice.randint(1, 30))
            self.turn(open_tasks, wild=turn < limit // 2)
        raise AssertionError(f"the journey did not end: {self.case}")

    def turn(self, open_tasks: list[Any], *, wild: bool) -> None:
        case, around = self.case, at(laid_out(self.judged, self.case), self.now)
        if self.stated and case.state == "live":
            self.take(after(case, moved(case, self.later(self.stated.pop(0)), around)))
            return
        if (at_once := next_at(case)) is not None and at_once <= self.now:
            self.take(after(case, time_passed(case, around)))
            return
        if case.waiting_papers and (not wild or self.dice.random() < 0.5):
            self.take(after(case, supplemented(case, self.papers(), around)))
            return
        task = self.dice.choice(open_tasks)
        if task.kind == "payment":
            self.take(after(case, paid(case, self.payment(task.step), around)))
            return
        if task.kind == "placing":
            to = self.dice.choice([task.step, f"{task.step}-2", "elsewhere"])
            self.take(after(case, place(case, task.id, to, "nhờ", around)))
            return
        if case.handed_on and wild and self.dice.random() < 0.2:
            late = self.dice.choice(list(case.handed_on))  # somebody who has not heard of it
            assert isinstance(apply_answer(case, self.answer(late, wild), around), Refusal)
        self.take(after(case, apply_answer(case, self.answer(task.id, wild), around)))

    def later(self, said: VerificationOpened | BranchChosen) -> DossierVerifying | DossierBranched:
        """What intake answers."""
        dossier, promised_at = self.case.dossier, self.case.promised_at
        if isinstance(said, VerificationOpened):
            return DossierVerifying(
                dossier=dossier,
                agency=said.agency,
                step=said.step,
                reason=said.reason,
                promised_at=promised_at,
                due_before=self.case.due_at,
                due_at=due(self.case.due_at, EXTRA.time, CALENDAR),
                stated_at=self.now,
            )
        return DossierBranched(
            dossier=dossier,
            agency=said.agency,
            step=said.step,
            branch=said.branch,
            promised_at=promised_at,
            due_before=self.case.due_at,
            due_at=due(self.case.due_at, Duration(4, "working_day"), CALENDAR),
            stated_at=self.now,
        )

    def papers(self) -> DossierSupplemented:
        return DossierSupplemented(
            dossier=self.case.dossier, round=1, papers=(), form={}, supplemented_at=self.now
        )

    def payment(self, step: str) -> DossierPaid:
        return DossierPaid(
            dossier=self.case.dossier,
            step=step,
            reference="x",
            amount_vnd=5,
            paid_at=self.now,
            promised_at=self.case.promised_at,
            due_at=self.case.due_at,
        )

    def _sum(self, task: str) -> int | None:
        owner = self.case.task(task)
        way = laid_out(self.judged, self.case).route
        asked = owner is not None and way.leads_to_payment(owner.step)
        return self.dice.choice([None, 0, 5]) if asked else None

    def _branch(self, task: str, wild: bool) -> str | None:
        owner = self.case.task(task)
        step = None if owner is None else self.judged.route.plan.step(owner.step)
        choices = [] if step is None else [each.code for each in step.chooses]
        odd = [None, "x", "s9a"] if wild else []
        return self.dice.choice([*choices, *odd] or [None])

    def _another(self, task: str) -> str | None:
        owner = self.case.task(task)
        step = owner.step if owner else "s0"
        return self.dice.choice([None, step, f"{step}-2", f"{step}-3", f"{step}-4", "elsewhere"])

    def answer(self, task: str, wild: bool) -> Answer:
        until = self.now + timedelta(days=self.dice.randint(1, 40))
        finals: list[Answer] = [
            granted(task, amount_vnd=self._sum(task), branch=self._branch(task, wild)),
            refused(task, "không đủ điều kiện"),
            AnswerRefused(task=task, reason="không thuộc thẩm quyền"),
        ]
        others: list[Answer] = [
            AnswerTaken(task=task),
            AnswerSupplementNeeded(
                task=task,
                items=("giấy",),
                reason="thiếu",
                respond_by=self.dice.choice([None, until]),
            ),
            AnswerMoreTimeNeeded(task=task, reason="đông", until=until),
            AnswerNotOurs(task=task, reason="khác địa bàn", agency=self._another(task)),
            AnswerSentBack(task=task, reason="làm lại"),
            AnswerVerificationNeeded(task=task, reason="đối chiếu sổ gốc"),
            granted(task, result_code="KQ.sai"),
            granted("khong-co"),
        ]
        return self.dice.choice(finals + others if wild else finals)


def laid_out(judged: Circumstances, case: Case) -> Circumstances:
    """The circumstances with the route that the case takes by now."""
    return replace(judged, route=route(judged.route.plan, case.ways))


def _was_answered(task: Task) -> bool:
    return task.state == "answered" and task.closed_by != "transferred"


@_QUIET
@given(graphs(), st.integers(0, 2**32))
def test_every_journey_ends_with_one_final_state_for_every_step(graph: Any, seed: int) -> None:
    steps, chosen = graph
    judged = setting(*steps, branches=chosen, max_supplement_rounds=3)
    walk = Walk(judged, seed)
    case = walk.go()
    assert case.state in ("resolved", "stopped")
    assert all(each in ENDED for each in step_states(case, laid_out(judged, case).route).values())
    taken = [x for x in walk.facts if isinstance(x, BranchChosen)]
    chosen_by = {
        t.id: t.branch for t in (*case.tasks.values(), *case.handed_on.values()) if t.branch
    }
    assert {x.task: x.branch.code for x in taken} == chosen_by
    assert len(taken) == len(chosen_by), "each is chosen once"
    left = {s.code for s in steps if s.branch is not None} - set(walk.judged.route.index)
    ways = {s.code for s in steps if s.branch in case.ways}
    assert not (left - ways) & set(case.tasks), "no step of a way that was not chosen stands"
    opened_tasks = [x.task for x in walk.facts if isinstance(x, StepOpened)]
    assert len(opened_tasks) == len(set(opened_tasks)), "no task is opened twice"
    opened_steps = Counter(x.step.code for x in walk.facts if isinstance(x, StepOpened))
    passed_on = Counter(x.step.code for x in walk.facts if isinstance(x, StepTransferred))
    before = [t for t in case.handed_on.values() if t.kind != "payment"]
    again = Counter(t.step for t in before if t.undone)
    stand = Counter(t.step for t in case.tasks.values() if t.kind != "payment")
    assert opened_steps - passed_on == again + stand, (
        "a step is opened once, and once more each time that it is handed on or done again"
    )
    assert passed_on.total() == len(before) - again.total()
    backs = [x for x in walk.facts if isinstance(x, StepSentBack)]
    undone = [task for each in backs for task in each.undone]
    assert sorted(undone) == sorted(t.id for t in case.handed_on.values() if t.undone)
    assert all(each.number <= 2 for each in backs), "no loop goes on for ever"
    ends = [x for x in walk.facts if isinstance(x, DossierResolved | DossierStopped)]
    assert len(ends) == 1
    closings = [x.task for x in walk.facts if isinstance(x, StepAnswered) and x.outcome]
    assert len(closings) == len(set(closings)), "no step is closed twice"


@_QUIET
@given(graphs(payments=False), st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_the_order_of_parallel_answers_does_not_matter_for_the_results(
    graph: Any, seed: int, shuffle: random.Random
) -> None:
    steps, chosen = graph
    judged = setting(*steps, branches=chosen)
    verdicts = {s.code: random.Random(f"{seed}{s.code}").random() < 0.7 for s in steps}

    def play(order: random.Random) -> tuple[str, set[tuple[str, str]]]:
        change = opened(judged)
        case, said = change.case, list(change.facts)
        while open_tasks := [t for t in case.tasks.values() if t.is_open]:
            task = order.choice(open_tasks)
            good = verdicts[task.step]
            answer = granted(task.id) if good else refused(task.id, "r")
            change = after(case, apply_answer(case, answer, judged))
            case = change.case
            said.extend(change.facts)
        (end,) = [x for x in said if isinstance(x, DossierResolved)]
        return case.state, {(r.step, r.outcome) for r in end.results}

    assert play(random.Random(1)) == play(shuffle)


@_QUIET
@given(graphs(), st.integers(0, 2**32))
def test_a_repeated_answer_never_changes_anything(graph: Any, seed: int) -> None:
    steps, chosen = graph
    judged = setting(*steps, branches=chosen)
    walk = Walk(judged, seed)
    walk.go()
    for task in walk.case.tasks.values():
        answers: tuple[Answer, ...] = (
            granted(task.id),
            AnswerRefused(task=task.id, reason="r"),
        )
        for answer in answers:
            decision = apply_answer(walk.case, answer, at(judged, walk.now))
            assert isinstance(decision, Refusal)
            assert decision.vi
            assert decision.en


def _pause_instant(case: Case) -> datetime | None:
    return next((t.paused_at for t in case.tasks.values() if t.paused_at), None)


@_QUIET
@given(graphs(), st.integers(0, 2**32))
def test_no_task_stays_paused_when_nobody_waits_for_the_citizen(graph: Any, seed: int) -> None:
    steps, chosen = graph
    walk = Walk(setting(*steps, branches=chosen), seed)
    for _ in range(60):
        open_tasks = [t for t in walk.case.tasks.values() if t.is_open]
        if not open_tasks:
            break
        walk.now += timedelta(hours=5)
        walk.turn(open_tasks, wild=True)
        paused = any(t.state == "paused" for t in walk.case.tasks.values())
        assert not paused or walk.case.waiting_for_citizen
        assert (_pause_instant(walk.case) is not None) == paused
