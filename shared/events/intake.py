"""What intake states: facts about a dossier at the desk, and the citizen's contact data."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from shared.events.event import Event, event
from shared.events.parts import (
    Agency,
    Branch,
    Consent,
    Office,
    Paper,
    ProcedureVersion,
    Results,
    Similar,
    Step,
    Successor,
)
from shared.events.types import (
    MAX_MANY,
    Channel,
    Count,
    Form,
    Instant,
    Item,
    Line,
    Phone,
    Text,
    Whole,
    Word,
    about,
)

Email = Annotated[str, Meta(min_length=1, max_length=254)]
Papers = Annotated[tuple[Paper, ...], Meta(max_length=MAX_MANY)]
Items = Annotated[tuple[Item, ...], Meta(max_length=MAX_MANY)]
Branches = Annotated[tuple[Word, ...], Meta(max_length=MAX_MANY)]
DossierCode = Annotated[Word, about("Dossier code")]
Taker = Annotated[
    Literal["applicant", "representative"],
    about("Who took it at the desk; null where it was not told, or sent"),
]
Carrier = Annotated[Line, about("Who carries what was posted")]
Waybill = Annotated[Word, about("By which number the carrier can be asked")]
Sha256 = Annotated[Word, about("Digest of its bytes, in hexadecimal")]
Because = Literal["clock_resumed", "supplement_dropped", "extended"]


@event("dossier.registered", "intake", read_by=("notify",))
class DossierRegistered(Event, frozen=True, kw_only=True):
    """Filed online or by post, not yet checked (status 1)."""

    dossier: DossierCode
    procedure: ProcedureVersion
    office: Agency
    channel: Channel
    submitted_at: Instant


@event("dossier.received", "intake", read_by=("routing", "notify"), personal=True)
class DossierReceived(Event, frozen=True, kw_only=True):
    """Validly received: the clock starts and the return date is promised (status 2)."""

    dossier: DossierCode
    procedure: ProcedureVersion
    field: Annotated[Line, about("Field of the procedure")]
    office: Office
    channel: Channel
    submitted_at: Instant
    received_at: Annotated[
        Instant, about("Valid reception; the clock starts here, not at submission")
    ]
    promised_at: Annotated[Instant, about("The first promise; extensions never change it")]
    due_at: Annotated[Instant, about("Due instant in force now")]
    form: Annotated[Form, about("Form fields that steps share", personal=True)]
    papers: Papers
    branches: Annotated[Branches, about("Optional branches that the citizen chose")]
    rounds: Annotated[
        Whole | None, about("How often the desk asked for papers before; null: not told")
    ] = None


@event("dossier.similar_seen", "intake", read_by=())
class SimilarSeen(Event, frozen=True, kw_only=True):
    """An officer was shown dossiers that may be about the same matter, and filed this one all the same.

    For the dossier's own timeline: nobody acts on it.
    """

    dossier: DossierCode
    similar: Annotated[tuple[Similar, ...], Meta(max_length=10), about("What was shown")]
    decided_at: Instant


@event("dossier.corrected", "intake", read_by=("routing",), personal=True)
class DossierCorrected(Event, frozen=True, kw_only=True):
    """The desk has mended what it had written down wrongly after reception; no clock moves.

    The citizen's contact is not in it: `contact.given` states that anew where it has changed.
    """

    dossier: DossierCode
    number: Annotated[Count, about("1 for the first correction of the dossier")]
    mended: Annotated[Count, about("How many things were mended, whether steps share them or not")]
    form: Annotated[
        Form,
        about("Changed fields that steps share; null for one that was emptied", personal=True),
    ]
    form_after: Annotated[Form, about("The fields that steps share as they are now", personal=True)]
    corrected_at: Instant


@event("dossier.file_added", "intake", read_by=())
class FileAdded(Event, frozen=True, kw_only=True):
    """A scan or a result lies with the dossier. For the dossier's own timeline.

    Never its name or content: who may read it asks intake, by a link that ends.
    """

    dossier: DossierCode
    file: Annotated[Word, about("Id of the file")]
    kind: Literal["scan", "result"]
    media_type: Annotated[Line, about("application/pdf, image/jpeg or image/png, by its content")]
    size: Annotated[Whole, about("Bytes")]
    sha256: Sha256
    held: Annotated[bool, about("Nobody can read it before the malware scanner has answered")]
    agency: Annotated[Agency | None, about("Whose result it is; null for a scan")] = None
    added_at: Instant


@event("dossier.file_withdrawn", "intake", read_by=())
class FileWithdrawn(Event, frozen=True, kw_only=True):
    """A file was taken away again, for good. For the dossier's own timeline."""

    dossier: DossierCode
    file: Annotated[Word, about("Id of the file")]
    sha256: Sha256
    reason: Text
    withdrawn_at: Instant


@event("dossier.slip_given", "intake", read_by=())
class SlipGiven(Event, frozen=True, kw_only=True):
    """The desk had taken it in while its line was away, and given out a slip of a series of its own.

    For the dossier's own timeline: the dossier is received when it reaches intake, not before.
    """

    dossier: DossierCode
    number: Annotated[Word, about("The number on the slip; no dossier code")]
    taken_at: Annotated[
        Instant | None, about("When, by the desk's own clock; null: that cannot be right")
    ] = None
    sent_at: Annotated[Instant, about("When it reached intake")]


@event("dossier.called", "intake", read_by=("notify",))
class CitizenCalled(Event, frozen=True, kw_only=True):
    """The desk has called the citizen whom no message reached, and what came of it."""

    dossier: DossierCode
    called_at: Instant
    outcome: Annotated[
        Literal["reached", "called_back", "no_answer", "wrong_number", "met"] | None,
        about("After no_answer the desk calls again; met: at the desk; null: reached"),
    ] = None
    calls: Annotated[
        Branches | None, about("Ids, as `citizen.unreachable` named them; null: not told")
    ] = None


@event("dossier.refused", "intake", read_by=("notify",))
class DossierRefused(Event, frozen=True, kw_only=True):
    """Not received, with a reason and what to do instead (status 3)."""

    dossier: DossierCode
    procedure: ProcedureVersion
    office: Agency
    reason: Text
    next_step: Annotated[Text, about("What the citizen can do now")]
    refused_at: Instant


@event("dossier.supplement_requested", "intake", "routing", read_by=("intake", "routing", "notify"))
class SupplementRequested(Event, frozen=True, kw_only=True):
    """Papers or data are missing; the clock stands still (status 5).

    Intake states what the desk asks for, before reception or after it; routing what an agency does.
    """

    dossier: DossierCode
    round: Annotated[Count, about("1 for the first request")]
    step: Annotated[Word | None, about("Code of the asking step; null at the desk")] = None
    agency: Annotated[Agency, about("Who asks; at the desk the office itself")]
    items: Annotated[Items, about("Every missing item, in one go")]
    reason: Text
    respond_by: Instant | None = None
    requested_at: Instant


@event("dossier.supplement_reminded", "intake", read_by=("notify",))
class SupplementReminded(Event, frozen=True, kw_only=True):
    """The date for papers that the desk or an agency asked for is near, and they are not here."""

    dossier: DossierCode
    round: Annotated[Count, about("The round that is awaited")]
    agency: Annotated[Agency, about("Who asked; at the desk the office itself")]
    items: Annotated[Items, about("Every missing item")]
    reason: Annotated[Text, about("Why they were asked for")]
    respond_by: Instant
    reminded_at: Instant


@event("dossier.supplement_extended", "intake", read_by=("notify",))
class SupplementExtended(Event, frozen=True, kw_only=True):
    """The desk gives more time for the papers that it asked for."""

    dossier: DossierCode
    round: Annotated[Count, about("The round that is awaited")]
    agency: Annotated[Agency, about("Who asked: the office itself")]
    items: Annotated[Items, about("Every missing item")]
    respond_by: Annotated[Instant, about("The new date")]
    extended_at: Instant


@event("dossier.supplemented", "intake", read_by=("routing", "notify"), personal=True)
class DossierSupplemented(Event, frozen=True, kw_only=True):
    """The missing items are here; the clock goes on."""

    dossier: DossierCode
    round: Annotated[Count, about("The round that is answered")]
    papers: Annotated[Papers, about("Papers handed in this time")]
    form: Annotated[
        Form, about("Changed fields only; null for one that was emptied", personal=True)
    ]
    papers_after: Annotated[
        Papers | None, about("All papers as they are now; null: add those above")
    ] = None
    form_after: Annotated[
        Form | None,
        about(
            "The fields that steps share as they are now; null: change those above", personal=True
        ),
    ] = None
    supplemented_at: Instant
    promised_at: Annotated[Instant | None, about("The first promise; before reception null")] = None
    due_at: Annotated[Instant | None, about("Due instant in force now; before reception null")] = (
        None
    )


@event("dossier.paid", "intake", read_by=("routing", "notify"))
class DossierPaid(Event, frozen=True, kw_only=True):
    """The financial duty is met; the clock goes on."""

    dossier: DossierCode
    step: Annotated[Word, about("Code of the payment step")]
    reference: Annotated[Line, about("Number of the notice that was paid")]
    amount_vnd: Annotated[Whole, about("Dong")]
    paid_at: Instant
    promised_at: Annotated[Instant, about("The first promise")]
    due_at: Annotated[Instant, about("Due instant in force now")]


@event("deadline.stated", "intake", read_by=("routing", "notify"))
class DeadlineStated(Event, frozen=True, kw_only=True):
    """The date in force, stated anew after routing told that something has changed it."""

    dossier: DossierCode
    because: Because
    clock: Literal["runs", "stands"]
    promised_at: Annotated[Instant, about("The first promise")]
    due_at: Annotated[
        Instant, about("Due instant in force now; while the clock stands it will still move")
    ]
    stated_at: Instant


@event("dossier.supplement_lapsed", "intake", read_by=("routing", "notify"))
class SupplementLapsed(Event, frozen=True, kw_only=True):
    """The date for papers that were asked for after reception has passed, and they are not here.

    Routing answers with what becomes of the dossier: `dossier.supplement_dropped` where it goes on,
    `dossier.stopped` where it ends.
    """

    dossier: DossierCode
    round: Annotated[Count, about("The round that nobody waits for any more")]
    step: Annotated[Word | None, about("Code of the step that had asked")] = None
    reason: Text
    lapsed_at: Annotated[Instant, about("The date that the citizen was told; the clock goes on")]
    promised_at: Annotated[Instant, about("The first promise")]
    due_at: Annotated[Instant, about("Due instant in force now")]


@event("silence.confirmed", "intake", read_by=("routing",))
class SilenceConfirmed(Event, frozen=True, kw_only=True):
    """Up to that instant nothing ended the dossier: the agency's silence counts as consent."""

    dossier: DossierCode
    task: Annotated[Word, about("Task id, as `deadline.missed` named it")]
    due_at: Annotated[Instant, about("When the silence became consent")]
    confirmed_at: Instant


@event("result.confirmed", "intake", read_by=("notify",))
class ResultConfirmed(Event, frozen=True, kw_only=True):
    """The end that routing stated is the dossier's end: its results can be fetched (status 9).

    Not said where the dossier had already ended otherwise, as by a withdrawal.
    """

    dossier: DossierCode
    results: Results
    resolved_at: Annotated[Instant, about("As routing stated it")]
    confirmed_at: Instant


@event("stop.confirmed", "intake", read_by=("notify",))
class StopConfirmed(Event, frozen=True, kw_only=True):
    """The stop that routing stated is the dossier's end (status 8); else as `result.confirmed`."""

    dossier: DossierCode
    reason: Text
    next_step: Annotated[Text, about("What the citizen can do now")]
    agency: Agency | None = None
    step: Annotated[Word | None, about("Step code")] = None
    stopped_at: Annotated[Instant, about("As routing stated it")]
    confirmed_at: Instant


@event("drop.confirmed", "intake", read_by=("notify",))
class DropConfirmed(Event, frozen=True, kw_only=True):
    """Nobody waits for the papers of this round any more, as routing stated it.

    Not said where they had come before, or where the dossier had ended: the citizen would hear
    that papers which are taken are not wanted.
    """

    dossier: DossierCode
    round: Annotated[Count, about("The round that falls away")]
    step: Annotated[
        Word | None, about("Code of the step that had asked; null where the desk had")
    ] = None
    reason: Text
    dropped_at: Annotated[Instant, about("As routing stated it")]
    confirmed_at: Instant


@event("extension.granted", "intake", read_by=("routing",))
class ExtensionGranted(Event, frozen=True, kw_only=True):
    """The head of the office grants a step more time; `dossier.extended` follows where that is due."""

    dossier: DossierCode
    task: Annotated[Word, about("Task id, as `extension.requested` named it")]
    until: Instant
    reason: Annotated[Text, about("The agency's own: the citizen is told it where the date moves")]
    granted_at: Instant


@event("extension.refused", "intake", read_by=("routing",))
class ExtensionRefused(Event, frozen=True, kw_only=True):
    """The head of the office grants a step no more time; its agency is told why."""

    dossier: DossierCode
    task: Annotated[Word, about("Task id, as `extension.requested` named it")]
    reason: Text
    refused_at: Instant


@event("dossier.apologised", "intake", read_by=("routing", "notify"))
class DossierApologised(Event, frozen=True, kw_only=True):
    """An apology for a date that was missed; the first promise is kept beside it (form 04).

    By the head of the office, or by the clock where nobody named a new date in time. An agency that
    names one itself does so by its answer: `dossier.extended`.
    """

    dossier: DossierCode
    agency: Annotated[Agency, about("Who caused the delay")]
    reason: Text
    by: Literal["head", "clock"]
    promised_at: Annotated[Instant, about("The first promise")]
    missed_at: Annotated[Instant, about("The date that was missed")]
    due_at: Annotated[
        Instant | None, about("The new date; null where the result came late and is there")
    ] = None
    apologised_at: Instant
    number: Annotated[Count, about("1 for the dossier's first new date")]


@event("dossier.verifying", "intake", read_by=("routing", "notify"))
class DossierVerifying(Event, frozen=True, kw_only=True):
    """An extra verification was opened: by the time that the law gives it the date moves.

    No apology and no delay: the first promise is kept beside it.
    """

    dossier: DossierCode
    agency: Annotated[Agency, about("Who verifies")]
    step: Annotated[Step, about("In which step")]
    reason: Annotated[Text, about("What must be verified")]
    promised_at: Annotated[Instant, about("The first promise")]
    due_before: Annotated[Instant, about("The date that was in force")]
    due_at: Annotated[Instant, about("Due instant in force now")]
    stated_at: Instant


@event("dossier.branched", "intake", read_by=("routing", "notify"))
class DossierBranched(Event, frozen=True, kw_only=True):
    """An officer chose a branch that has time of its own by the catalogue: the date moves by it.

    No apology and no delay: the first promise is kept beside it. A date that had been missed by then
    stays: an apology moves that.
    """

    dossier: DossierCode
    agency: Annotated[Agency, about("Who chose")]
    step: Annotated[Step, about("In which step")]
    branch: Annotated[Branch, about("How it goes on")]
    promised_at: Annotated[Instant, about("The first promise")]
    due_before: Annotated[Instant, about("The date that was in force")]
    due_at: Annotated[Instant, about("Due instant in force now")]
    stated_at: Instant


@event("dossier.withdrawn", "intake", read_by=("routing", "notify"))
class DossierWithdrawn(Event, frozen=True, kw_only=True):
    """Withdrawn by the citizen (status 7)."""

    dossier: DossierCode
    reason: Text
    withdrawn_at: Instant


@event("dossier.moved", "intake", read_by=("routing", "notify"))
class DossierMoved(Event, frozen=True, kw_only=True):
    """Offices or agencies were reorganised: who has the dossier, and its open tasks, from now on.

    No date moves, and what was stated before keeps the names of before. `from_office` and `office`
    are the same where only agencies of its steps are no more: then the citizen is told nothing.
    """

    dossier: DossierCode
    plan: Annotated[Word, about("Which reorganisation; a dossier is moved once by each")]
    reason: Annotated[Text, about("By which decision, in words")]
    from_office: Annotated[Office, about("Whose it was")]
    office: Annotated[Office, about("Whose it is now")]
    successors: Annotated[
        tuple[Successor, ...],
        Meta(max_length=MAX_MANY),
        about("Of agencies that may have its tasks; of another that is no more: by competence"),
    ]
    moved_at: Instant


@event("dossier.returned", "intake", read_by=("notify",))
class DossierReturned(Event, frozen=True, kw_only=True):
    """The result was handed over, all of it (status 10)."""

    dossier: DossierCode
    method: Annotated[Word, about("desk, post or online")]
    returned_at: Instant
    taker: Taker | None = None
    carrier: Carrier | None = None
    waybill: Waybill | None = None


@event("dossier.partly_returned", "intake", read_by=("notify",))
class DossierPartlyReturned(Event, frozen=True, kw_only=True):
    """Some of the results were handed over; the dossier waits for the rest to be (status 9)."""

    dossier: DossierCode
    method: Annotated[Word, about("desk, post or online")]
    steps: Annotated[Branches, about("Codes of the steps whose results were handed over now")]
    left: Annotated[Count, about("How many results are still to be handed over")]
    returned_at: Instant
    taker: Taker | None = None
    carrier: Carrier | None = None
    waybill: Waybill | None = None


@event("waybill.corrected", "intake", read_by=("notify",))
class WaybillCorrected(Event, frozen=True, kw_only=True):
    """The desk has mended what it had written down of a posting; nothing else moves."""

    dossier: DossierCode
    number: Annotated[Count, about("Which hand-over of the dossier it was, from 1")]
    carrier: Carrier
    waybill: Waybill
    was: Annotated[Waybill | None, about("The number as it was; null where none was written")] = (
        None
    )
    reason: Text
    corrected_at: Instant


@event("result.code_given", "intake", way="contacts", read_by=("notify",), personal=True)
class ResultCodeGiven(Event, frozen=True, kw_only=True):
    """A code with which the citizen reads the results, once; it goes to the contact that is known."""

    dossier: DossierCode
    code: Annotated[Word, about("Six digits", personal=True)]
    until: Annotated[Instant, about("It counts no longer than this")]
    given_at: Instant


@event("party.given", "intake", way="contacts", read_by=("notify",), personal=True)
class PartyGiven(Event, frozen=True, kw_only=True):
    """How to reach somebody beside the applicant who is told of a dossier: a neighbour, a parent.

    Stated before the applicant's own contact. Without any way left they are told nothing more.
    """

    dossier: DossierCode
    role: Annotated[Word, about("Which of the procedure's parties")]
    name: Annotated[Line, about("Who it is", personal=True)]
    phone: Annotated[Phone | None, about("E.164", personal=True)] = None
    email: Annotated[Email | None, about("Where letters go", personal=True)] = None
    language: Literal["vi", "en"]
    consent: Consent
    told: Annotated[
        tuple[Word, ...], Meta(max_length=MAX_MANY), about("The moments they hear of, no others")
    ]
    given_at: Instant
    first: Annotated[
        Literal["sms", "email"] | None, about("Which way they want first; null: no matter")
    ] = None


@event("contact.given", "intake", way="contacts", read_by=("notify",), personal=True)
class ContactGiven(Event, frozen=True, kw_only=True):
    """How to reach the citizen; travels on an exchange of its own that notify alone reads."""

    dossier: DossierCode
    name: Annotated[Line, about("The applicant", personal=True)]
    phone: Annotated[Phone | None, about("E.164", personal=True)] = None
    email: Annotated[Email | None, about("Where letters go", personal=True)] = None
    language: Literal["vi", "en"]
    consent: Consent
    lookup_word: Annotated[
        Word, about("With the dossier code it opens the look-up page", personal=True)
    ]
    given_at: Instant
    first: Annotated[
        Literal["sms", "email"] | None, about("Which way the citizen wants first; null: no matter")
    ] = None
    representative: Annotated[
        Line | None,
        about(
            "Who is told in the applicant's place: phone, email, consent are theirs", personal=True
        ),
    ] = None
