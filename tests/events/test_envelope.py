from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_rabbitmq
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.events.envelope import (
    CONTENT_TYPE,
    MAX_BYTES,
    Envelope,
    decode,
    encode,
    format_after,
    parse_after,
)
from shared.events.errors import ContractBroken
from shared.kernel.errors import Unreadable

ONE = Envelope(
    id="0195a7c0-0000-7000-8000-000000000001",
    source="/intake",
    type="vn.lienthong.dossier.withdrawn.v1",
    subject="000.00.01.H20-220301-0001",
    time=datetime(2022, 3, 1, 1, 30, tzinfo=UTC),
    data={"reason": "Công dân “đổi ý” 😀"},
    sequence=3,
    after="/routing:7",
)


def changed(**more) -> bytes:
    raw = json.loads(encode(ONE))
    raw.update(more)
    return json.dumps({k: v for k, v in raw.items() if v is not ...}).encode()


def test_the_bytes_have_a_fixed_form():
    assert encode(ONE).decode() == (
        '{"specversion":"1.0","id":"0195a7c0-0000-7000-8000-000000000001","source":"/intake",'
        '"type":"vn.lienthong.dossier.withdrawn.v1","subject":"000.00.01.H20-220301-0001",'
        '"time":"2022-03-01T01:30:00Z","datacontenttype":"application/json",'
        '"sequence":"0000000003","after":"/routing:7",'
        '"data":{"reason":"Công dân “đổi ý” 😀"}}'
    )
    assert decode(encode(ONE)) == ONE
    assert ONE.stream == "/intake 000.00.01.H20-220301-0001"


TEXT = (
    st.text(min_size=1, max_size=40)
    .filter(lambda s: "\x00" not in s)
    .filter(lambda s: not any(0xD800 <= ord(c) < 0xE000 for c in s))
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXT, below, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(TEXT, JSON, max_size=4),
    st.none() | st.integers(1, 10**12),
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=7))]),
        min_value=datetime(2000, 1, 1),
    ),
    TEXT,
)
@settings(deadline=None)
def test_whatever_is_encoded_decodes_to_the_same(data, sequence, at, subject):
    before = replace(ONE, data=data, sequence=sequence, time=at, subject=subject)
    after = decode(encode(before))
    assert after == replace(before, time=at.astimezone(UTC))
    assert encode(after) == encode(before)


def test_the_official_sdk_reads_our_bytes():
    message = RabbitMQMessage(headers={}, content_type=CONTENT_TYPE, body=encode(ONE))
    event = from_rabbitmq(message, JSONFormat())
    assert event.get_id() == ONE.id
    assert event.get_source() == "/intake"
    assert event.get_type() == ONE.type
    assert event.get_subject() == ONE.subject
    assert event.get_time() == ONE.time
    assert event.get_data() == ONE.data
    assert event.get_extension("sequence") == "0000000003"
    assert event.get_extension("after") == "/routing:7"


def test_events_of_other_makers_are_read_too():
    body = changed(time="2022-03-01T08:30:00.123456789+07:00", sequence=..., later="x", after=...)
    envelope = decode(body)
    assert envelope.time == datetime(2022, 3, 1, 1, 30, 0, 123457, tzinfo=UTC)
    assert envelope.sequence is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b" " * (MAX_BYTES + 1),
        changed(specversion="0.3"),
        changed(specversion=...),
        changed(id=""),
        changed(id=5),
        changed(id=...),
        changed(source=...),
        changed(type="x" * 300),
        changed(subject=None),
        changed(time="yesterday"),
        changed(time="2022-02-30T00:00:00Z"),
        changed(time="2022-03-01T00:00:00"),
        changed(time="0001-01-01T00:00:00+07:00"),
        changed(data=...),
        changed(data=[]),
        changed(data="text"),
        changed(datacontenttype="application/xml"),
        changed(sequence=3),
        changed(sequence="0"),
        changed(sequence="-1"),
        changed(sequence="３"),
        changed(traceparent="abc"),
        changed(after="/routing"),
        changed(after="/routing:x"),
        changed(after=" "),
        changed(correlationid=5),
        changed(data={"x": "a\x00b"}),
        changed(data={"x": "\ud800"}),
        encode(ONE).replace(b'"data":{', b'"data":{"x":NaN,'),
        encode(ONE).replace(b'"data":{', b'"data":{"x":Infinity,'),
    ],
)
def test_bytes_that_are_no_envelope_of_ours_are_unreadable(body):
    with pytest.raises(Unreadable) as told:
        decode(body)
    assert "Công dân" not in str(told.value)
    assert told.value.__cause__ is None


def test_a_backslash_before_u0000_is_only_text():
    body = changed(data={"x": "\\u0000 is how JSON writes NUL, \\ alone is text"})
    assert decode(body).data["x"].startswith("\\u0000")


@pytest.mark.parametrize(
    "broken",
    [
        {"id": ""},
        {"subject": None},
        {"time": datetime(2022, 3, 1)},
        {"sequence": 0},
        {"data": {"at": datetime(2022, 3, 1, tzinfo=UTC)}},
        {"data": {"x": float("nan")}},
        {"data": {"x": "\ud800"}},
        {"data": {"x": {1, 2}}},
    ],
)
def test_a_writer_is_told_of_its_slip(broken):
    with pytest.raises(ContractBroken):
        encode(replace(ONE, **broken))


def test_read_only_mappings_and_tuples_can_be_written():
    made = replace(ONE, data=MappingProxyType({"a": MappingProxyType({"b": (1, 2)})}))
    assert decode(encode(made)).data == {"a": {"b": [1, 2]}}


def test_after_is_written_in_order_and_read_back():
    text = format_after({"/routing": 7, "/intake": 12})
    assert text == "/intake:12 /routing:7"
    assert parse_after(text) == (("/intake", 12), ("/routing", 7))
    assert format_after({}) is None
    assert parse_after(None) == ()


def test_the_data_never_show_in_a_repr():
    assert "Công dân" not in repr(ONE)
    assert "#3" in repr(ONE)
