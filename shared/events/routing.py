"""What routing states: the way of a dossier through the agencies, and its deadlines."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from shared.events.event import Event, event
from shared.events.intake import DossierCode
from shared.events.parts import (
    Agency,
    Branch,
    Document,
    NearTask,
    ProcedureName,
    ResultCode,
    Results,
    Step,
)
from shared.events.types import (
    MAX_MANY,
    Count,
    Instant,
    Line,
    Name,
    Outcome,
    Text,
    Whole,
    Word,
    about,
)

Scope = Literal["dossier", "step"]
#: Older facts have none: notify told the citizen of those by itself, and nobody confirms them.
Proposed = Annotated[
    bool | None,
    about("true: the dossier's end once intake has confirmed it; null in older facts, which are"),
]


@event("dossier.started", "routing", read_by=("intake",))
class DossierStarted(Event, frozen=True, kw_only=True):
    """The first step is open (status 4)."""

    dossier: DossierCode
    procedure: ProcedureName
    started_at: Instant


@event("dossier.payment_requested", "routing", read_by=("intake", "notify"))
class PaymentRequested(Event, frozen=True, kw_only=True):
    """The citizen has to pay; the clock stands still (status 6)."""

    dossier: DossierCode
    step: Annotated[Word, about("Code of the payment step")]
    agency: Annotated[Agency, about("Who asks")]
    amount_vnd: Annotated[Whole | None, about("Dong; null where the notice itself states it")] = (
        None
    )
    reference: Annotated[Line, about("Number of the notice")]
    replaces: Annotated[
        Line | None, about("Number of the notice that this one replaces: its sum holds no more")
    ] = None
    requested_at: Instant


@event("dossier.stopped", "routing", read_by=("intake", "notify"))
class DossierStopped(Event, frozen=True, kw_only=True):
    """Processing ended without a result (status 8); intake answers with `stop.confirmed`."""

    dossier: DossierCode
    reason: Text
    next_step: Annotated[Text, about("What the citizen can do now")]
    agency: Agency | None = None
    step: Annotated[Word | None, about("Step code")] = None
    stopped_at: Instant
    proposed: Proposed = None


@event("dossier.resolved", "routing", read_by=("intake", "notify"))
class DossierResolved(Event, frozen=True, kw_only=True):
    """Every branch has ended (status 9); intake answers with `result.confirmed`."""

    dossier: DossierCode
    results: Results
    resolved_at: Instant
    proposed: Proposed = None


@event("dossier.extended", "routing", read_by=("intake", "notify"))
class DossierExtended(Event, frozen=True, kw_only=True):
    """An apology with a new date; the first promise is kept beside it."""

    dossier: DossierCode
    agency: Annotated[Agency, about("Who caused the delay")]
    reason: Text
    promised_at: Annotated[Instant, about("The first promise")]
    due_at: Annotated[Instant, about("The new date")]
    extended_at: Instant
    number: Annotated[Count, about("1 for the first extension")]


@event("dossier.supplement_dropped", "routing", read_by=("intake", "notify"))
class SupplementDropped(Event, frozen=True, kw_only=True):
    """Nobody waits for these papers any more: they did not come in time, or were not needed.

    Intake answers with `deadline.stated`, and with `drop.confirmed` where it had waited for them.
    Not said where the dossier comes to its end with that.
    """

    dossier: DossierCode
    round: Annotated[Count, about("The round that falls away")]
    step: Annotated[
        Word | None, about("Code of the step that had asked; null where the desk had")
    ] = None
    reason: Text
    dropped_at: Instant
    proposed: Proposed = None


@event("clock.stopped", "routing", read_by=("intake",))
class ClockStopped(Event, frozen=True, kw_only=True):
    """A step outside the legal time is open: until `clock.resumed` the clock stands still.

    Time in which the citizen must act is not meant; the facts that ask the citizen say that.
    """

    dossier: DossierCode
    step: Step
    agency: Agency
    stopped_at: Instant


@event("clock.resumed", "routing", read_by=("intake",))
class ClockResumed(Event, frozen=True, kw_only=True):
    """No step outside the legal time is open any more; intake answers with `deadline.stated`."""

    dossier: DossierCode
    resumed_at: Instant


@event("step.opened", "routing", way="steps", read_by=("intake",))
class StepOpened(Event, frozen=True, kw_only=True):
    """A step's agency has its task; the receiving office, where its head must name an agency."""

    dossier: DossierCode
    step: Step
    agency: Agency
    task: Annotated[Word, about("Task id")]
    opened_at: Instant
    due_at: Annotated[Instant | None, about("null where the step has no budget of its own")] = None


@event("step.repeated", "routing", way="steps", read_by=("intake",))
class StepRepeated(Event, frozen=True, kw_only=True):
    """Nobody has taken a step's task: it is put on its agency's queue again, as it was."""

    dossier: DossierCode
    step: Step
    agency: Agency
    task: Annotated[Word, about("Task id")]
    number: Annotated[Count, about("1 for the first time that it is repeated")]
    repeated_at: Instant


@event("step.answered", "routing", way="steps", read_by=("intake",))
class StepAnswered(Event, frozen=True, kw_only=True):
    """A step's agency has answered, or its silence has become consent."""

    dossier: DossierCode
    step: Step
    agency: Agency
    task: Annotated[Word, about("Task id")]
    answer: Annotated[Word, about("The kind of the agency's answer, or silent where none came")]
    outcome: Outcome | None = None
    result_code: ResultCode | None = None
    document: Document | None = None
    reason: Text | None = None
    late: Annotated[bool, about("After the task's due instant")]
    answered_at: Instant
    rule: Annotated[
        Word | None, about("Why it was not applied (see task.answer_refused); null where it was")
    ] = None


@event("step.transferred", "routing", way="steps", read_by=("intake",))
class StepTransferred(Event, frozen=True, kw_only=True):
    """A step's task ended undone and another was opened for it: `step.opened` follows.

    Its agency had said `not_ours`; or the step was on its office's coordination list (`agency` is
    then that office) and the head has named who does it. The step's date stays.
    """

    dossier: DossierCode
    step: Step
    agency: Annotated[Agency, about("Who had it")]
    task: Annotated[Word, about("Id of the task that ended")]
    reason: Text
    named: Annotated[Agency | None, about("Whom it named; null where it named nobody")] = None
    to: Annotated[
        Agency | None, about("Who has it now; null: the receiving office must name somebody")
    ] = None
    next_task: Annotated[Word, about("Id of the task that stands for the step now")]
    late: Annotated[bool, about("After the step's due instant")]
    transferred_at: Instant
    reorganised: Annotated[
        bool | None, about("true: its agency is no more, see dossier.moved; nobody said no")
    ] = None


@event("step.sent_back", "routing", way="steps", read_by=("intake",))
class StepSentBack(Event, frozen=True, kw_only=True):
    """A step's agency has sent the dossier back: an earlier step, and what came of it, is done again.

    `step.opened` follows for that step. What was done since counts no more, and stays on record.
    """

    dossier: DossierCode
    step: Step
    agency: Annotated[Agency, about("Who sent it back")]
    task: Annotated[Word, about("Id of the task that ended")]
    reason: Text
    to: Annotated[Step, about("The step that is done again")]
    undone: Annotated[
        tuple[Word, ...], Meta(max_length=MAX_MANY), about("Ids of the tasks that count no more")
    ]
    number: Annotated[Count, about("1 for the first time that this step sends back")]
    late: Annotated[bool, about("After the step's due instant")]
    sent_back_at: Instant


@event("verification.opened", "routing", way="steps", read_by=("intake",))
class VerificationOpened(Event, frozen=True, kw_only=True):
    """An agency opens an extra verification; intake answers with `dossier.verifying`."""

    dossier: DossierCode
    step: Step
    agency: Agency
    task: Annotated[Word, about("Task id")]
    reason: Text
    due_at: Annotated[Instant, about("The step's new date")]
    opened_at: Instant


@event("branch.chosen", "routing", way="steps", read_by=("intake",))
class BranchChosen(Event, frozen=True, kw_only=True):
    """A step's agency has chosen how the dossier goes on.

    Where the branch has time of its own intake answers with `dossier.branched`.
    """

    dossier: DossierCode
    step: Step
    agency: Annotated[Agency, about("Who chose")]
    task: Annotated[Word, about("Task id")]
    branch: Branch
    has_time: Annotated[bool, about("The catalogue gives the branch time: the date moves by it")]
    chosen_at: Instant


@event("correction.overtaken", "routing", way="steps", read_by=("intake",))
class CorrectionOvertaken(Event, frozen=True, kw_only=True):
    """An agency had answered when the desk's correction of what it had been given reached routing.

    Its answer stands. It is told of the correction all the same, and so are later steps.
    """

    dossier: DossierCode
    number: Annotated[Count, about("Which correction, as `dossier.corrected` counts them")]
    step: Step
    agency: Agency
    task: Annotated[Word, about("Task id")]
    overtaken_at: Instant


@event("deadline.near", "routing", way="steps", read_by=("intake",))
class DeadlineNear(Event, frozen=True, kw_only=True):
    """A deadline is 24 hours, or 4 working hours, away."""

    dossier: DossierCode
    scope: Scope
    step: Annotated[Word | None, about("Step code")] = None
    agency: Agency | None = None
    task: Annotated[Word | None, about("Task id")] = None
    due_at: Instant
    at: Annotated[Instant, about("When it was noticed")]


@event("deadline.missed", "routing", way="steps", read_by=("intake",))
class DeadlineMissed(Event, frozen=True, kw_only=True):
    """A deadline has passed without an answer."""

    dossier: DossierCode
    scope: Scope
    step: Annotated[Word | None, about("Step code")] = None
    agency: Agency | None = None
    task: Annotated[Word | None, about("Task id")] = None
    due_at: Instant
    at: Annotated[Instant, about("When it was noticed")]
    consent: Annotated[
        bool | None,
        about("true: this silence is consent once intake has answered with `silence.confirmed`"),
    ] = None
    cause: Annotated[
        Text | None, about("Of a dossier's date: what is not done; `agency` is then who is late")
    ] = None
    new_due_at: Annotated[
        Instant | None, about("Of a dossier's date: the date that the city's rule would name now")
    ] = None
    apology_at: Annotated[
        Instant | None,
        about("Of a dossier's date: `apology.due` is stated then unless a new date was named"),
    ] = None


@event("extension.requested", "routing", way="steps", read_by=("intake",))
class ExtensionRequested(Event, frozen=True, kw_only=True):
    """An agency asks for more time before its date: pending until the head of the office decides.

    Intake answers with `extension.granted` or `extension.refused`.
    """

    dossier: DossierCode
    step: Step
    agency: Agency
    task: Annotated[Word, about("Task id")]
    reason: Text
    due_at: Annotated[Instant | None, about("The step's present date")] = None
    until: Annotated[Instant, about("What it asks for")]
    new_due_at: Annotated[
        Instant | None, about("The date that the citizen would get; null where the promise holds")
    ] = None
    requested_at: Instant


@event("extension.dropped", "routing", way="steps", read_by=("intake",))
class ExtensionDropped(Event, frozen=True, kw_only=True):
    """Nobody asks any more: the step has ended, or its date passed without a decision."""

    dossier: DossierCode
    task: Annotated[Word, about("Task id")]
    dropped_at: Instant


@event("apology.due", "routing", way="steps", read_by=("intake",))
class ApologyDue(Event, frozen=True, kw_only=True):
    """A promised date has passed and nobody has named a new one: the city's rule does.

    Intake answers with `dossier.apologised`, unless it knows of another date or of the end.
    """

    dossier: DossierCode
    agency: Annotated[Agency, about("Who is late")]
    reason: Text
    missed_at: Annotated[Instant, about("The date that was missed")]
    due_at: Annotated[Instant, about("The new date")]
    at: Annotated[Instant, about("When it was noticed")]


#: So many staff addresses an agency has at most, and so many tasks are named in one mail.
MOST_ADDRESSES: Final = 20
MOST_NAMED: Final = 100


@event("agency.reminded", "routing", way="notices", read_by=("notify",), personal=True)
class AgencyReminded(Event, frozen=True, kw_only=True):
    """A working day's list of what an agency must not let pass; notify makes one mail of it."""

    agency: Annotated[Word, about("Agency code")]
    name: Annotated[Name, about("What people call the agency")]
    addresses: Annotated[
        tuple[Annotated[str, Meta(min_length=3, max_length=254)], ...],
        Meta(max_length=MOST_ADDRESSES),
        about("Of the agency's staff, never of citizens", personal=True),
    ]
    overdue: Annotated[Whole, about("Tasks whose date has passed")]
    near: Annotated[Whole, about("Tasks whose date is near by the city's rule")]
    undecided: Annotated[Whole, about("Requests for more time that wait for a head's decision")]
    tasks: Annotated[
        tuple[NearTask, ...],
        Meta(max_length=MOST_NAMED),
        about("The first due of them"),
    ]
    link: Annotated[Line | None, about("The agency's list of them; null for no known address")] = (
        None
    )
    webhook_paused_at: Annotated[
        Instant | None, about("Since when its webhook is sent nothing; null while all is well")
    ] = None
    expired: Annotated[
        Whole | None,
        about("Tasks handed over as often as ever that nobody there has taken; null for none"),
    ] = None
    reminded_at: Annotated[Instant, about("One mail for each day of Viet Nam's calendar")]
