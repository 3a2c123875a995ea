"""An answer as an agency hands it in: under an id that counts once, for a task that is its own.

By whichever door it came: `submit` decides for both. Not here: what an answer does to the journey
(answers.py), and how what was sent is read (usecases/reading.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple, get_args

import msgspec

from services.routing.domain import refusals
from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case, Circumstances, Task
from services.routing.domain.move import Move
from services.routing.domain.refusals import Refusal
from shared.events.agencies import Answer, TaskAnswerRefused
from shared.events.decision import Decision
from shared.events.event import Event, kind_of
from shared.kernel.errors import ParkNow


class ForgedAnswer(ParkNow):
    """An answer in the name of an agency that is not its sender, or that there is not."""

    default_vi = "Câu trả lời không đến từ cơ quan được nêu tên."


class SubmissionKey(NamedTuple):
    """What tells one answer from every other, and the task that it names."""

    agency: str
    answer_id: str
    task: str


@dataclass(frozen=True, slots=True)
class SubmittedAnswer:
    """An answer with its effect; `applied` is False in old rows alone, which are not told as refused.

    `signature`: its agency's own, as `evidence.Given.kept` has it.
    """

    answer_id: str
    agency: str
    task: str
    kind: str
    digest: str
    applied: bool
    state: str
    note: str | None
    at: datetime
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedAnswer:
    """An answer that came as a message and was not applied, as its agency was told (`at` in UTC)."""

    answer_id: str
    agency: str
    task: str
    kind: str
    digest: str
    refusal: Refusal
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """What was handed in: an answer, or why it cannot be read as one.

    `kind` is as its type names it, the whole type where that names none; `digest` tells whether
    two are the same. `signature`: its agency's, found to hold.
    """

    key: SubmissionKey
    kind: str
    answer: Answer | Refusal
    digest: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What is known when an answer is handed in.

    `case` is that of the task it names, None where there is no such task. `answer` was applied
    under this id before, `refused` are those that were not, by digest.
    """

    key: SubmissionKey
    case: Case | None
    answer: SubmittedAnswer | None = None
    refused: Mapping[str, RefusedAnswer] = field(default_factory=dict)

    def has(self, sent: Sent) -> bool:
        """Whether the same was applied before; then nothing about it is judged again."""
        return self.answer is not None and self.answer.digest == sent.digest

    @property
    def task(self) -> Task | None:
        """The task, if it is this agency's."""
        task = None if self.case is None else self.case.task(self.key.task)
        if task is None or task.agency.code != self.key.agency or task.kind != "task":
            return None
        return task


def name_of(answer: type[Answer]) -> str:
    """What this kind of answer is called, such as `more_time_needed`."""
    return kind_of(answer).name.removeprefix("answer.")


KINDS: Final[Mapping[str, type[Answer]]] = {name_of(each): each for each in get_args(Answer)}


def digest(answer: Answer) -> str:
    """What makes two answers the same: their kind, task and all fields that are not null.

    Not who signed it: the same may be signed again.
    """
    fields = msgspec.to_builtins(answer).items()
    filled = {name: value for name, value in fields if value is not None and name != "signature"}
    filled["kind"] = name_of(type(answer))
    text = json.dumps(filled, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(*texts: str) -> str:
    """What makes two of something else the same."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def submit(
    submission: Submission, sent: Sent, around: Circumstances | None
) -> Decision[Submission] | Refusal:
    """Take an answer in, once: a repeat changes nothing, or is refused as it was before."""
    if (before := submission.refused.get(sent.digest)) is not None:
        return before.refusal
    if isinstance(sent.answer, Refusal):
        return sent.answer
    if (given := submission.answer) is not None or submission.refused:
        same = given is not None and given.digest == sent.digest
        return Decision() if same else refusals.ANSWER_ID_USED
    case, task = submission.case, submission.task
    if case is None or task is None or around is None:
        return refusals.UNKNOWN_TASK
    return _applied(submission, sent, task, apply_answer(case, sent.answer, around), around.now)


def _applied(
    submission: Submission,
    sent: Sent,
    task: Task,
    decision: Decision[Case] | Refusal,
    now: datetime,
) -> Decision[Submission] | Refusal:
    if isinstance(decision, Refusal):
        return decision
    after = decision.state
    stands = None if after is None else after.task(task.id)
    assert stands is not None, "what is not refused changes its case"
    submitted = SubmittedAnswer(
        answer_id=sent.key.answer_id,
        agency=sent.key.agency,
        task=sent.key.task,
        kind=sent.kind,
        digest=sent.digest,
        applied=True,
        state=stands.state,
        note=decision.note,
        at=now,
        signature=sent.signature,
    )
    return Decision(replace(submission, case=after, answer=submitted), decision.events)


def told(
    submission: Submission,
    sent: Sent,
    refusal: Refusal,
    around: Circumstances | None,
    now: datetime,
) -> tuple[Event, ...]:
    """What is stated of an answer that was not applied: to its agency, and in the timeline."""
    case, task = submission.case, submission.task
    verdict = TaskAnswerRefused(
        task=sent.key.task,
        dossier="-" if case is None or task is None else case.dossier,
        agency=sent.key.agency,
        answer_id=sent.key.answer_id,
        kind=sent.kind,
        rule=refusal.rule,
        place=refusal.place,
        pointer=refusal.pointer,
        vi=refusal.vi,
        en=refusal.en,
        state=None if task is None else task.state,
        refused_at=now,
    )
    if case is None or task is None or around is None:
        return (verdict,)
    move = Move(case, around)
    kind = sent.kind if sent.kind in KINDS else "unknown"
    move.answered(task, kind, refusal.vi, rule=refusal.rule)
    return (verdict, *move.events)
