"""Requests and replies of the agencies' API; an answer's body is in usecases/reading.py."""

from __future__ import annotations

from typing import Annotated, Any, Final

import marshmallow as ma
from marshmallow import fields, validate
from msgspec import Meta

from shared.events.agencies import MOST_DAYS, MOST_SPANS
from shared.events.types import WRITTEN_TEXT, Word
from shared.web.of_event import NOT_HERE, field_of
from shared.web.schemas import Day, Instant, QueryInt, Schema, StrictInt

STATES: Final = ("open", "assigned", "taken", "paused", "answered", "cancelled")


class TasksQuery(Schema):
    """Either the messages after a number, or the tasks in a state."""

    after = QueryInt(metadata={"description": "Messages with a number above this"})
    limit = QueryInt(load_default=100, validate=validate.Range(1, 500))
    state = fields.String(
        validate=validate.OneOf((*STATES, "near")),
        metadata={
            "description": "`near`: running, and its date is near by the city's rule or past"
        },
    )

    @ma.validates_schema
    def one_of_two(self, data: dict[str, Any], **_options: Any) -> None:
        """Both at once mean nothing."""
        if "after" in data and "state" in data:
            raise ma.ValidationError({"state": [NOT_HERE]})


class PlacementSchema(Schema):
    """Who does a step of the coordination list, with a word that this agency is told."""

    agency = field_of(Word, required=True, metadata={"description": "Code of the agency"})
    reason = field_of(
        Annotated[str, Meta(min_length=1, max_length=WRITTEN_TEXT)],
        required=True,
        metadata={"description": "A word to this agency; it stands in the timeline"},
    )


class PlacedSchema(Schema):
    """The entry of the list that was decided, and who has the step now."""

    task = fields.String(required=True)
    agency = fields.String(required=True)


class NamedSchema(Schema):
    """A code and the name people read."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class TaskSchema(Schema):
    """A task as it stands."""

    task = fields.String(required=True)
    dossier = fields.String(required=True)
    procedure = fields.Nested(NamedSchema, required=True)
    step = fields.Nested(NamedSchema, required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES[1:]))
    assigned_at = Instant(required=True)
    due_at = Instant(
        required=True, allow_none=True, metadata={"description": "null while the clock stands"}
    )
    taken_at = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    result_code = fields.String(required=True, allow_none=True)
    document = fields.String(required=True, allow_none=True)
    file = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    amount_vnd = fields.Integer(required=True, allow_none=True)
    late = fields.Boolean(required=True)


class TaskDetailSchema(TaskSchema):
    """A task with what its step shares; the form is empty once the task is closed."""

    form = fields.Dict(keys=fields.String(), required=True)
    papers = fields.List(fields.Dict(keys=fields.String()), required=True)
    results = fields.List(fields.String(), required=True)
    may = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "answers that it allows beside the usual"},
    )
    branches = fields.List(
        fields.Nested(NamedSchema),
        required=True,
        metadata={"description": "ways on: a granted completion must choose one of them"},
    )


class FilesSchema(Schema):
    """Addresses at this same host; whoever has one may use it until it ends, so hand it to nobody."""

    read = fields.String(
        required=True, metadata={"description": "GET: the files of the task's dossier"}
    )
    hand_in = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "POST: a result file; null once the task is closed"},
    )
    until = Instant(required=True)


class TasksSchema(Schema):
    """`items` are task messages as handed over (CloudEvents), or tasks when `state` was asked."""

    items = fields.List(fields.Dict(keys=fields.String()), required=True)
    next = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Go on with after=next"}
    )
    more = fields.Boolean(required=True)


class EvidenceQuery(Schema):
    """From which record on, and how many."""

    after = QueryInt(load_default=0, validate=validate.Range(0))
    limit = QueryInt(load_default=100, validate=validate.Range(1, 1000))


class EvidenceSchema(Schema):
    """Each of `items` as one line of JSON makes a file of evidence: keys, records, a signed end."""

    items = fields.List(fields.Dict(keys=fields.String()), required=True)
    next = fields.Integer(required=True, metadata={"description": "Go on with after=next"})
    more = fields.Boolean(required=True)


class DaysQuery(Schema):
    """How many days of Viet Nam's calendar, today among them."""

    days = QueryInt(load_default=7, validate=validate.Range(1, MOST_DAYS))


class SpanSchema(Schema):
    """Numbers of messages in one piece."""

    first = StrictInt(required=True, validate=validate.Range(1))
    last = StrictInt(required=True, validate=validate.Range(1))


class DaySumSchema(Schema):
    """The messages of one local day: those whose `time` lies in it (UTC+7)."""

    day = Day(required=True)
    count = StrictInt(required=True, validate=validate.Range(0))
    sha256 = fields.String(
        required=True,
        validate=validate.Regexp("^[0-9a-f]{64}$"),
        metadata={
            "description": "Over the lines `<number> <id>`, each with a line feed, by number, UTF-8"
        },
    )
    spans = fields.List(
        fields.Nested(SpanSchema), required=True, validate=validate.Length(max=MOST_SPANS)
    )


class DaySumsSchema(Schema):
    """Sums of some days, each day once."""

    days = fields.List(
        fields.Nested(DaySumSchema), required=True, validate=validate.Length(1, MOST_DAYS)
    )


class DayComparedSchema(DaySumSchema):
    """The city's sum of a day, and what yours has beside it; at most 200 spans of each."""

    agreed = fields.Boolean(required=True)
    missing = fields.List(
        fields.Nested(SpanSchema), required=True, metadata={"description": "Fetch these"}
    )
    forgotten = fields.List(
        fields.Nested(SpanSchema),
        required=True,
        metadata={"description": "Of before a restore of the city's database: leave them out"},
    )
    strange = fields.List(  # marshmallow has a word `unknown` of its own
        fields.Nested(SpanSchema),
        required=True,
        data_key="unknown",
        metadata={"description": "The city has not got these: tell the city"},
    )


class DaysComparedSchema(Schema):
    """What came of the sums that were handed in, in their order."""

    days = fields.List(fields.Nested(DayComparedSchema), required=True)


class SaidSchema(Schema):
    """Who had the step before and did not do it; `named` is whom it thought competent."""

    agency = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    named = fields.String(required=True, allow_none=True)


class WaitingSchema(Schema):
    """A step that no agency has."""

    task = fields.String(required=True, metadata={"description": "Name it in the placement"})
    dossier = fields.String(required=True)
    procedure = fields.Nested(NamedSchema, required=True)
    step = fields.Nested(NamedSchema, required=True)
    waiting_since = Instant(required=True)
    due_at = Instant(required=True, allow_none=True)
    before = fields.List(fields.Nested(SaidSchema), required=True)


class ToPlaceSchema(Schema):
    """The coordination list, the longest waiting first."""

    items = fields.List(fields.Nested(WaitingSchema), required=True)
    more = fields.Boolean(required=True)


class ReplySchema(Schema):
    """What an answer came to; `note` says where not all was done as it was asked."""

    answer_id = fields.String(required=True)
    task = fields.String(required=True)
    kind = fields.String(required=True)
    applied = fields.Boolean(required=True)
    state = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
