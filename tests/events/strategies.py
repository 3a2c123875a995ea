"""Hypothesis strategies drawn from the fact schemas: good data, and data with one thing wrong."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from shared.events.fields import (
    MAX_INT,
    Choice,
    Flag,
    Form,
    Instant,
    Leaf,
    Many,
    Part,
    Phone,
    Text,
    Whole,
    Word,
)

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
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.just({}),
    st.just([]),
    st.just({"code": "a"}),
    st.just([None]),
    st.just({1: 2}),
    st.just({"a": float("nan")}),
    st.just({"a": [1]}),
    st.sampled_from(
        [
            "",
            "2022-02-30T00:00:00Z",
            "2022-03-01T00:00:00+07:00",
            "2022-03-01 00:00:00Z",
            "２022-03-01T00:00:00Z",
            "2022-03-01T00:00:00.1234567Z",
            "2022-03-01T24:00:00Z",
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
            1.0,
        ]
    ),
)


def leaf(field: Leaf) -> st.SearchStrategy[Any]:
    rows: list[tuple[type[Leaf], Any]] = [
        (Phone, st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)),
        (Word, st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,30}", fullmatch=True)),
        (Text, LETTERS),
        (Instant, INSTANTS),
        (Flag, st.booleans()),
        (Form, st.dictionaries(LETTERS, PLAIN, max_size=4)),
    ]
    if isinstance(field, Choice):
        return st.sampled_from(field.choices)
    if isinstance(field, Whole):
        return st.integers(field.least, MAX_INT)
    return next(made for kind, made in rows if isinstance(field, kind))


def of_field(field: Any) -> st.SearchStrategy[Any]:
    if isinstance(field, Many):
        return st.lists(of_field(field.inner), max_size=3)
    made = of_schema(field.schema_class()) if isinstance(field, Part) else leaf(field)
    return st.none() | made if field.nullable else made


@st.composite
def of_schema(draw: st.DrawFn, schema: Any) -> dict[str, Any]:
    out = {}
    for name, field in schema.fields.items():
        if field.required or draw(st.booleans()):
            out[name] = draw(of_field(field))
    return out


def places(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    rows = [at]
    if isinstance(data, dict):
        rows += [row for name, below in data.items() for row in places(below, (*at, name))]
    if isinstance(data, list):
        rows += [row for n, below in enumerate(data) for row in places(below, (*at, n))]
    return rows


@st.composite
def spoiled(draw: st.DrawFn, schema: Any) -> Any:
    """Good data where one place is replaced, dropped, or has a stranger beside it."""
    data = copy.deepcopy(draw(of_schema(schema)))
    spot = draw(st.sampled_from(places(data)))
    if not spot:
        return draw(st.one_of(ODD, st.just({**data, "stranger": 1})))
    inside = data
    for step in spot[:-1]:
        inside = inside[step]
    how = draw(st.sampled_from(["replace", "drop", "stranger"]))
    if how == "drop" or (how == "stranger" and not isinstance(inside, dict)):
        del inside[spot[-1]]
    elif how == "stranger":
        inside[draw(st.sampled_from(["stranger", "code", "Code"]))] = draw(ODD)
    else:
        inside[spot[-1]] = draw(ODD)
    return data
