"""A year of chance at one dossier: no missed date passes in silence, and each is told once.

The two services' own functions hear each other at once; what they do is held against a model that
counts working minutes one by one and knows no more than the calendar, the date and who was told.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake import on as intake_on
from services.intake.domain import apologies, citizen, extensions
from services.intake.domain.dossier import Dossier
from services.intake.domain.reception import submit
from services.intake.domain.submission import check_submission
from services.routing import on as routing_on
from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case
from services.routing.domain.deadlines import next_at, time_passed
from services.routing.domain.journey import open_case
from services.routing.domain.refusals import Refusal
from shared.catalogue.step import Back, Verification
from shared.events import parts
from shared.events.agencies import (
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerSentBack,
    AnswerSupplementNeeded,
    AnswerVerificationNeeded,
)
from shared.events.event import Event
from shared.events.intake import DossierApologised, DossierReceived, DossierVerifying
from shared.events.routing import DossierExtended
from shared.kernel.calendar import Duration
from shared.kernel.clock import to_vn
from shared.kernel.errors import Refused
from tests.intake.made import (
    CALENDAR,
    CODE,
    NOW,
    OFFICE,
    PAPERS,
    PROCEDURE,
    TODAY,
    around,
    command,
)
from tests.intake.test_verifying import CHECK
from tests.routing.worlds import setting, step

GRACE = 4 * 60  # working minutes, as the rule of these worlds says
A_YEAR = timedelta(days=365)
EXTRA = Verification(Duration(3, "working_day"), 2)
JUDGED = setting(
    step("first", max_extensions=9, verification=EXTRA),
    step("posted", "first", kind="wait", budget=Duration(1, "working_day")),
    step("second", "posted", max_extensions=9, back=Back("first", 2)),
)
LAW = replace(PROCEDURE, steps=(replace(CHECK, code="first", verification=EXTRA),))
ROUTING = {row.cls: row.decide for row in routing_on.TABLE}
INTAKE = {row.cls: row.decide for row in intake_on.TABLE}


class Story:
    """One dossier at both services; `told` is what the citizen heard, `missed` what the model saw."""

    def __init__(self) -> None:
        self.now = NOW
        self.told: list[Event] = []
        self.verified = 0
        checked = check_submission(command(), LAW, OFFICE, TODAY)
        made = submit(checked, CODE, "ABC234", around(NOW, LAW))
        assert made.state is not None
        self.dossier: Dossier = made.state
        (received,) = (each for each in made.events if isinstance(each, DossierReceived))
        opened = open_case(received, replace(JUDGED, now=NOW))
        assert opened.state is not None
        self.case: Case = opened.state
        self.promised = self.dossier.promised_at
        self.hear(opened.events)

    def hear(self, events: tuple[Event, ...]) -> None:
        """Let the other service hear what one states, until nothing more follows."""
        queue = list(events)
        while queue:
            event = queue.pop(0)
            if isinstance(event, DossierApologised | DossierExtended):
                self.told.append(event)
            self.verified += isinstance(event, DossierVerifying)
            if type(event) in INTAKE:
                decision = INTAKE[type(event)](self.dossier, event, around(self.now, LAW))
                self.dossier = decision.state or self.dossier
                queue += decision.events
            if type(event) in ROUTING:
                at = getattr(event, routing_on.HAPPENED[type(event)])
                judged = replace(JUDGED, now=max(at, self.case.latest))
                answer = ROUTING[type(event)](self.case, event, judged)
                self.case = answer.state or self.case
                queue += answer.events

    def pass_time(self, until: datetime) -> None:
        """Let everything fall due at its own instant up to `until`."""
        while (at := next_at(self.case)) is not None and at <= until:
            self.now = max(self.now, at)
            decision = time_passed(self.case, replace(JUDGED, now=self.now))
            assert decision.state is not None, "what says that it is due does something"
            self.case = decision.state
            self.hear(decision.events)
            self.check()
        self.now = until
        self.check()

    def act(self, what: str, days: int) -> None:
        """Somebody does something; what may not be done now changes nothing."""
        until = CALENDAR.add_days(self.now, days)
        tasks = [task for task in self.case.tasks.values() if task.is_open]
        try:
            if what in ("done", "time", "papers", "verify", "back"):
                self._answer(what, tasks[0].id, until) if tasks else None
            elif what == "brought":
                self._intake(citizen.supplement(self.dossier, self._around, papers=PAPERS))
            elif what == "grant":
                self._intake(extensions.grant(self.dossier, self._around))
            elif what == "refuse":
                self._intake(extensions.refuse(self.dossier, self._around, reason="không"))
            elif what == "head":
                self._intake(
                    apologies.apologise(self.dossier, self._around, reason="chậm", due_at=until)
                )
        except Refused:
            return
        self.pass_time(self.now)  # what is due by that falls due at once

    @property
    def _around(self) -> Any:
        return around(self.now, LAW)

    def _intake(self, decision: Any) -> None:
        self.dossier = decision.state or self.dossier
        self.hear(decision.events)

    def _answer(self, what: str, task: str, until: datetime) -> None:
        answer = {
            "done": AnswerCompleted(task=task, outcome="granted"),
            "time": AnswerMoreTimeNeeded(task=task, reason="xác minh", until=until),
            "papers": AnswerSupplementNeeded(task=task, items=("giấy",), reason="thiếu"),
            "verify": AnswerVerificationNeeded(task=task, reason="sổ gốc"),
            "back": AnswerSentBack(task=task, reason="làm lại"),
        }[what]
        judged = replace(JUDGED, now=max(self.now, self.case.latest))
        decision = apply_answer(self.case, answer, judged)
        if not isinstance(decision, Refusal):
            self.case = decision.state or self.case
            self.hear(decision.events)

    def check(self) -> None:
        """What must hold at every moment, by a count of working minutes one after the other."""
        assert self.dossier.promised_at == self.promised, "the first promise stays"
        if self.dossier.finished_at is not None:
            return
        assert self.case.due_at == self.dossier.due_at, "both hold the same date"
        if not (self.dossier.pauses or self.dossier.extensions) and self.promised is not None:
            lawful = slow_days(self.promised, 3 * self.verified)
            assert self.dossier.due_at == self.dossier.adjusted_due_at == lawful
        if self.dossier.paused_since is None and self.dossier.due_at is not None:
            late = slow_minutes(self.dossier.due_at, self.now)
            assert late <= GRACE, f"nobody was told for {late} working minutes"

    def check_told(self) -> None:
        """Each missed date was told once, by whomever; a later day's result never in silence."""
        of = Counter(
            each.missed_at for each in self.dossier.extensions if each.missed_at is not None
        )
        assert all(count == 1 for count in of.values()), "told once"
        assert len(self.told) == len(self.dossier.extensions), "nothing is told that is not kept"
        end, due_at = self.dossier.finished_at, self.dossier.due_at
        if end is not None and due_at is not None and to_vn(end).date() > to_vn(due_at).date():
            paused = self.dossier.pauses and self.dossier.pauses[-1].until == end
            assert paused or due_at in of, "a late result brings its apology along"


def slow_minutes(start: datetime, end: datetime) -> int:
    """Working minutes between two instants, one by one; obviously right and slow."""
    at, count = to_vn(start), 0
    while at + timedelta(minutes=1) <= to_vn(end) and count <= GRACE:
        if not _opens(at.date()):
            at = at.replace(hour=0, minute=0) + timedelta(days=1)
            continue
        clock = at.time()
        count += any(s.start <= clock < s.end for s in CALENDAR.sessions_on(at.date()))
        at += timedelta(minutes=1)
    return count


def slow_days(start: datetime, days: int) -> datetime:
    """The same clock time so many days on that anybody works, one day after the other."""
    while days:
        start += timedelta(days=1)
        days -= _opens(to_vn(start).date())
    return start


def _opens(day: date) -> bool:
    return bool(CALENDAR.sessions_on(day))


ACTS = st.tuples(
    st.integers(1, 24 * 20),
    st.sampled_from(
        ["", "", "time", "papers", "brought", "grant", "refuse", "head", "done", "verify", "back"]
    ),
    st.integers(1, 15),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(acts=st.lists(ACTS, min_size=1, max_size=25))
def test_no_missed_date_passes_in_silence_and_each_is_told_once(
    acts: list[tuple[int, str, int]],
) -> None:
    story = Story()
    for hours, what, days in acts:
        later = story.now + timedelta(hours=hours, minutes=7)
        if later > NOW + A_YEAR:
            break
        story.pass_time(later)
        story.act(what, days)
    story.pass_time(story.now + timedelta(days=30))
    story.check_told()


def test_an_agency_that_never_says_a_word_is_apologised_for_again_and_again() -> None:
    story = Story()
    story.pass_time(NOW + timedelta(days=60))
    by = [each.by for each in story.dossier.extensions]
    assert by
    assert set(by) == {"clock"}
    story.check_told()
    assert isinstance(story.told[0], DossierApologised)
    assert story.told[0].agency == parts.Agency(code="first", name="Cơ quan first")
