"""JSON pointers of faults: where a place lies in the body that was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.pointers import pointer

BODY = {"form": {"a.b": 1, "a": {"b": 2}}, "papers": [{"code": "x"}], "odd/~": 1}


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("", "#"),
        ("form.a.b", "#/form/a.b"),
        ("form.missing", "#/form/missing"),
        ("papers.0.code", "#/papers/0/code"),
        ("papers.0.name", "#/papers/0/name"),
        ("papers.7", "#/papers"),
        ("papers.to-khai", "#/papers"),
        ("contact.consent.sms", "#/contact/consent/sms"),
        ("odd/~", "#/odd~1~0"),
    ],
)
def test_a_place_is_found_in_the_body_or_where_it_would_stand(place, where):
    assert pointer(place, BODY) == where


_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.text(), _json)
def test_no_place_and_no_body_breaks_it(place, body):
    assert pointer(place, body).startswith("#")
