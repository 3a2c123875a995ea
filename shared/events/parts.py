"""Objects that several events share."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from shared.events.types import (
    MAX_MANY,
    Count,
    Instant,
    Item,
    Name,
    Outcome,
    Part,
    Text,
    Whole,
    Word,
    about,
)

ShortName = Annotated[str, Meta(min_length=1, max_length=120)]
Territory = Annotated[str, Meta(min_length=1, max_length=20)]
ResultCode = Annotated[str, Meta(min_length=1, max_length=120)]
Document = Annotated[str, Meta(min_length=1, max_length=300)]


class ProcedureName(Part, frozen=True, kw_only=True):
    """A procedure as its readers print it."""

    code: Annotated[Word, about("National code, such as 2.000986; text, never a number")]
    name: Annotated[Name, about("Official Vietnamese name")]


class ProcedureVersion(ProcedureName, frozen=True, kw_only=True):
    """The procedure version under which the dossier was filed; it stays the dossier's for life."""

    version: Annotated[Count, about("Version in the city's catalogue")]
    short_name: Annotated[ShortName, about("ASCII, short enough for an SMS")]


class Agency(Part, frozen=True, kw_only=True):
    """An agency, or an office whose desk takes dossiers, as its readers print it."""

    code: Annotated[Word, about("Agency code of the catalogue")]
    name: Annotated[Name, about("Vietnamese name")]


class Office(Agency, frozen=True, kw_only=True):
    """The office whose desk took the dossier, and the territory it stands for."""

    territory: Annotated[Territory, about("Ward code, or * for the whole city")]


class Successor(Part, frozen=True, kw_only=True):
    """Who has the work of an agency that is no more."""

    agency: Annotated[Word, about("Code of the agency that was")]
    to: Annotated[
        Agency | None, about("Whose it is now; null: whoever the rules of competence name")
    ] = None


class Step(Part, frozen=True, kw_only=True):
    """A step of the procedure."""

    code: Annotated[Word, about("Step code, unique inside the procedure version")]
    name: Annotated[Name, about("Vietnamese name")]


class Branch(Part, frozen=True, kw_only=True):
    """One of the ways on that a step's officer chooses between."""

    code: Annotated[Word, about("Branch code, unique inside the procedure version")]
    name: Annotated[Name, about("Vietnamese name")]


class Paper(Part, frozen=True, kw_only=True):
    """One paper of the dossier with its counts."""

    code: Annotated[Word, about("Paper code of the catalogue")]
    name: Annotated[Item, about("Vietnamese name")]
    original: Annotated[Whole, about("Originals handed in")]
    copy: Annotated[Whole, about("Copies handed in")]


class StepResult(Part, frozen=True, kw_only=True):
    """The result of one finished branch."""

    step: Annotated[Word, about("Step code")]
    agency: Agency
    outcome: Outcome
    result_code: Annotated[ResultCode | None, about("Such as KQ.G15.000031")] = None
    document: Annotated[Document | None, about("Number of the document")] = None
    reason: Annotated[Text | None, about("Always there where the outcome is refused")] = None
    file: Annotated[Word | None, about("Id of the result file, which intake keeps")] = None
    at: Instant


Results = Annotated[tuple[StepResult, ...], Meta(max_length=MAX_MANY)]


class Similar(Part, frozen=True, kw_only=True):
    """A dossier that may be about the same matter; another office's is not named."""

    dossier: Annotated[Word | None, about("Its code; null for another office's")] = None
    office: Agency
    why: Annotated[
        tuple[Literal["id_number", "name_and_birth", "parcel"], ...],
        Meta(max_length=3),
        about("What both have in common; never a value"),
    ]


class Consent(Part, frozen=True, kw_only=True):
    """The channels the citizen agreed to."""

    sms: Annotated[bool, about("Text messages")]
    email: Annotated[bool, about("E-mail")]


class NearTask(Part, frozen=True, kw_only=True):
    """A task in an agency's daily list; nothing of it tells of the citizen."""

    task: Annotated[Word, about("Task id")]
    dossier: Annotated[Word, about("Dossier code")]
    procedure: ProcedureName
    step: Step
    due_at: Annotated[Instant | None, about("null where the step has no budget of its own")] = None
    undecided: Annotated[bool, about("Its agency asks for more time and waits for the decision")]
