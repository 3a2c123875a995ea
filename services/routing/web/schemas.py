"""Requests and replies of the agencies' API; an answer's body is in usecases/reading.py."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
from marshmallow import fields, validate

from shared.web.of_event import NOT_HERE
from shared.web.schemas import Instant, QueryInt, Schema

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


class ReplySchema(Schema):
    """What an answer came to; `note` says where not all was done as it was asked."""

    answer_id = fields.String(required=True)
    task = fields.String(required=True)
    kind = fields.String(required=True)
    applied = fields.Boolean(required=True)
    state = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
