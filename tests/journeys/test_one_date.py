"""One promised date: what intake states and what routing works with, on every procedure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.embedded.city import City, open_city
from services.intake.domain.forms import PaperCount
from services.intake.storage.queries import find_dossier
from services.intake.usecases import desk
from services.routing.domain.case import Case, Task
from services.routing.domain.submission import SubmissionKey
from services.routing.storage.cases import Cases
from services.routing.usecases.answer import NotApplied, take_request
from services.routing.usecases.rules import Rules
from shared.catalogue import Catalogue, load
from shared.events.agencies import (
    Answer,
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerSentBack,
    AnswerSupplementNeeded,
    AnswerVerificationNeeded,
)
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.errors import Refused
from shared.kernel.ids import SeededIds
from simulation.kit import Desk, filing
from tests.catalogue.invented import with_invented
from tests.embedded.townsfolk import desk_of

# Mondays, 08:30 in Cao Lãnh: between them every procedure is in force once.
ERAS = (
    datetime(2022, 3, 14, 1, 30, tzinfo=UTC),
    datetime(2026, 3, 16, 1, 30, tzinfo=UTC),
    datetime(2026, 9, 14, 1, 30, tzinfo=UTC),
)
ROUNDS = 9


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The city's, and one invented procedure for each thing that a step can say."""
    return load(with_invented(tmp_path_factory.mktemp("rules") / "catalogue"))


class Play:
    """A city whose agencies and citizens do whatever a die says, on a clock that jumps."""

    def __init__(self, folder: Path, catalogue: Catalogue, seed: int, start: datetime) -> None:
        self.dice = random.Random(seed)
        self.clock = FixedClock(start)
        self.city: City = open_city(
            folder, clock=self.clock, ids=SeededIds(seed), catalogue=catalogue
        )
        self.city.migrate()
        self.rules = Rules(catalogue)
        self.desks: dict[str, Desk] = {}
        self.codes: dict[str, Desk] = {}
        self.answers = 0

    def file(self, procedure: str, office: str, number: int) -> None:
        desk_ = self.desks.setdefault(office, desk_of(self.city, office))
        today = to_vn(self.clock.now()).date()
        known = self.rules.catalogue.procedure(procedure, today)
        channel = "direct" if "direct" in known.channels else known.channels[0]
        code = desk_.file(
            filing(known, number, today=to_vn(self.clock.now()).date(), channel=channel)
        ).code
        if channel != "direct":
            with self.city.intake.store.begin() as uow:
                desk.receive(uow, self.rules.catalogue, office, code)
        self.codes[code] = desk_

    def case(self, code: str) -> Case:
        with self.city.routing.store.begin() as uow:
            case = uow.get(Cases).get(code)
        assert case is not None
        return case

    def act(self, code: str) -> None:
        """One thing happens to this dossier: an agency answers or the citizen acts."""
        case = self.case(code)
        open_tasks = [task for task in case.tasks.values() if task.is_open]
        if not open_tasks:
            return
        if case.waiting_papers and self.dice.random() < 0.5:
            self.supplement(code)
            return
        task = self.dice.choice(open_tasks)
        if task.kind == "payment":
            self.pay(code, task)
        else:
            self.answer(case, task)

    def sum_of(self, case: Case, task: Task) -> int | None:
        """A sum to pay, where the step says so."""
        kind = (case.branches, case.channel or "", case.form)
        route = self.rules.route(case.procedure.code, case.version, *kind)
        return 5000 if route.leads_to_payment(task.step) else None

    def answer(self, case: Case, task: Task) -> None:
        now = self.clock.now()
        later = now + timedelta(hours=self.dice.randint(1, 400))
        given_: Answer = self.dice.choices(
            (
                AnswerCompleted(
                    task=task.id, outcome="granted", amount_vnd=self.sum_of(case, task)
                ),
                AnswerCompleted(task=task.id, outcome="refused", reason="không đủ điều kiện"),
                AnswerSupplementNeeded(task=task.id, items=("Sổ",), reason="thiếu"),
                AnswerSupplementNeeded(task=task.id, items=("Sổ",), reason="mờ", respond_by=later),
                AnswerMoreTimeNeeded(task=task.id, reason="đông", until=later),
                AnswerSentBack(task=task.id, reason="làm lại"),
                AnswerVerificationNeeded(task=task.id, reason="đối chiếu sổ gốc"),
            ),
            weights=(6, 1, 2, 2, 3, 2, 2),
        )[0]
        self.answers += 1
        key = SubmissionKey(task.agency.code, f"a-{self.answers}", task.id)
        with suppress(NotApplied), self.city.routing.store.begin() as uow:
            take_request(uow, self.rules, key, given_)

    def supplement(self, code: str) -> None:
        with self.city.intake.store.begin() as uow:
            try:
                desk.supplement(
                    uow, self.rules.catalogue, self.codes[code].office, code, papers=_PAPER
                )
            except Refused:
                return  # intake has already heard that nobody waits any more

    def pay(self, code: str, task: Task) -> None:
        with self.city.intake.store.begin() as uow:
            dossier = find_dossier(uow.connection, code)
            assert dossier is not None
            wait = next(w for w in dossier.open_waits if w.step == task.step)
            amount = wait.amount_vnd or 5000
            office = self.codes[code].office
            catalogue = self.rules.catalogue
            desk.pay(uow, catalogue, office, code, amount_vnd=amount, proof="BL", step=task.step)

    def pass_time(self) -> None:
        """Some hours go by; whatever falls due on the way happens at its own time."""
        end = self.clock.now() + timedelta(minutes=self.dice.randint(1, 4000))
        while (at := self.city.next_due()) is not None and at <= end:
            self.clock.set(max(at, self.clock.now()))
            if not self.city.pump():
                break
        self.clock.set(end)

    def dates(self) -> Iterator[tuple[str, Case, Any]]:
        for code in self.codes:
            with self.city.intake.store.read() as connection:
                dossier = find_dossier(connection, code)
            yield code, self.case(code), dossier


_PAPER = (PaperCount(None, 1, 0, "Giấy bổ sung"),)


def _compare(play: Play, procedures: Mapping[str, str]) -> None:
    for code, case, dossier in play.dates():
        place = (procedures.get(code, ""), code, play.clock.now())
        if case.state != "live":
            assert dossier.open_waits == (), place
            assert dossier.paused_since is None, place
            continue
        assert case.due_at == dossier.due_at, place
        assert case.dates_awaited == 0, place
        stands = case.waiting_for_citizen or case.clock_stopped_at is not None
        assert stands == (dossier.paused_since is not None), place
        assert case.waiting_papers == (dossier.status == 5), place


def filed(rules: Catalogue, start: datetime) -> list[tuple[str, str]]:
    """(procedure, office) of all that some desk takes in; where the clock can stand, three times."""
    today = to_vn(start).date()
    found = []
    for procedure in rules.procedures(today):
        offices = [office.code for office in rules.offices(today)]
        taking = [o for o in offices if rules.office_handles(o, procedure, today)]
        times = 3 if any(step.pauses_clock for step in procedure.steps) else 1
        found += [(procedure.code, office) for office in taking[:1]] * times
    return found


def test_every_procedure_is_played_in_one_of_the_eras(rules: Catalogue) -> None:
    played = {code for start in ERAS for code, _ in filed(rules, start)}
    assert set(rules.procedure_codes()) == played


@pytest.mark.parametrize("start", ERAS, ids=["2022", "2026", "2026-09"])
@settings(
    max_examples=2,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_routing_and_intake_agree_to_the_minute_whatever_happens_on_every_procedure(
    rules: Catalogue, tmp_path_factory: pytest.TempPathFactory, start: datetime, seed: int
) -> None:
    play = Play(tmp_path_factory.mktemp("city"), rules, seed, start)
    try:
        matters = filed(rules, start)
        for number, (procedure, office) in enumerate(matters, start=1):
            play.file(procedure, office, number)
        names = dict(zip(play.codes, (code for code, _ in matters), strict=True))
        play.city.pump()
        for _ in range(ROUNDS):
            for code in play.codes:
                if play.dice.random() < 0.7:
                    play.act(code)
            if play.dice.random() < 0.7:  # else the next things cross on the way
                play.city.pump()
            play.pass_time()
            play.city.pump()
            _compare(play, names)
    finally:
        play.city.close()
