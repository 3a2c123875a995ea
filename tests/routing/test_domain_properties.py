"""Whatever the graph and whatever the answers, a journey ends, once for every step."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.routing.domain import facts as f
from services.routing.domain.answers import (
    Answer,
    Completed,
    MoreTimeNeeded,
    Refused,
    SupplementNeeded,
    Taken,
    apply_answer,
)
from services.routing.domain.case import FINAL_FATES, Case, Setting, fates
from services.routing.domain.deadlines import next_at, silence
from services.routing.domain.move import Change
from services.routing.domain.plan import StepPlan
from services.routing.domain.standstill import paid, supplemented
from tests.routing.worlds import NOW, opened, setting, step

_QUIET = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@st.composite
def graphs(draw: st.DrawFn, payments: bool = True) -> tuple[tuple[StepPlan, ...], tuple[str, ...]]:
    size = draw(st.integers(1, 7))
    steps = []
    for number in range(size):
        before = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        kind = draw(st.sampled_from(["task", "task", "task", "payment"])) if payments else "task"
        steps.append(
            step(
                f"s{number}",
                *(f"s{one}" for one in sorted(before)),
                kind=kind,
                branch=draw(st.sampled_from([None, None, "x", "y"])) if number else None,
                results=draw(st.sampled_from([(), ("KQ.1",)])),
                consent_by_silence=draw(st.booleans()),
                outside_clock=draw(st.booleans()),
            )
        )
    chosen = tuple(sorted(draw(st.sets(st.sampled_from(["x", "y"])))))
    return tuple(steps), chosen


class Walk:
    """Answers a case with whatever the dice say until nothing is left to be done."""

    def __init__(self, judged: Setting, seed: int) -> None:
        self.dice = random.Random(seed)
        self.judged = judged
        self.now = NOW
        self.facts: list[f.Fact] = []
        self.case = self.take(opened(judged))

    def take(self, change: Change) -> Case:
        self.facts.extend(change.facts)
        self.case = change.case
        return change.case

    def go(self, limit: int = 400) -> Case:
        for turn in range(limit):
            open_tasks = [t for t in self.case.tasks.values() if t.is_open]
            if not open_tasks:
                return self.case
            self.now += timedelta(hours=self.dice.randint(1, 30))
            self.turn(open_tasks, wild=turn < limit // 2)
        raise AssertionError(f"the journey did not end: {self.case}")

    def turn(self, open_tasks: list[Any], *, wild: bool) -> None:
        if (at := next_at(self.case)) is not None and at <= self.now:
            self.take(silence(self.case, self.judged, self.now))
            return
        if self.case.waiting_papers and (not wild or self.dice.random() < 0.5):
            args: dict[str, Any] = {"form": {}, "papers": (), "due_at": None}
            self.take(supplemented(self.case, self.judged, self.now, **args))
            return
        task = self.dice.choice(open_tasks)
        if task.kind == "payment":
            due_at = self.case.due_at
            self.take(
                paid(self.case, self.judged, self.now, step=task.step, amount_vnd=5, due_at=due_at)
            )
            return
        self.take(apply_answer(self.case, self.answer(task.id, wild), self.judged, self.now))

    def answer(self, task: str, wild: bool) -> Answer:
        until = self.now + timedelta(days=self.dice.randint(1, 40))
        finals: list[Answer] = [
            Completed(task, "granted", amount_vnd=self.dice.choice([None, 0, 5])),
            Completed(task, "refused", reason="không đủ điều kiện"),
            Refused(task, "không thuộc thẩm quyền"),
        ]
        others: list[Answer] = [
            Taken(task),
            SupplementNeeded(task, ("giấy",), "thiếu", self.dice.choice([None, until])),
            MoreTimeNeeded(task, "đông", until),
            Completed(task, "granted", result_code="KQ.sai"),
            Completed("khong-co", "granted"),
        ]
        return self.dice.choice(finals + others if wild else finals)


@_QUIET
@given(graphs(), st.integers(0, 2**32))
def test_every_journey_ends_with_one_final_state_for_every_step(graph: Any, seed: int) -> None:
    steps, chosen = graph
    judged = setting(*steps, branches=chosen, max_supplement_rounds=3)
    walk = Walk(judged, seed)
    case = walk.go()
    assert case.state in ("resolved", "stopped")
    assert all(fate in FINAL_FATES for fate in fates(case, judged.route).values())
    opened_steps = [x.step.code for x in walk.facts if isinstance(x, f.StepOpened)]
    assert len(opened_steps) == len(set(opened_steps)), "no step is handed over twice"
    ends = [x for x in walk.facts if isinstance(x, f.DossierResolved | f.DossierStopped)]
    assert len(ends) == 1
    closings = [x.task for x in walk.facts if isinstance(x, f.StepAnswered) and x.outcome]
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
            answer: Answer = (
                Completed(task.id, "granted") if good else Completed(task.id, "refused", reason="r")
            )
            change = apply_answer(case, answer, judged, NOW)
            case = change.case
            said.extend(change.facts)
        (end,) = [x for x in said if isinstance(x, f.DossierResolved)]
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
        for answer in (Completed(task.id, "granted"), Refused(task.id, "r"), Taken(task.id)):
            change = apply_answer(walk.case, answer, judged, walk.now)
            assert change.case is walk.case
            assert change.note
            assert not change.facts
            assert not change.orders


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
        assert not paused or walk.case.standing
        assert (_pause_instant(walk.case) is not None) == paused
