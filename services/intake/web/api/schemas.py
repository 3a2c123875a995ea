"""What the REST door takes and gives. Kinds are checked here, contents by the domain.

Required texts are not required here: the domain then tells every fault at once.
"""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from services.intake.domain.calling import OUTCOMES
from services.intake.domain.contacts import FIRST
from services.intake.domain.dossier import CHANNELS
from services.intake.domain.returning import RETURN_METHODS, TAKERS_VI
from services.intake.domain.statuses import Status
from shared.web.schemas import Day, Instant, QueryInt, Schema, StrictBool, StrictInt

FORM_WORDS = (
    "Fields by name. Numbers are JSON numbers (1250.5, not a text), days are YYYY-MM-DD; what each "
    "field takes (least, greatest, decimals, not_before, choices) is told by GET /procedures"
)
MOST_PARTIES = 20
_SCALAR = {"type": ["string", "number", "boolean", "null"]}


class Text(fields.String):
    """A text as it was sent; the domain cleans it and says what is wrong with it."""

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return value


class FormData(fields.Dict):
    """The declaration's fields by name; which there are is the procedure's business."""

    def __init__(self, **options: Any) -> None:
        about = {"additionalProperties": _SCALAR, "description": FORM_WORDS}
        about |= options.pop("metadata", {})
        super().__init__(keys=Text(), metadata=about, **options)


class PaperCountSchema(Schema):
    """A paper as counted; one that is not in the procedure's list has a name and no code."""

    code = Text(load_default=None, allow_none=True)
    name = Text(load_default=None, allow_none=True)
    original = StrictInt(load_default=0, validate=validate.Range(0, 99))
    copy = StrictInt(load_default=0, validate=validate.Range(0, 99))


class ConsentSchema(Schema):
    """The channels the citizen agreed to."""

    sms = StrictBool(load_default=False)
    email = StrictBool(load_default=False)


class RepresentativeSchema(Schema):
    """Who is told in the applicant's place, and by which paper; phone or e-mail must be there."""

    name = Text(load_default=None, allow_none=True, metadata={"description": "required"})
    phone = Text(load_default=None, allow_none=True)
    email = Text(load_default=None, allow_none=True)
    authority = Text(
        load_default=None,
        allow_none=True,
        metadata={"description": "required: the authorisation, its number and day"},
    )


class ContactSchema(Schema):
    """How to reach the citizen."""

    name = Text(load_default=None, allow_none=True, metadata={"description": "required"})
    phone = Text(load_default=None, allow_none=True)
    email = Text(load_default=None, allow_none=True)
    address = Text(
        load_default=None,
        allow_none=True,
        metadata={"description": "Where the person lives, for the papers; nobody else is told"},
    )
    language = fields.String(load_default="vi", validate=validate.OneOf(("vi", "en")))
    consent = fields.Nested(ConsentSchema, load_default=None, allow_none=True)
    first = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(FIRST),
        metadata={"description": "Which way the citizen wants first; null: the city's order"},
    )
    representative = fields.Nested(
        RepresentativeSchema,
        load_default=None,
        allow_none=True,
        metadata={"description": "Is told instead; consent, language and `first` are then theirs"},
    )


class PartyContactSchema(ContactSchema):
    """How to reach somebody beside the applicant; nobody is told in their place."""

    class Meta:
        """As marshmallow wants it."""

        exclude = ("representative",)


def parties() -> fields.Dict:
    """Those beside the applicant, by role."""
    return fields.Dict(
        keys=Text(),
        values=fields.Nested(PartyContactSchema),
        load_default=dict,
        validate=validate.Length(max=MOST_PARTIES),
        metadata={
            "description": "Who else is told, by role (GET /procedures), by their own consent"
        },
    )


class MendedContactSchema(ContactSchema):
    """How citizen and parties are reached from now on; a party that is left out stays as it was."""

    parties = parties()


class SubmitSchema(Schema):
    """A dossier to file; at the desk (`direct`) it is received at once."""

    procedure = Text(required=True, metadata={"example": "1.001193"})
    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    form = FormData(required=True)
    papers = fields.List(fields.Nested(PaperCountSchema), load_default=list)
    branches = fields.List(
        Text(),
        load_default=None,
        allow_none=True,
        metadata={"description": "Parts that the citizen chose; left out: the usual ones"},
    )
    contact = fields.Nested(ContactSchema, required=True)
    parties = parties()
    check_similar = fields.String(
        load_default="no",
        validate=validate.OneOf(("no", "tell", "ask")),
        metadata={
            "description": "Dossiers that may be about the same matter: `tell` files and lists them "
            "in `similar`; `ask` refuses with 409 and lists them, until `similar_seen` names all"
        },
    )
    similar_seen = fields.List(
        Text(),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={"description": "`mark` of each that an officer has seen, for `ask`"},
    )


class ReceiveSchema(Schema):
    """Reception of what was filed online or by post; `papers` replaces the checklist."""

    papers = fields.List(fields.Nested(PaperCountSchema), load_default=None, allow_none=True)


class RefuseSchema(Schema):
    """A refusal is never without a reason and what the citizen can do."""

    reason = Text(required=True)
    next_step = Text(required=True)


class RequestSupplementSchema(Schema):
    """Everything that is missing, in one go."""

    items = fields.List(Text(), required=True)
    reason = Text(required=True)
    respond_by = Instant(load_default=None, allow_none=True)


class ExtendSupplementSchema(Schema):
    """The later date by which papers that this desk asked for are to be brought."""

    respond_by = Instant(required=True)


class GrantExtensionSchema(Schema):
    """The request that is granted; left out where there is one alone."""

    task = Text(load_default=None, allow_none=True)


class RefuseExtensionSchema(GrantExtensionSchema):
    """The request that is refused, and why: its agency is told."""

    reason = Text(required=True)


class ApologiseSchema(Schema):
    """An apology for a missed date: why, and the new date."""

    reason = Text(required=True)
    due_at = Instant(required=True)


class SupplementSchema(Schema):
    """What the citizen brought, and the fields that changed."""

    round = StrictInt(load_default=None, allow_none=True, validate=validate.Range(1))
    papers = fields.List(fields.Nested(PaperCountSchema), load_default=list)
    form = FormData(load_default=dict)


class PaymentSchema(Schema):
    """A payment with its proof (number of the receipt)."""

    step = Text(load_default=None, allow_none=True)
    amount_vnd = StrictInt(required=True, validate=validate.Range(1))
    proof = Text(required=True)


class WithdrawSchema(Schema):
    """Why the citizen takes it back."""

    reason = Text(required=True)


class CalledSchema(Schema):
    """What came of a call; after `no_answer` the desk is to call again."""

    outcome = fields.String(load_default="reached", validate=validate.OneOf(tuple(OUTCOMES)))


class ReturnSchema(Schema):
    """How results reached the citizen: who took them at the desk, or by which post."""

    method = fields.String(required=True, validate=validate.OneOf(tuple(RETURN_METHODS)))
    steps = fields.List(
        Text(),
        load_default=None,
        allow_none=True,
        metadata={"description": "`step` of each result that leaves now; null: all that are left"},
    )
    taker = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(tuple(TAKERS_VI))
    )
    taker_name = Text(
        load_default=None, allow_none=True, metadata={"description": "the representative's"}
    )
    id_checked = StrictBool(
        load_default=False, metadata={"description": "needed with `taker`: papers were looked at"}
    )
    carrier = Text(load_default=None, allow_none=True)
    waybill = Text(load_default=None, allow_none=True, metadata={"description": "with `carrier`"})


class CorrectWaybillSchema(Schema):
    """A parcel as it should have been written down, and why it was not."""

    carrier = Text(required=True)
    waybill = Text(required=True)
    reason = Text(required=True)
    number = StrictInt(
        load_default=None,
        allow_none=True,
        metadata={"description": "which hand-over, from 1; null: the last that went by post"},
    )


class ListSchema(Schema):
    """Filters and paging of the list."""

    status = fields.List(QueryInt(validate=validate.OneOf([int(s) for s in Status])))
    office = Text()
    procedure = Text()
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    overdue = fields.String(validate=validate.OneOf(("true", "false")))
    received_from = Instant()
    received_to = Instant(metadata={"description": "not included"})
    text = Text(metadata={"description": "words of the code or of the applicant's name"})
    sort = fields.String(load_default="newest", validate=validate.OneOf(("newest", "due")))
    size = QueryInt(load_default=50, validate=validate.Range(1, 200))
    cursor = Text(metadata={"description": "`next` of the page before"})


class ReportQuery(Schema):
    """Both days are included, on the calendar of Việt Nam."""

    first = Day(required=True, data_key="from")
    last = Day(required=True, data_key="to")
    office = Text(metadata={"description": "for operators: one office instead of all"})


# --- answers ----------------------------------------------------------------------------------


class NamedSchema(ma.Schema):
    """A code with its Vietnamese name."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class StatusSchema(ma.Schema):
    """Official number and name."""

    number = fields.Integer(required=True)
    name = fields.String(required=True)


class SummarySchema(ma.Schema):
    """A dossier without the citizen's data; the answer to every write."""

    code = fields.String(required=True)
    status = fields.Nested(StatusSchema, required=True)
    procedure = fields.Nested(NamedSchema, required=True)
    procedure_version = fields.Integer(required=True)
    office = fields.Nested(NamedSchema, required=True)
    channel = fields.String(required=True)
    submitted_at = fields.String(required=True)
    received_at = fields.String(allow_none=True)
    promised_at = fields.String(
        allow_none=True, metadata={"description": "the first promise; never changes"}
    )
    due_at = fields.String(allow_none=True, metadata={"description": "the date in force now"})
    paused_since = fields.String(allow_none=True)
    overdue = fields.Boolean(required=True)
    finished_at = fields.String(allow_none=True)
    returned_at = fields.String(allow_none=True)
    lookup_word = fields.String(required=True)
    allowed = fields.List(fields.String(), metadata={"description": "what may be done now"})
    similar = fields.List(
        fields.Dict(),
        metadata={
            "description": "where `check_similar` was asked for: dossiers that may be about the "
            "same matter (`mark`, `office`, `why`, and of the own office `code`, `procedure`, "
            "`status`, `submitted_at`)"
        },
    )
    unreached = fields.List(
        fields.Dict(),
        metadata={
            "description": "parts of the contact at which something sent before did not arrive: "
            "`place`, `since`; ask whether they are right"
        },
    )


class HeldPaperSchema(ma.Schema):
    """A paper that the desk holds."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    original = fields.Integer(required=True)
    copy = fields.Integer(required=True)


class DossierSchema(SummarySchema):
    """Everything that the office holds."""

    form = fields.Dict(required=True)
    papers = fields.List(fields.Nested(HeldPaperSchema), required=True)
    branches = fields.List(fields.String(), required=True)
    contact = fields.Dict(required=True)
    parties = fields.Dict(required=True)
    waiting_for = fields.List(fields.Dict(), required=True)
    extensions = fields.List(fields.Dict(), required=True)
    ending = fields.Dict(allow_none=True)
    results = fields.List(fields.Dict(), required=True)
    results_left = fields.List(fields.String(), required=True)
    version = fields.String(
        required=True, metadata={"description": "another as soon as the contents are; see correct"}
    )
    corrections = fields.List(fields.Dict(), required=True)


class LineSchema(ma.Schema):
    """One line of the list."""

    code = fields.String(required=True)
    status = fields.Nested(StatusSchema, required=True)
    procedure = fields.Nested(NamedSchema, required=True)
    office = fields.String(required=True)
    channel = fields.String(required=True)
    applicant = fields.String(allow_none=True)
    submitted_at = fields.String(required=True)
    received_at = fields.String(allow_none=True)
    promised_at = fields.String(allow_none=True)
    due_at = fields.String(allow_none=True)
    overdue = fields.Boolean(required=True)
    finished_at = fields.String(allow_none=True)


class PageSchema(ma.Schema):
    """One page of the list."""

    items = fields.List(fields.Nested(LineSchema), required=True)
    total = fields.Integer(required=True)
    next = fields.String(allow_none=True)


class TimelineEntrySchema(ma.Schema):
    """One thing that was said of the dossier."""

    at = fields.String(required=True)
    type = fields.String(required=True)
    source = fields.String(required=True)
    title = fields.String(required=True)
    details = fields.List(fields.String(), required=True)
    late = fields.Boolean(required=True)
    note = fields.String(allow_none=True)


class TimelineSchema(ma.Schema):
    """The whole way of a dossier."""

    items = fields.List(fields.Nested(TimelineEntrySchema), required=True)


class FormFieldSchema(ma.Schema):
    """A field of a declaration."""

    name = fields.String(required=True)
    label = fields.String(required=True)
    type = fields.String(required=True)
    required = fields.Boolean(required=True)
    choices = fields.List(fields.String(), required=True)
    max_length = fields.Integer(allow_none=True)
    not_after = fields.String(
        allow_none=True,
        metadata={"description": "`today`: a date that may not lie in the future"},
    )
    not_before = fields.String(
        allow_none=True, metadata={"description": "the first day that a date given today may be"}
    )
    unit = fields.String(
        allow_none=True,
        metadata={
            "description": "what a number counts: vnd, m2; ordinal: it names, as a year does"
        },
    )
    least = fields.Float(allow_none=True, metadata={"description": "smallest number taken"})
    greatest = fields.Float(allow_none=True, metadata={"description": "greatest number taken"})
    decimals = fields.Integer(metadata={"description": "digits after the decimal point, at most"})
    required_unless = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "papers and fields any of which makes a required one optional"},
    )


class PaperSchema(ma.Schema):
    """A paper that a procedure asks for."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    original = fields.Integer(required=True)
    copy = fields.Integer(required=True)
    condition = fields.String(allow_none=True)


class BranchSchema(ma.Schema):
    """A part that the citizen may choose."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    default = fields.Boolean(required=True)


class ProcedureSchema(ma.Schema):
    """A procedure as a form needs it."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    name = fields.String(required=True)
    field = fields.String(required=True)
    duration = fields.Dict(required=True)
    channels = fields.List(fields.String(), required=True)
    fee = fields.Dict(required=True)
    form = fields.List(fields.Nested(FormFieldSchema), required=True)
    papers = fields.List(fields.Nested(PaperSchema), required=True)
    branches = fields.List(fields.Nested(BranchSchema), required=True)
    min_branches = fields.Integer(required=True)
    parties = fields.List(fields.Dict(), required=True)


class ProceduresSchema(ma.Schema):
    """What the office takes in today."""

    items = fields.List(fields.Nested(ProcedureSchema), required=True)


class Ii06aSchema(ma.Schema):
    """Form II.06a; in every row received.total = resolved.total + in_progress.total."""

    first = fields.String(required=True, attribute="from", data_key="from")
    last = fields.String(required=True, attribute="to", data_key="to")
    offices = fields.List(fields.Dict(), required=True)
    total = fields.Dict(required=True)
