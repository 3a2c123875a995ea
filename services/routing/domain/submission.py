"""An answer as an agency hands it in: under an id that counts once, for a task that is its own.

By whichever door it came. Not here: what an answer does to the journey (answers.py).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import msgspec

from services.routing.domain import words
from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case, Circumstances, Task
from shared.events.agencies import Answer
from shared.events.decision import Decision
from shared.events.event import kind_of
from shared.kernel.errors import ParkNow


class ForgedAnswer(ParkNow):
    """An answer in the name of an agency that does not have this task."""

    default_vi = "Câu trả lời không đến từ cơ quan được giao nhiệm vụ."


class SubmissionKey(NamedTuple):
    """What tells one answer from every other, and the task that it names."""

    agency: str
    answer_id: str
    task: str


@dataclass(frozen=True, slots=True)
class SubmittedAnswer:
    """An answer with its effect: `applied` False means that it changed nothing, as `note` says."""

    answer_id: str
    agency: str
    task: str
    kind: str
    digest: str
    applied: bool
    state: str
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Submission:
    """What is known when an answer is handed in.

    `case` is that of the task it names, None where there is no such task; `answer` is what was
    handed in under this id, None the first time.
    """

    key: SubmissionKey
    case: Case | None
    answer: SubmittedAnswer | None = None

    @property
    def task(self) -> Task | None:
        """The task, if it is this agency's."""
        task = None if self.case is None else self.case.task(self.key.task)
        return task if task is not None and task.agency.code == self.key.agency else None


def name_of(answer: type[Answer]) -> str:
    """What this kind of answer is called, such as `more_time_needed`."""
    return kind_of(answer).name.removeprefix("answer.")


def digest(answer: Answer) -> str:
    """What makes two answers the same: their kind, task and all fields that are not null."""
    fields = msgspec.to_builtins(answer).items()
    filled = {name: value for name, value in fields if value is not None}
    filled["kind"] = name_of(type(answer))
    text = json.dumps(filled, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def submit(
    submission: Submission, answer: Answer, around: Circumstances | None
) -> Decision[Submission]:
    """Take an answer in, once; ForgedAnswer where the task is another agency's or nobody's."""
    key, case, task = submission.key, submission.case, submission.task
    if submission.answer is not None:
        return Decision(note=submission.answer.note or words.ALREADY_COUNTED)
    if case is None or task is None or around is None:
        raise ForgedAnswer(f"task {key.task} is not a task of agency {key.agency}")
    decision = apply_answer(case, answer, around)
    applied = decision.state is not None
    after = decision.state or case
    submitted = SubmittedAnswer(
        answer_id=key.answer_id,
        agency=key.agency,
        task=key.task,
        kind=name_of(type(answer)),
        digest=digest(answer),
        applied=applied,
        state=after.tasks[task.step].state,
        note=decision.note,
        at=around.now,
    )
    return Decision(
        replace(submission, case=after, answer=submitted),
        decision.events,
        None if applied else decision.note,
    )
