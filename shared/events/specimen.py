"""A golden sample for an event that has none yet, made once by `python -m shared.events`.

A field takes what another event's sample has in a field of its name, where that fits its type;
else something small of its type. The file is looked at by a person before it is kept for ever.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import inspect

from shared.events.describe import sample, sample_path
from shared.events.event import Kind
from shared.events.registry import KINDS

AT: Final = "2022-03-16T03:00:00Z"
_TEXTS: Final = ("mau", "+84912345678", AT[:10], "0" * 64)
_SMALL: Final[dict[type[inspect.Type], Any]] = {
    inspect.DateTimeType: AT,
    inspect.BoolType: True,
    inspect.IntType: 1,
    inspect.FloatType: 1.5,
    inspect.DictType: {},
}


def specimen(kind: Kind) -> dict[str, Any]:
    """A whole envelope of this event, modelled on those of its way."""
    models = [each for each in KINDS.values() if sample_path(each).exists()]
    model = next((each for each in models if each.way == kind.way), models[0])
    envelope = sample(model)
    data = _data(kind, models)
    last = max(int(sample(each)["id"].rpartition("-")[2], 16) for each in models)
    return envelope | {
        "id": f"{envelope['id'].rpartition('-')[0]}-{last + 1:012x}",
        "source": kind.addresses[0].source.replace("{agency}", _agency(envelope["source"])),
        "type": kind.type,
        "subject": data[kind.about],
        "time": AT,
        "data": data,
    }


def _agency(source: str) -> str:
    return source.rpartition("/")[2]


def _data(kind: Kind, models: list[Kind]) -> dict[str, Any]:
    known: dict[str, list[Any]] = {}
    for model in models:
        for name, value in sample(model)["data"].items():
            known.setdefault(name, []).append(value)
    hints = get_type_hints(kind.cls, include_extras=True)
    made = {}
    for field in msgspec.structs.fields(kind.cls):
        fitting = (value for value in known.get(field.name, ()) if _fits(value, hints[field.name]))
        small = _small(inspect.type_info(hints[field.name]))
        made[field.encode_name] = next(fitting, small)
    written: dict[str, Any] = json.loads(msgspec.json.encode(msgspec.convert(made, kind.cls)))
    return written


def _fits(value: Any, hint: Any) -> bool:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError:
        return False
    return value is not None


def _small(told: inspect.Type) -> Any:  # noqa: PLR0911 - one for each kind there is
    match told:
        case inspect.Metadata():
            return _small(told.type)
        case inspect.UnionType():
            return _small(next(t for t in told.types if not isinstance(t, inspect.NoneType)))
        case inspect.StructType():
            return {field.encode_name: _small(field.type) for field in told.fields}
        case inspect.VarTupleType():
            return [_small(told.item_type)]
        case inspect.LiteralType():
            return told.values[0]
        case inspect.StrType():
            return next(each for each in _TEXTS if re.search(told.pattern or "", each))
        case _:
            return _SMALL[type(told)]
