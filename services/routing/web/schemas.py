"""Requests and replies of the agencies' API. The answer's rules are the contract's, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import marshmallow as ma
from marshmallow import fields, validate

from services.routing.usecases.answer import KINDS
from shared.kernel.clock import format_instant
from shared.web.schemas import MAX_INT, Instant, QueryInt, Schema, StrictInt, StrictText

STATES: Final = ("open", "assigned", "taken", "paused", "answered", "cancelled")
MISSING: Final = "Missing data for required field."
NOT_HERE: Final = "Unknown field."

# kind -> (fields it must have, fields it may have)
FIELDS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "taken": (frozenset(), frozenset({"officer"})),
    "completed": (
        frozenset({"outcome"}),
        frozenset({"result_code", "document", "reason", "amount_vnd"}),
    ),
    "supplement_needed": (frozenset({"items", "reason"}), frozenset({"respond_by"})),
    "refused": (frozenset({"reason"}), frozenset()),
    "more_time_needed": (frozenset({"reason", "until"}), frozenset()),
}


class TasksQuery(Schema):
    """Either the messages after a number, or the tasks in a state."""

    after = QueryInt(metadata={"description": "Messages with a number above this"})
    limit = QueryInt(load_default=100, validate=validate.Range(1, 500))
    state = fields.String(validate=validate.OneOf(STATES))

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
    reason = fields.String(required=True, allow_none=True)
    amount_vnd = fields.Integer(required=True, allow_none=True)
    late = fields.Boolean(required=True)


class TaskDetailSchema(TaskSchema):
    """A task with what its step shares; the form is empty once the task is closed."""

    form = fields.Dict(keys=fields.String(), required=True)
    papers = fields.List(fields.Dict(keys=fields.String()), required=True)
    results = fields.List(fields.String(), required=True)


class TasksSchema(Schema):
    """`items` are task messages as handed over (CloudEvents), or tasks when `state` was asked."""

    items = fields.List(fields.Dict(keys=fields.String()), required=True)
    next = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Go on with after=next"}
    )
    more = fields.Boolean(required=True)


class AnswerSchema(Schema):
    """One answer; which fields belong to it depends on its kind."""

    answer_id = fields.String(
        required=True,
        validate=validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,119}\Z"),
        metadata={"description": "Your own id of this answer; a repeat is harmless"},
    )
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    officer = StrictText(longest=200, allow_none=True)
    outcome = fields.String(validate=validate.OneOf(("granted", "refused")))
    result_code = StrictText(longest=120, allow_none=True)
    document = StrictText(longest=300, allow_none=True)
    amount_vnd = StrictInt(validate=validate.Range(0, MAX_INT), allow_none=True)
    items = fields.List(StrictText(longest=1000), validate=validate.Length(1, 500))
    reason = StrictText(longest=4000, allow_none=True)
    respond_by = Instant(allow_none=True)
    until = Instant()

    _FREE: ClassVar = frozenset({"answer_id", "kind"})

    @ma.validates_schema(skip_on_field_errors=True)
    def fits_its_kind(self, data: dict[str, Any], **_options: Any) -> None:
        """Every kind has its own fields."""
        must, may = FIELDS[data["kind"]]
        given = {name for name, value in data.items() if value is not None} - self._FREE
        faults = {name: [MISSING] for name in must - given}
        faults |= {name: [NOT_HERE] for name in given - must - may}
        if data["kind"] == "completed" and data.get("outcome") == "refused":
            faults |= {} if data.get("reason") else {"reason": [MISSING]}
        if faults:
            raise ma.ValidationError(faults)


class ReplySchema(Schema):
    """What an answer came to; `applied` false means that it changed nothing, as `note` says."""

    answer_id = fields.String(required=True)
    task = fields.String(required=True)
    kind = fields.String(required=True)
    applied = fields.Boolean(required=True)
    state = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)


def fields_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a checked answer as the contract writes them (instants as text)."""
    must, may = FIELDS[data["kind"]]
    out: dict[str, Any] = {}
    for name in sorted(must | may):
        value = data.get(name)
        out[name] = format_instant(value) if name in ("respond_by", "until") and value else value
    return out
