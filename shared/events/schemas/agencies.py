"""The orders that routing hands to agencies, and the agencies' answers."""

from __future__ import annotations

from shared.events.fields import Choice, Form, Instant, Many, Part, Text, Whole, Word
from shared.events.schemas.parts import Fact, Paper, ProcedureName, Step


class TaskAssigned(Fact):
    """Please do this step."""

    task = Word("Task id; name it in every answer")
    dossier = Word("Dossier code")
    agency = Word("Your agency code")
    procedure = Part(ProcedureName)
    step = Part(Step)
    assigned_at = Instant()
    due_at = Instant("null where the step has no budget of its own", nullable=True)
    form = Form("Only the fields that this step shares", personal=True)
    papers = Many(Part(Paper))
    results = Many(Word(), "Result codes that a completion may carry; empty where it has none")


class TaskChanged(Fact):
    """Something about an open task is new."""

    task = Word("Task id")
    dossier = Word("Dossier code")
    agency = Word("Your agency code")
    change = Choice("paused", "resumed", "supplemented", "due")
    due_at = Instant("null while the clock stands still", nullable=True)
    form = Form("Changed fields that this step shares", personal=True)
    papers = Many(Part(Paper), "Papers that came in")
    note = Text(empty=True, nullable=True)
    changed_at = Instant()


class TaskCancelled(Fact):
    """Nothing more is to be done; an answer no longer changes anything."""

    task = Word("Task id")
    dossier = Word("Dossier code")
    agency = Word("Your agency code")
    reason = Text()
    cancelled_at = Instant()


class AnswerTaken(Fact):
    """We have it."""

    task = Word("Task id")
    officer = Text("Who works on it", longest=200, nullable=True, personal=True)


class AnswerCompleted(Fact):
    """Done, one way or the other."""

    task = Word("Task id")
    outcome = Choice("granted", "refused")
    result_code = Text("One of the task's results", longest=120, nullable=True)
    document = Text("Number of the document", longest=300, nullable=True)
    reason = Text("Needed where the outcome is refused", nullable=True)
    amount_vnd = Whole("Dong that the citizen has to pay, where the step says so", nullable=True)


class AnswerSupplementNeeded(Fact):
    """Something is missing: the citizen has to bring it."""

    task = Word("Task id")
    items = Many(Text(longest=1000), "Every missing item, in one go")
    reason = Text()
    respond_by = Instant(nullable=True)


class AnswerRefused(Fact):
    """This task is not ours, or cannot be done."""

    task = Word("Task id")
    reason = Text()


class AnswerMoreTimeNeeded(Fact):
    """We shall be late: the citizen gets an apology and a new date."""

    task = Word("Task id")
    reason = Text()
    until = Instant()
