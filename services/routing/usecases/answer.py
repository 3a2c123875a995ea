"""Taking an agency's answer over HTTP.

It is noted in the inbox as the message that it would have been, so that its id counts once by
either door. Answers that come as messages go through the table (on.py) alone.
"""

from __future__ import annotations

from typing import Final

from services.routing.domain.case import Circumstances
from services.routing.domain.submission import (
    Submission,
    SubmissionKey,
    SubmittedAnswer,
    digest,
    submit,
)
from services.routing.storage.submissions import Submissions
from services.routing.usecases.look import no_such_task, not_an_id
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.events import names
from shared.events.agencies import Answer
from shared.events.envelope import Data, Envelope
from shared.events.event import kind_of, write
from shared.kernel.errors import Conflict
from shared.messaging import inbox
from shared.messaging.handling import keep

#: The consumer of answers, and its queue.
ANSWERS_QUEUE: Final = "routing.answers"


def take_request(
    uow: UnitOfWork, rules: Rules, key: SubmissionKey, answer: Answer
) -> SubmittedAnswer:
    """Take an answer in; a repeat gets the reply of the first time.

    NotFound where the task is not this agency's, Conflict where the id was used otherwise.
    """
    if not_an_id(key.task):
        raise no_such_task()
    submissions = uow.get(Submissions)
    submission = submissions.get(key)
    if submission.task is None or submission.task.kind != "task":
        raise no_such_task()
    before = submission.answer
    if before is not None and before.digest == digest(answer):
        return before
    if before is not None or not _record_in_inbox(uow, key, answer):
        raise Conflict(
            "this answer id was used for another answer",
            vi="Mã câu trả lời này đã dùng cho một câu trả lời khác.",
            code="answer_id_used",
        )
    decision = submit(submission, answer, circumstances(uow, rules, submission))
    keep(uow, submissions, decision)
    taken = submissions.get(key).answer
    assert taken is not None, "what was handed in is kept"
    return taken


def circumstances(uow: UnitOfWork, rules: Rules, submission: Submission) -> Circumstances | None:
    """What an answer is judged by; None where there is no such task.

    It counts from when the city took it: the request, or its first arrival in the inbox, however
    long it waited there. What the agency's own clock said is kept in its envelope.
    """
    case = submission.case
    taken_at = uow.cause.received_at if uow.cause else None
    return None if case is None else rules.for_case(case, taken_at or uow.now, uow.ids.new)


def _record_in_inbox(uow: UnitOfWork, key: SubmissionKey, answer: Answer) -> bool:
    """Note the answer as the message that it would have been; False where its id came before."""
    envelope = Envelope(
        id=key.answer_id,
        source=names.agency_source(key.agency),
        type=kind_of(type(answer)).type,
        subject=key.task,
        time=uow.now,
        data=Data(write(answer)),
    )
    return inbox.record(uow, ANSWERS_QUEUE, envelope)
