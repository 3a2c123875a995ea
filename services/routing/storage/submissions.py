"""What is known when an answer comes in: its task's case, and what came under its id before.

The case is read, and on PostgreSQL locked, before the answers: so the same answer, handed in by
another door at the same moment, cannot slip in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from services.routing.domain.submission import RefusedAnswer, Submission, SubmissionKey
from services.routing.storage.answers import Answers
from services.routing.storage.cases import Cases
from shared.database import UnitOfWork


class Submissions:
    """Submissions by key; get it with `uow.get(Submissions)`."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._cases = uow.get(Cases)
        self._answers = uow.get(Answers)

    def load(self, keys: Iterable[SubmissionKey]) -> None:
        """Load what a batch needs in few queries."""
        wanted = list(keys)
        self._cases.load_tasks(key.task for key in wanted)
        self._answers.load((key.agency, key.answer_id) for key in wanted)

    def get(self, key: SubmissionKey) -> Submission:
        """What is known of this answer and its task."""
        case = self._cases.of_task(key.task)
        return Submission(key, case, self._answers.get(key.agency, key.answer_id))

    def again(self, key: SubmissionKey) -> Submission:
        """The same for an id that has come before: also what was not applied under it."""
        refused = self._answers.refused(key.agency, key.answer_id)
        return replace(self.get(key), refused=refused)

    def refuse(self, refused: RefusedAnswer) -> None:
        """Keep an answer that was not applied."""
        self._answers.refuse(refused)

    def put(self, submission: Submission) -> None:
        """Keep a new answer, and its case where it changed that."""
        answer, case = submission.answer, submission.case
        if answer is None:
            return
        if case is not None and answer.applied:
            self._cases.put(case)
        self._answers.add(answer)
