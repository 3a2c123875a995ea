"""Taking an agency's answer, over HTTP or as a message: one function decides for both.

What came over HTTP is noted in the inbox as the message that it would have been, so that its id
counts once by either door. A refusal goes back by the way the answer came: as the reply, or on the
agency's own queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.routing.domain.case import Circumstances
from services.routing.domain.refusals import UNKNOWN_TASK, Refusal
from services.routing.domain.submission import (
    ForgedAnswer,
    RefusedAnswer,
    Sent,
    Submission,
    SubmissionKey,
    SubmittedAnswer,
    digest,
    name_of,
    submit,
    told,
)
from services.routing.storage.submissions import Submissions
from services.routing.usecases.evidence import checked
from services.routing.usecases.look import not_an_id
from services.routing.usecases.reading import fault_of, read_message
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.events import names
from shared.events.agencies import Answer
from shared.events.envelope import Data, Envelope
from shared.events.event import kind_of, write
from shared.kernel.errors import Refused
from shared.kernel.ids import ids_from
from shared.messaging import inbox
from shared.messaging.handling import keep

#: The consumer of answers, and its queue.
ANSWERS_QUEUE: Final = "routing.answers"


class NotApplied(Refused):
    """An answer that came over HTTP and changed nothing; its code is the rule."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.en, vi=refusal.vi, code=refusal.rule)
        self.status = refusal.status
        self.faults = (fault_of(refusal),)


def take_request(
    uow: UnitOfWork,
    rules: Rules,
    key: SubmissionKey,
    answer: Answer,
    fields: Mapping[str, Any] | None = None,
) -> SubmittedAnswer:
    """Take an answer in; a repeat gets the reply of the first time. NotApplied where it may not be.

    `fields`: as they were sent, where that can be signed.
    """
    if not_an_id(key.task):
        raise NotApplied(UNKNOWN_TASK)
    submissions = uow.get(Submissions)
    submission = submissions.get(key)
    if submission.task is None:
        raise NotApplied(UNKNOWN_TASK)
    sent = Sent(key, name_of(type(answer)), answer, digest(answer))
    if not submission.has(sent):
        sent = checked(uow, sent, fields or {}, uow.now)
    if submission.answer is not None or not _record_in_inbox(uow, key, answer):
        submission = submissions.again(key)
    verdict = submit(submission, sent, circumstances(uow, rules, submission, key))
    if isinstance(verdict, Refusal):
        raise NotApplied(verdict)
    keep(uow, submissions, verdict)
    taken = submissions.get(key).answer
    assert taken is not None, "what was handed in is kept"
    return taken


def take_message(
    uow: UnitOfWork, rules: Rules, envelope: Envelope, *, again: bool = False
) -> Refusal | None:
    """Take an answer in that came as a message; its agency is told of a Refusal, once.

    `again`: a message of this id was settled before. ForgedAnswer where there is no such agency.
    """
    sent = read_message(envelope, uow.cause.routing_key if uow.cause else None)
    if not rules.has_agency(sent.key.agency):
        raise ForgedAnswer("an answer comes from an agency that the catalogue does not know")
    submissions = uow.get(Submissions)
    submission = submissions.again(sent.key) if again else submissions.get(sent.key)
    if not submission.has(sent):
        sent = checked(uow, sent, envelope.data, _taken_at(uow))
    around = circumstances(uow, rules, submission, sent.key)
    verdict = submit(submission, sent, around)
    if not isinstance(verdict, Refusal):
        keep(uow, submissions, verdict)
        return None
    if sent.digest not in submission.refused:
        submissions.refuse(_refused(sent, verdict, uow))
        uow.record(*told(submission, sent, verdict, around, uow.now))
    return verdict


def _refused(sent: Sent, refusal: Refusal, uow: UnitOfWork) -> RefusedAnswer:
    key = sent.key
    return RefusedAnswer(
        key.answer_id, key.agency, key.task, sent.kind, sent.digest, refusal, uow.now
    )


def circumstances(
    uow: UnitOfWork, rules: Rules, submission: Submission, key: SubmissionKey
) -> Circumstances | None:
    """What an answer is judged by; None where there is no such task.

    The same answer, given again after a restore from a backup, opens the same tasks again.

    It counts from when the city took it: the request, or its first arrival in the inbox, however
    long it waited there. What the agency's own clock said is kept in its envelope.
    """
    case = submission.case
    new_id = ids_from(key.answer_id, key.agency, key.task)
    return None if case is None else rules.for_case(case, _taken_at(uow), new_id)


def _taken_at(uow: UnitOfWork) -> datetime:
    return (uow.cause.received_at if uow.cause else None) or uow.now


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
