"""marshmallow schemas made from event classes: where a body is an event, its rules stand once.

The limits of a field come from its type, its words from `about`. What is asked of text at every
door besides (no blanks around it, no characters that cannot be kept) is that of `schemas.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar, Final, cast

import marshmallow as ma
from marshmallow import fields, validate
from msgspec import inspect

from shared.events.event import Event
from shared.kernel.errors import Fault
from shared.web.schemas import Instant, Schema, StrictInt, StrictText

MISSING: Final = "Missing data for required field."
NOT_HERE: Final = "Unknown field."


def field_of(annotation: Any, **options: Any) -> fields.Field[Any]:
    """The field for a type of `shared/events`; TypeError for a kind of type not needed so far."""
    return _field(inspect.type_info(annotation), options)


class OneEventSchema(Schema):
    """A body that is one of several events, told apart by `kind`; made by `one_of`.

    Every fault of every field is told at once; where there is none, every field that lacks or
    does not belong to this kind.
    """

    events: ClassVar[Mapping[str, type[Event]]]
    #: By kind: the fields of its event that a body may hold, and whether it must.
    shapes: ClassVar[Mapping[str, Mapping[str, bool]]]
    lacking: ClassVar[Callable[[Any], Mapping[str, Any]]]

    @ma.validates_schema(skip_on_field_errors=True)
    def fits_its_kind(self, data: dict[str, Any], **_options: Any) -> None:
        """Every kind has its own fields."""
        shape = self.shapes[data["kind"]]
        others = {name for each in self.shapes.values() for name in each} - set(shape)
        given = {name for name, value in data.items() if value is not None}
        missing = {name for name, must in shape.items() if must} - given
        nothing = dict.fromkeys(self.events[data["kind"]].__struct_fields__)
        incomplete = self.events[data["kind"]](**nothing | _own(shape, data))
        said = type(self).lacking(incomplete)
        strangers = given & others
        if strangers or missing or said:
            told = dict.fromkeys(missing, MISSING) | dict(said) | dict.fromkeys(strangers, NOT_HERE)
            raise ma.ValidationError({name: [words] for name, words in told.items()})

    @classmethod
    def event(cls, data: Mapping[str, Any], **said: Any) -> Any:
        """The event in a body that was found good; `said` are the fields that the address says."""
        kind = data["kind"]
        return cls.events[kind](**_own(cls.shapes[kind], data), **said)


class _OneKind(validate.OneOf):
    """One of these kinds, with words of its own for what is none."""

    def __init__(self, kinds: tuple[str, ...], fault: Fault | None) -> None:
        super().__init__(kinds)
        self._fault = fault

    def __call__(self, value: Any) -> str:
        if self._fault is not None and value not in self.choices:
            raise ma.ValidationError([self._fault])
        return str(super().__call__(value))


def _own(shape: Iterable[str], data: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: data[name] for name in shape if name in data}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }


def one_of(
    name: str,
    events: Mapping[str, type[Event]],
    own: Mapping[str, fields.Field[Any]],
    *,
    said_elsewhere: Collection[str],
    lacking: Callable[[Any], Mapping[str, Any]],
    no_such_kind: Fault | None = None,
) -> type[OneEventSchema]:
    """The schema of a body that is one of these events, by the name of its kind.

    `own` are fields of the body that no event has; `said_elsewhere` fields of the events that the
    address says. `lacking` tells what an event must hold by a rule over several fields (field ->
    what to say of it); others of its fields may be None then. `no_such_kind` is what to say of a
    kind that is none of these.
    """
    made: dict[str, Any] = dict(own)
    made["kind"] = fields.String(required=True, validate=_OneKind(tuple(events), no_such_kind))
    merged = _merged(events.values())
    made |= {field: _field(merged[field], {}) for field in merged if field not in said_elsewhere}
    schema = cast("type[OneEventSchema]", OneEventSchema.from_dict(made, name=name))
    schema.events = events
    schema.shapes = {
        kind: {
            field.name: field.required for field in _fields(cls) if field.name not in said_elsewhere
        }
        for kind, cls in events.items()
    }
    schema.lacking = staticmethod(lacking)
    return schema


def _fields(cls: type[Event]) -> tuple[inspect.Field, ...]:
    return cast("inspect.StructType", inspect.type_info(cls)).fields


def _merged(classes: Iterable[type[Event]]) -> dict[str, inspect.Type]:
    """Every field of these classes; one of several classes in its widest form, without words."""
    found: dict[str, inspect.Type] = {}
    for field in (field for cls in classes for field in _fields(cls)):
        if field.name not in found:
            found[field.name] = field.type
        else:
            both = (found[field.name], field.type)
            found[field.name] = next(
                (each for each in map(_bare, both) if _nullable(each)), both[0]
            )
    return found


def _bare(kind: inspect.Type) -> inspect.Type:
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _nullable(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.UnionType) and kind.includes_none


def _field(kind: inspect.Type, options: dict[str, Any]) -> fields.Field[Any]:
    kind, options = _unwrapped(kind, options)
    made: fields.Field[Any]
    match kind:
        case inspect.StrType(pattern=None):
            longest = 1000 if kind.max_length is None else kind.max_length
            made = StrictText(longest=longest, empty=not kind.min_length, **options)
        case inspect.StrType():
            made = fields.String(validate=validate.Regexp(kind.pattern or ""), **options)
        case inspect.IntType():
            made = StrictInt(validate=validate.Range(kind.ge, kind.le), **options)
        case inspect.LiteralType():
            made = fields.String(validate=validate.OneOf(kind.values), **options)
        case inspect.DateTimeType():
            made = Instant(**options)
        case inspect.VarTupleType():
            length = validate.Length(kind.min_length, kind.max_length)
            made = fields.List(_field(kind.item_type, {}), validate=length, **options)
        case _:
            raise TypeError(f"there is no field for {type(kind).__name__} yet")
    return made


def _unwrapped(kind: inspect.Type, options: dict[str, Any]) -> tuple[inspect.Type, dict[str, Any]]:
    """The type itself, with what its words and `| None` mean to a field."""
    match kind:
        case inspect.Metadata():
            words = (kind.extra_json_schema or {}).get("description")
            said = {} if words is None else {"metadata": {"description": words}}
            return _unwrapped(kind.type, said | options)
        case inspect.UnionType(types=(inner, inspect.NoneType())):
            return _unwrapped(inner, options | {"allow_none": True})
    return kind, options
