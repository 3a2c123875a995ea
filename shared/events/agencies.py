"""The orders that routing hands to agencies, and the agencies' answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from shared.events.event import Event, event
from shared.events.intake import DossierCode, Items, Papers
from shared.events.parts import Branch, Document, ProcedureName, ResultCode, Step
from shared.events.types import (
    MAX_MANY,
    Count,
    Day,
    Form,
    Instant,
    Line,
    MaybeEmpty,
    Part,
    Sha256,
    Text,
    Whole,
    Word,
    about,
)

TaskId = Annotated[Word, about("Task id")]
YourCode = Annotated[Word, about("Your agency code")]
Signed = Annotated[
    Line | None,
    about("Your signature over the other fields: `KEY.SALT.SIGNATURE`; null where you do not sign"),
]
Results = Annotated[tuple[Word, ...], Meta(max_length=MAX_MANY)]
Branches = Annotated[tuple[Branch, ...], Meta(max_length=MAX_MANY)]
#: Of one hand-over of sums.
MOST_DAYS = 31
#: Of one day: what lies beyond them is taken for missing, and sent once too often.
MOST_SPANS = 200


class Span(Part, frozen=True, kw_only=True):
    """Numbers of messages in one piece."""

    first: Count
    last: Count


Spans = Annotated[tuple[Span, ...], Meta(max_length=MOST_SPANS)]


class DaySum(Part, frozen=True, kw_only=True):
    """The messages of one local day: those whose `time` lies in that day of Viet Nam (UTC+7)."""

    day: Day
    count: Whole
    sha256: Annotated[
        Sha256, about("Over the lines `<number> <id>`, each with a line feed, by number, in UTF-8")
    ]
    spans: Annotated[Spans, about("Their numbers, in ascending order")]


class DayCompared(DaySum, frozen=True, kw_only=True):
    """The city's sum of a day, and what yours has beside it; at most 200 spans of each."""

    agreed: bool
    missing: Annotated[Spans, about("You do not have these")]
    forgotten: Annotated[
        Spans,
        about("You have these of before the city restored its database; leave them out of the sum"),
    ]
    unknown: Annotated[Spans, about("You have these, and the city has not: tell the city")]


@event("task.assigned", "routing", way="tasks", read_by=("agencies",), personal=True)
class TaskAssigned(Event, frozen=True, kw_only=True):
    """Please do this step."""

    task: Annotated[Word, about("Task id; name it in every answer")]
    dossier: DossierCode
    agency: YourCode
    procedure: ProcedureName
    step: Step
    assigned_at: Instant
    due_at: Annotated[Instant | None, about("null where the step has no budget of its own")] = None
    form: Annotated[Form, about("Only the fields that this step shares", personal=True)]
    papers: Papers
    results: Annotated[
        Results, about("Result codes that a completion may carry; empty where it has none")
    ]
    may: Annotated[
        Results | None,
        about("Answers that this step allows beside the usual: sent_back, verification_needed"),
    ] = None
    branches: Annotated[
        Branches | None,
        about("Ways on, of which a granted completion must choose one; null where there are none"),
    ] = None


@event("task.changed", "routing", way="tasks", read_by=("agencies",), personal=True)
class TaskChanged(Event, frozen=True, kw_only=True):
    """Something about a task is new.

    With `corrected` the desk had written the fields in `form` down wrongly: the new values take the
    place of those you have. It is told also of a task that you have answered.
    """

    task: TaskId
    dossier: DossierCode
    agency: YourCode
    change: Literal["paused", "resumed", "supplemented", "due"]
    due_at: Annotated[Instant | None, about("null while the clock stands still")] = None
    form: Annotated[
        Form,
        about("Changed fields that this step shares; null for one that was emptied", personal=True),
    ]
    papers: Annotated[Papers, about("Papers that came in")]
    papers_after: Annotated[
        Papers | None, about("All papers as they are now, where any came in")
    ] = None
    note: MaybeEmpty | None = None
    changed_at: Instant
    corrected: Annotated[
        bool | None, about("true where the desk has corrected these fields; else null")
    ] = None


@event("task.cancelled", "routing", way="tasks", read_by=("agencies",))
class TaskCancelled(Event, frozen=True, kw_only=True):
    """Nothing more is to be done; an answer no longer changes anything."""

    task: TaskId
    dossier: DossierCode
    agency: YourCode
    reason: Text
    cancelled_at: Instant


@event("task.answer_refused", "routing", way="tasks", read_by=("agencies",))
class TaskAnswerRefused(Event, frozen=True, kw_only=True):
    """An answer of yours was not applied: nothing has changed by it, and it will not be tried again.

    Told once for each content under an id. To mend it, answer anew under a new id.
    """

    task: Annotated[Line, about("The task, as your answer names it")]
    dossier: Annotated[Line, about("Dossier code; - where you have no such task")]
    agency: YourCode
    answer_id: Annotated[Line, about("Your own id of the answer")]
    kind: Annotated[Line, about("Its kind, such as completed; its type where that names no kind")]
    rule: Annotated[Word, about("Why: a stable code, see docs/agencies.md")]
    place: Annotated[
        MaybeEmpty, about("The field, such as until or items.0; empty for the whole answer")
    ]
    pointer: Annotated[Line, about("The same as a JSON pointer into your message: #/data/until")]
    vi: Annotated[Text, about("What is wrong, in Vietnamese")]
    en: Annotated[Text, about("What is wrong, in English")]
    state: Annotated[
        Literal["assigned", "taken", "paused", "answered", "cancelled"] | None,
        about("How the task stands now; null where you have no such task"),
    ] = None
    refused_at: Instant


@event("task.day_sums_compared", "routing", way="tasks", read_by=("agencies",))
class DaySumsCompared(Event, frozen=True, kw_only=True):
    """What came of the sums that you handed in over the queue; it is about no task.

    What you lack was put on your queue again, under its old ids and numbers.
    """

    agency: YourCode
    answer_id: Annotated[Line, about("Your own id of the sums")]
    days: Annotated[tuple[DayCompared, ...], Meta(max_length=MOST_DAYS)]
    compared_at: Instant


@event("answer.day_sums", way="answers", read_by=("routing",), about="agency")
class AnswerDaySums(Event, frozen=True, kw_only=True):
    """What we have of the city's messages, day by day; for who has no way to the HTTPS door.

    It is about no task: its subject is your agency code. `task.day_sums_compared` comes back.
    """

    agency: YourCode
    days: Annotated[tuple[DaySum, ...], Meta(max_length=MOST_DAYS)]


@event("answer.taken", way="answers", read_by=("routing",), personal=True)
class AnswerTaken(Event, frozen=True, kw_only=True):
    """We have it.

    The task shows as taken; taken again, by whom it is worked on now.
    """

    task: TaskId
    officer: Annotated[Line | None, about("Who works on it", personal=True)] = None
    signature: Signed = None


@event("answer.completed", way="answers", read_by=("routing",))
class AnswerCompleted(Event, frozen=True, kw_only=True):
    """Done, one way or the other.

    The dossier goes on; other agencies' finished steps are never undone. To correct a sum, answer
    `completed` again under a new id with the new `amount_vnd`: until it is paid the citizen gets a
    notice that replaces the first, afterwards it is refused (`already_paid`).
    """

    task: TaskId
    outcome: Literal["granted", "refused"]
    result_code: Annotated[ResultCode | None, about("One of the task's results")] = None
    document: Annotated[Document | None, about("Number of the document")] = None
    reason: Annotated[
        Text | None, about("Needed where the outcome is refused: the citizen is told it")
    ] = None
    amount_vnd: Annotated[
        Whole | None, about("Dong that the citizen has to pay, where the step says so")
    ] = None
    file: Annotated[
        Word | None, about("Receipt of the result file that was handed in for this task")
    ] = None
    branch: Annotated[
        Word | None, about("How the dossier goes on: one of the task's branches, where it has any")
    ] = None
    signature: Signed = None


@event("answer.supplement_needed", way="answers", read_by=("routing",))
class AnswerSupplementNeeded(Event, frozen=True, kw_only=True):
    """Something is missing: the citizen has to bring it.

    The clock stops; the citizen is asked, and reminded one working day before `respond_by`; then
    `task.changed` with `supplemented`. If nothing comes by `respond_by`: `task.cancelled`, the step
    counts as refused and the citizen is told; with null the wait has no end. A
    `respond_by` at which the desk is shut moves into its working time, and `task.changed` says so.
    """

    task: TaskId
    items: Annotated[Items, about("Every missing item, in one go; at least one")]
    reason: Text
    respond_by: Instant | None = None
    signature: Signed = None


@event("answer.refused", way="answers", read_by=("routing",))
class AnswerRefused(Event, frozen=True, kw_only=True):
    """This cannot be done.

    The branch of the dossier ends; the citizen is told the reason. Where another agency is competent,
    say `not_ours` instead.
    """

    task: TaskId
    reason: Text
    signature: Signed = None


@event("answer.more_time_needed", way="answers", read_by=("routing",))
class AnswerMoreTimeNeeded(Event, frozen=True, kw_only=True):
    """We shall be late. Before its date: please give us until then; after it: we name a new date.

    Before, it is pending until the head of the office grants or refuses it; `task.changed` says
    which, and the old date holds meanwhile. Where the promised date can no longer be kept the
    citizen gets an apology and a new one; the first promise is kept on record. An `until` outside
    your working time is drawn into it.
    """

    task: TaskId
    reason: Text
    until: Instant
    signature: Signed = None


@event("answer.not_ours", way="answers", read_by=("routing",))
class AnswerNotOurs(Event, frozen=True, kw_only=True):
    """Another agency is competent: please hand the task on.

    Your task ends with `task.cancelled`, which says to whom the step went: to the agency that you
    name if it has this work by the city's rules, else to another by these rules, else the head of
    the receiving office decides. The step's time runs on.
    """

    task: TaskId
    reason: Annotated[Text, about("Told to the next agency and the desk, not to the citizen")]
    agency: Annotated[
        Word | None, about("Code of the agency that you believe competent; null: you do not know")
    ] = None
    signature: Signed = None


@event("answer.sent_back", way="answers", read_by=("routing",))
class AnswerSentBack(Event, frozen=True, kw_only=True):
    """An earlier step must be done again, where the task's `may` allows it.

    Your task ends. The city knows to which step: its agency and those after it get new tasks, the
    open ones among them are cancelled, and yours comes again in its turn under another id. The
    promised date stays.
    """

    task: TaskId
    reason: Annotated[Text, about("Told to the agency of that step and the desk")]


@event("answer.verification_needed", way="answers", read_by=("routing",))
class AnswerVerificationNeeded(Event, frozen=True, kw_only=True):
    """We open an extra verification, where the task's `may` allows it.

    The law gives time of its own for that: your date and the promised date move by it (`task.changed`
    names yours), and the citizen is told why, without an apology. Only before its date, and not
    while the citizen has to act.
    """

    task: TaskId
    reason: Annotated[Text, about("What must be verified; the citizen is told it")]


Answer = (
    AnswerTaken
    | AnswerCompleted
    | AnswerSupplementNeeded
    | AnswerRefused
    | AnswerMoreTimeNeeded
    | AnswerSentBack
    | AnswerVerificationNeeded
    | AnswerNotOurs
)
