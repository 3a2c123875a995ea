"""What routing states: the way of a dossier through the agencies, and its deadlines."""

from __future__ import annotations

from shared.events.fields import Choice, Flag, Instant, Many, Part, Text, Whole, Word
from shared.events.schemas.parts import Agency, Fact, ProcedureName, Step

OUTCOMES = ("granted", "refused", "silent_consent")


class DossierStarted(Fact):
    """The first step is open (status 4)."""

    dossier = Word("Dossier code")
    procedure = Part(ProcedureName)
    started_at = Instant()


class PaymentRequested(Fact):
    """The citizen has to pay; the clock stands still (status 6)."""

    dossier = Word("Dossier code")
    step = Word("Code of the payment step")
    agency = Part(Agency, "Who asks")
    amount_vnd = Whole("Dong; null where the notice itself states it", nullable=True)
    reference = Text("Number of the notice", longest=200)
    requested_at = Instant()


class DossierStopped(Fact):
    """Processing ended without a result (status 8)."""

    dossier = Word("Dossier code")
    reason = Text()
    next_step = Text("What the citizen can do now")
    agency = Part(Agency, nullable=True)
    step = Word("Step code", nullable=True)
    stopped_at = Instant()


class Result(Fact):
    """The result of one finished branch."""

    step = Word("Step code")
    agency = Part(Agency)
    outcome = Choice(*OUTCOMES)
    result_code = Text("Such as KQ.G15.000031", longest=120, nullable=True)
    document = Text("Number of the document", longest=300, nullable=True)
    reason = Text("Always there where the outcome is refused", nullable=True)
    at = Instant()


class DossierResolved(Fact):
    """Every branch has ended; results can be fetched (status 9)."""

    dossier = Word("Dossier code")
    results = Many(Part(Result))
    resolved_at = Instant()


class DossierExtended(Fact):
    """An apology with a new date; the first promise is kept beside it."""

    dossier = Word("Dossier code")
    agency = Part(Agency, "Who caused the delay")
    reason = Text()
    promised_at = Instant("The first promise")
    due_at = Instant("The new date")
    extended_at = Instant()
    number = Whole("1 for the first extension", least=1)


class SupplementDropped(Fact):
    """Nobody waits for these papers any more: they did not come in time, or were not needed.

    Intake answers with `deadline.stated`. Not said where the dossier comes to its end with that.
    """

    dossier = Word("Dossier code")
    round = Whole("The round that falls away", least=1)
    step = Word("Code of the step that had asked; null where the desk had", nullable=True)
    reason = Text()
    dropped_at = Instant()


class ClockStopped(Fact):
    """A step outside the legal time is open: until `clock.resumed` the clock stands still.

    Time in which the citizen must act is not meant; the facts that ask the citizen say that.
    """

    dossier = Word("Dossier code")
    step = Part(Step)
    agency = Part(Agency)
    stopped_at = Instant()


class ClockResumed(Fact):
    """No step outside the legal time is open any more; intake answers with `deadline.stated`."""

    dossier = Word("Dossier code")
    resumed_at = Instant()


class StepOpened(Fact):
    """A step's agency has its task."""

    dossier = Word("Dossier code")
    step = Part(Step)
    agency = Part(Agency)
    task = Word("Task id")
    opened_at = Instant()
    due_at = Instant("null where the step has no budget of its own", nullable=True)


class StepAnswered(Fact):
    """A step's agency has answered, or its silence has become consent."""

    dossier = Word("Dossier code")
    step = Part(Step)
    agency = Part(Agency)
    task = Word("Task id")
    answer = Word("completed, refused, supplement_needed, more_time_needed, taken or silent")
    outcome = Choice(*OUTCOMES, nullable=True)
    result_code = Text(longest=120, nullable=True)
    document = Text(longest=300, nullable=True)
    reason = Text(nullable=True)
    late = Flag("After the task's due instant")
    answered_at = Instant()


class Deadline(Fact):
    """A deadline is near, or was missed."""

    dossier = Word("Dossier code")
    scope = Choice("dossier", "step")
    step = Word("Step code", nullable=True)
    agency = Part(Agency, nullable=True)
    task = Word("Task id", nullable=True)
    due_at = Instant()
    at = Instant("When it was noticed")
