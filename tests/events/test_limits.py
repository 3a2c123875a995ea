"""What an event holds is limited when it is written and when it is read, by the same class."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from strategies import of_class, spoiled

from shared.events.agencies import AnswerTaken, TaskChanged
from shared.events.describe import json_schema, sample
from shared.events.errors import ContractBroken
from shared.events.event import Event, event, kind_of, read, write
from shared.events.intake import ContactGiven, DossierPaid, DossierReceived, DossierReturned
from shared.events.parts import Agency, Consent, Office, ProcedureName, ProcedureVersion
from shared.events.registry import KINDS
from shared.events.routing import DossierStarted, SupplementDropped
from shared.events.types import MAX_INT, MAX_MANY, MAX_TEXT
from shared.kernel.errors import Unreadable

NOON = datetime(2022, 3, 1, 5, tzinfo=UTC)
KIND = st.sampled_from(sorted(KINDS)).map(KINDS.__getitem__)
RELAXED = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SCHEMAS = {name: Draft202012Validator(json_schema(kind.cls)) for name, kind in KINDS.items()}


def as_json(data: Any) -> bytes:
    return msgspec.json.encode(data)


@given(st.data())
@RELAXED
def test_what_can_be_read_can_be_written_and_is_the_same_again(draw):
    kind = draw.draw(KIND)
    happened = read(kind, as_json(draw.draw(of_class(kind.cls))))
    assert read(kind, write(happened)) == happened


@pytest.mark.parametrize("amount", ["5000.0", "5e3", "5000"])
def test_a_whole_number_is_one_however_the_writer_puts_it(amount):
    name = "vn.lienthong.dossier.paid.v1"
    written = sample(KINDS[name])["data"]
    text = as_json({**written, "amount_vnd": 0}).replace(
        b'"amount_vnd":0', b'"amount_vnd":' + amount.encode()
    )
    assert read(KINDS[name], text).amount_vnd == 5000


@pytest.mark.parametrize("amount", ["5000.5", "1e400", "1e30", "NaN", '"5000"'])
def test_nothing_else_is_taken_for_a_whole_number(amount):
    name = "vn.lienthong.dossier.paid.v1"
    written = sample(KINDS[name])["data"]
    text = as_json({**written, "amount_vnd": 0}).replace(
        b'"amount_vnd":0', b'"amount_vnd":' + amount.encode()
    )
    with pytest.raises(Unreadable):
        read(KINDS[name], text)


@given(st.data())
@RELAXED
def test_a_reader_accepts_nothing_that_the_published_schema_refuses(draw):
    kind = draw.draw(KIND)
    data = draw.draw(spoiled(kind.cls))
    try:
        happened = read(kind, as_json(data))
    except Unreadable:
        return
    published = SCHEMAS[kind.type]
    faults = [
        fault.message for fault in published.iter_errors(msgspec.json.decode(write(happened)))
    ]
    assert faults == []


@given(st.data())
@RELAXED
def test_a_reader_takes_whatever_the_published_schema_allows(draw):
    kind = draw.draw(KIND)
    data = draw.draw(spoiled(kind.cls))
    # Python's $ also stands before a last line feed, in the validator as well.
    text = as_json(data)
    if SCHEMAS[kind.type].is_valid(data) and _real_instants(data) and b'\\n"' not in text:
        read(kind, text)


def _real_instants(data: Any) -> bool:
    """Whether what stands where instants do can be one: JSON Schema's format is a hint only."""
    if isinstance(data, list):
        return all(map(_real_instants, data))
    if not isinstance(data, dict):
        return True
    return all(
        _is_instant(value) if name.endswith(("at", "until", "_by")) else _real_instants(value)
        for name, value in data.items()
    )


def _is_instant(value: Any) -> bool:
    try:
        return value is None or datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def test_unknown_names_are_passed_over_when_reading_at_any_depth():
    data = {
        "dossier": "a",
        "procedure": {"code": "2.000986", "name": "Khai sinh", "later": 1},
        "started_at": "2022-03-01T01:30:00Z",
        "new": {"deep": True},
    }
    happened = read(kind_of(DossierStarted), as_json(data))
    assert happened == DossierStarted(
        dossier="a",
        procedure=ProcedureName(code="2.000986", name="Khai sinh"),
        started_at=datetime(2022, 3, 1, 1, 30, tzinfo=UTC),
    )


def test_an_optional_name_that_is_missing_reads_as_null():
    assert read(kind_of(AnswerTaken), b'{"task":"t1"}') == AnswerTaken(task="t1")


def test_an_instant_with_an_offset_is_the_same_instant():
    data = b'{"dossier":"a","method":"desk","returned_at":"2022-03-01T12:00:00+07:00"}'
    happened = read(kind_of(DossierReturned), data)
    assert happened == DossierReturned(dossier="a", method="desk", returned_at=NOON)


def contact(**wrong: Any) -> ContactGiven:
    good: dict[str, Any] = {
        "dossier": "d",
        "name": "Nguyễn Thị Sáu",
        "phone": "+84912345678",
        "language": "vi",
        "consent": Consent(sms=True, email=False),
        "lookup_word": "sen-hong",
        "given_at": NOON,
    }
    return ContactGiven(**{**good, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "0912 345 678"},
        {"phone": "+84912345678\n"},
        {"language": "fr-secret"},
        {"name": ""},
        {"name": "Sáu" * 100},
        {"name": 5},
        {"dossier": "a b"},
        {"given_at": datetime(2022, 3, 1)},
        {"given_at": "2022-03-01T00:00:00Z"},
        {"consent": {"sms": True, "email": False}},
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"name": b"bytes"},
    ],
    ids=repr,
)
def test_nothing_leaves_that_a_reader_would_refuse_and_the_message_names_no_value(wrong):
    with pytest.raises(ContractBroken) as told:
        write(contact(**wrong))
    for secret in ("0912", "fr-secret", "Sáu", "Nguyễn"):
        assert secret not in str(told.value)
        assert secret not in told.value.vi
    assert told.value.__cause__ is None


def received(**changed: Any) -> DossierReceived:
    good: dict[str, Any] = {
        "dossier": "d",
        "procedure": ProcedureVersion(code="1.0", name="n", version=1, short_name="s"),
        "field": "f",
        "office": Office(code="o", name="n", territory="*"),
        "channel": "direct",
        "submitted_at": NOON,
        "received_at": NOON,
        "promised_at": NOON,
        "due_at": NOON,
        "form": {},
        "papers": (),
        "branches": (),
    }
    return DossierReceived(**{**good, **changed})


@pytest.mark.parametrize(
    "wrong",
    [
        {"form": {"a": math.nan}},
        {"form": {"a": math.inf}},
        {"form": {"a": 2**60}},
        {"form": {"a": [1]}},
        {"form": {1: "a"}},
        {"form": {"a": "b\x00"}},
        {"branches": ["a"]},
        {"branches": ("a",) * (MAX_MANY + 1)},
        {"field": "x" * 201},
    ],
    ids=repr,
)
def test_forms_hold_plain_values_and_lists_have_an_end(wrong):
    with pytest.raises(ContractBroken):
        write(received(**wrong))


def test_limits_themselves_may_be_reached():
    write(received(branches=("a",) * MAX_MANY, form={"a": MAX_INT, "b": -MAX_INT, "c": 1e308}))
    write(SupplementDropped(dossier="d", round=1, reason="x" * MAX_TEXT, dropped_at=NOON))


def test_an_instant_of_another_zone_is_written_as_the_same_instant():
    east = NOON.astimezone(timezone(timedelta(hours=7)))
    assert (
        read(
            kind_of(DossierReturned),
            write(DossierReturned(dossier="d", method="desk", returned_at=east)),
        ).returned_at
        == NOON
    )  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.type)
def test_what_no_database_keeps_is_neither_written_nor_read(kind):
    text = as_json({**sample(kind)["data"], "task": "a\x00", "dossier": "b\x00"})
    with pytest.raises(Unreadable, match="NUL"):
        read(kind, text)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"task":' + b"[" * 99_999, b"\xff"])
def test_data_that_are_no_object_are_unreadable(data):
    with pytest.raises(Unreadable) as told:
        read(kind_of(AnswerTaken), data)
    assert told.value.__cause__ is None


def test_a_wrong_word_is_told_by_its_place_not_by_itself():
    data = b'{"task":"t","dossier":"d","agency":"a","change":"0912345678"}'
    with pytest.raises(Unreadable) as told:
        read(kind_of(TaskChanged), data)
    assert "$.change" in str(told.value)
    assert "0912345678" not in str(told.value)


def test_nothing_of_an_event_shows_when_it_is_printed():
    for shown in (repr(contact()), str(contact()), f"{contact()}", repr([contact()])):
        assert "Sáu" not in shown
        assert "912" not in shown
    assert "ContactGiven d" in repr(contact())


def test_an_event_outside_the_registry_cannot_be_stated():
    class Vanished(Event, frozen=True, kw_only=True):
        dossier: str

    with pytest.raises(ContractBroken):
        write(Vanished(dossier="d"))


def test_a_wire_name_is_entered_once():
    with pytest.raises(ContractBroken, match="twice"):

        @event("dossier.paid", "intake", read_by=("routing",))
        class Paid(Event, frozen=True, kw_only=True):
            dossier: str

    assert KINDS["vn.lienthong.dossier.paid.v1"].cls is DossierPaid


def test_parts_are_values():
    assert Agency(code="a", name="b") == Agency(code="a", name="b")
    with pytest.raises(AttributeError):
        Agency(code="a", name="b").code = "c"  # type: ignore[misc]
