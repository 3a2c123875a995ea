"""Hypothesis strategies drawn from the event classes: good data, and data with one thing wrong.

They make plain JSON values, as a stranger's program would send them.
"""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from shared.events.types import MAX_INT

LETTERS = st.text(alphabet="aăâbcdđeêghiôơuưỗ ẤÝ0123456789-.\n😀", min_size=1, max_size=30)
INSTANTS = st.datetimes().map(lambda at: at.isoformat() + "Z")
PLAIN = st.one_of(
    st.none(), st.booleans(), LETTERS, st.integers(-MAX_INT, MAX_INT), st.floats(-1e9, 1e9)
)
# Things that look right and are not, or are right in one place only.
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5),
    st.just({}),
    st.just([]),
    st.just({"code": "a"}),
    st.just([None]),
    st.just({"a": [1]}),
    st.sampled_from(
        [
            "",
            "2022-02-30T00:00:00Z",
            "2022-03-01T00:00:00",
            "２022-03-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "+84900000000",
            "0900000000",
            "granted",
            "direct",
            "a b",
            "a\n",
            "x" * 5000,
            2**60,
            -1,
            0,
            1,
        ]
    ),
)


def of_class(cls: type) -> st.SearchStrategy[dict[str, Any]]:
    """Good data of an event or a part of one."""
    told = inspect.type_info(cls)
    assert isinstance(told, inspect.StructType)
    return _struct(told)


def _struct(told: inspect.StructType) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {each.encode_name: _value(each.type) for each in told.fields if each.required},
        optional={each.encode_name: _value(each.type) for each in told.fields if not each.required},
    )


def _value(told: inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(told, inspect.Metadata):
        return _value(told.type)
    return _MADE[type(told)](told)


def _text(told: inspect.StrType) -> st.SearchStrategy[str]:
    if told.pattern:
        return st.from_regex(told.pattern, fullmatch=True)
    longest = min(told.max_length or 30, 30)
    return st.text("aăỗ Ý0-.😀", min_size=told.min_length or 0, max_size=longest)


_MADE: dict[type, Any] = {
    inspect.UnionType: lambda told: st.one_of(*(_value(each) for each in told.types)),
    inspect.StructType: _struct,
    inspect.VarTupleType: lambda told: st.lists(_value(told.item_type), max_size=3),
    inspect.LiteralType: lambda told: st.sampled_from(told.values),
    inspect.DictType: lambda _: st.dictionaries(LETTERS, PLAIN, max_size=4),
    inspect.StrType: _text,
    inspect.IntType: lambda told: st.integers(told.ge, told.le),
    inspect.DateTimeType: lambda _: INSTANTS,
    inspect.BoolType: lambda _: st.booleans(),
    inspect.NoneType: lambda _: st.none(),
}


@st.composite
def spoiled(draw: st.DrawFn, cls: type) -> dict[str, Any]:
    """Good data with one value somewhere replaced or left out; now and then still good."""
    data = copy.deepcopy(draw(of_class(cls)))
    holder: Any = data
    while True:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not places:
            return data
        place = draw(st.sampled_from(places))
        below = holder[place]
        if isinstance(below, dict | list) and below and draw(st.booleans()):
            holder = below
            continue
        if isinstance(holder, dict) and draw(st.integers(0, 4)) == 0:
            del holder[place]
        else:
            holder[place] = draw(ODD)
        return data
