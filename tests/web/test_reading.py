"""The one reader of JSON: what it takes, what it refuses in which words, and at what cost."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import InvalidInput
from shared.web.reading import DEEPEST, MOST_DIGITS, MOST_VALUES, NotRead, read

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner),
    max_leaves=30,
)  # fmt: skip


def refused(body: str | bytes) -> InvalidInput:
    with pytest.raises(NotRead) as found:
        read(body)
    assert all(fault.vi and fault.en for fault in found.value.refusal.faults)
    return found.value.refusal


@given(VALUES, st.booleans())
def test_what_json_is_is_read_as_it_was_written(value: object, ascii_only: bool):
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert read(text) == read(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b'"\xed\xa0\x80"', "\ufeff{}".encode("utf-16"),
     b'{"a": 1e999}', b"9" * (MOST_DIGITS + 1), b"-" + b"9" * 5000, b"[" * 1500 + b"]" * 1500,
     b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), b"[" + b"0," * MOST_VALUES + b"0]"],
)  # fmt: skip
def test_what_is_no_json_or_too_much_of_it_is_refused_as_unreadable(body: bytes):
    assert refused(body).status == 400


def test_the_limits_are_where_they_are_said_to_be():
    assert read("[" * DEEPEST + "]" * DEEPEST)
    assert len(read("[" + "0," * (MOST_VALUES - 1) + "0]")) == MOST_VALUES
    assert read("9" * MOST_DIGITS) == int("9" * MOST_DIGITS)
    assert read(b"\xef\xbb\xbf{}") == {}
    # Brackets and commas inside texts are no structure.
    text = json.dumps({"a": '[{,\\"' * 20_000})
    assert read(text) == json.loads(text)


def test_texts_that_no_database_keeps_are_told_by_their_place():
    body = r'{"a": {"b": ["fine", "\ud800", "\ud83d\ude00"]}, "c": "\u0000", "d\udfff": 1, "e.f": "\\u0000"}'
    told = refused(body)
    assert told.status == 422
    assert [fault.place for fault in told.faults] == ["", "a.b.1", "c"]


@pytest.mark.parametrize(
    "body",
    [b'"' + b'\\"' * 500_000, b"[" * 1_000_000, b'{"":' * 250_000, b'"\\' * 500_000, b"9" * 1_000_000,
     b'["\\u0000"' + b',"\\u0000"' * 9_000 + b"]", b"," * 1_000_000, b'"",' * 300_000],
)  # fmt: skip
def test_a_megabyte_of_anything_is_refused_in_linear_time(body: bytes):
    began = time.thread_time()
    refused(body)
    assert time.thread_time() - began < 3, "seconds of this thread alone; a hundredth is usual"
