"""Taking an agency's answer, by whichever door it came.

An answer id counts once for its agency: a repeat gets the same reply, another answer under the
same id is a Conflict. Whether a body is well formed is checked by the doors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.routing.domain.answers import (
    Answer,
    Completed,
    MoreTimeNeeded,
    Refused,
    SupplementNeeded,
    Taken,
    apply_answer,
)
from services.routing.domain.case import Case, Task
from services.routing.storage.answers import Answers, GivenAnswer
from services.routing.storage.cases import Cases
from services.routing.usecases.follow import keep
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.kernel.clock import parse_instant
from shared.kernel.errors import Conflict, NotFound, ParkNow

Fields = Mapping[str, Any]
KINDS: Final = ("taken", "completed", "supplement_needed", "refused", "more_time_needed")


class ForgedAnswer(ParkNow):
    """An answer in the name of an agency that does not have this task."""

    default_vi = "Câu trả lời không đến từ cơ quan được giao nhiệm vụ."


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it came in; `fields` are those of its kind, instants as RFC 3339 text."""

    agency: str
    answer_id: str
    kind: str
    task: str
    fields: Fields = field(repr=False)

    @property
    def digest(self) -> str:
        """What makes two answers the same: their kind, task and all fields that are not null."""
        filled = {name: value for name, value in self.fields.items() if value is not None}
        filled |= {"kind": self.kind, "task": self.task}
        text = json.dumps(filled, sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


Admit = Callable[[UnitOfWork, Given], bool]


def warm(uow: UnitOfWork, keys: Iterable[tuple[str, str, str]]) -> None:
    """Load what a batch of (agency, answer id, task) needs in few queries."""
    wanted = list(keys)
    uow.get(Cases).warm_tasks(task for _, _, task in wanted)
    uow.get(Answers).warm((agency, answer_id) for agency, answer_id, _ in wanted)


def take_message(uow: UnitOfWork, rules: Rules, given: Given) -> str | None:
    """An answer that came as a message: None, or the note of an answer that changed nothing.

    ForgedAnswer (parked at once) where the task is another agency's or nobody's.
    """
    if (before := uow.get(Answers).get(given.agency, given.answer_id)) is not None:
        return before.note or "Câu trả lời này đã được ghi nhận trước đó."
    case = uow.get(Cases).of_task(given.task)
    task = None if case is None else case.task(given.task)
    if case is None or task is None or task.agency.code != given.agency:
        raise ForgedAnswer(f"task {given.task} is not a task of agency {given.agency}")
    taken = _take(uow, rules, given, case, task)
    return None if taken.applied else taken.note


def take_request(uow: UnitOfWork, rules: Rules, admit: Admit, given: Given) -> GivenAnswer:
    """An answer that came over HTTP; a repeat gets the reply of the first time.

    NotFound where the task is not this agency's, Conflict where the id was used otherwise.
    """
    case = uow.get(Cases).of_task(given.task)
    task = None if case is None else case.task(given.task)
    if case is None or task is None or task.kind != "task" or task.agency.code != given.agency:
        raise NotFound("there is no such task", vi="Không có nhiệm vụ này.")
    # Asked only now: the case is locked, so the same answer cannot slip in between.
    before = uow.get(Answers).get(given.agency, given.answer_id)
    if before is not None and before.digest == given.digest:
        return before
    if before is not None or not admit(uow, given):
        raise Conflict(
            "this answer id was used for another answer",
            vi="Mã câu trả lời này đã dùng cho một câu trả lời khác.",
            code="answer_id_used",
        )
    return _take(uow, rules, given, case, task)


def _take(uow: UnitOfWork, rules: Rules, given: Given, case: Case, task: Task) -> GivenAnswer:
    setting = rules.for_case(case, uow.now, uow.ids.new)
    change = apply_answer(case, answer_of(given), setting, uow.now)
    keep(uow, change)
    after = change.case.tasks[task.step]
    taken = GivenAnswer(
        agency=given.agency,
        answer_id=given.answer_id,
        task=given.task,
        kind=given.kind,
        digest=given.digest,
        applied=change.changed,
        state=after.state,
        note=change.note,
        at=uow.now,
    )
    uow.get(Answers).add(taken)
    return taken


def answer_of(given: Given) -> Answer:
    """The answer as the domain understands it."""
    return _MAKERS[given.kind](given.task, given.fields)


def _taken(task: str, fields: Fields) -> Answer:
    return Taken(task, fields.get("officer"))


def _completed(task: str, fields: Fields) -> Answer:
    return Completed(
        task,
        fields["outcome"],
        result_code=fields.get("result_code"),
        document=fields.get("document"),
        reason=fields.get("reason"),
        amount_vnd=fields.get("amount_vnd"),
    )


def _supplement_needed(task: str, fields: Fields) -> Answer:
    respond_by = fields.get("respond_by")
    return SupplementNeeded(
        task,
        tuple(fields["items"]),
        fields["reason"],
        parse_instant(respond_by) if respond_by else None,
    )


def _refused(task: str, fields: Fields) -> Answer:
    return Refused(task, fields["reason"])


def _more_time_needed(task: str, fields: Fields) -> Answer:
    return MoreTimeNeeded(task, fields["reason"], parse_instant(fields["until"]))


_MAKERS: Final[Mapping[str, Callable[[str, Fields], Answer]]] = {
    "taken": _taken,
    "completed": _completed,
    "supplement_needed": _supplement_needed,
    "refused": _refused,
    "more_time_needed": _more_time_needed,
}
