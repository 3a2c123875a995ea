"""Schemas made from event classes: the door refuses what the contract refuses, at its place."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import marshmallow as ma
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from shared.events.agencies import Answer, AnswerCompleted, AnswerSupplementNeeded, AnswerTaken
from shared.events.event import kind_of, read, write
from shared.events.types import Instant, Line, Whole, Word, about
from shared.web.of_event import MISSING, OneEventSchema, field_of, one_of

KINDS = {kind_of(each).name.removeprefix("answer."): each for each in get_args(Answer)}


def lacking(answer: Answer) -> dict[str, str]:
    refused = isinstance(answer, AnswerCompleted) and answer.outcome == "refused"
    return {"reason": MISSING} if refused and not answer.reason else {}


@pytest.fixture(scope="module")
def schema() -> type[OneEventSchema]:
    own = {"id": field_of(Word, required=True)}
    return one_of("Some", KINDS, own, said_elsewhere=("task",), lacking=lacking)


def faults(schema: type[OneEventSchema], body: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(ma.ValidationError) as refused:
        schema().load(body)
    return dict(refused.value.normalized_messages())


def test_a_good_body_becomes_its_event(schema: type[OneEventSchema]) -> None:
    body = {"id": "a", "kind": "supplement_needed", "items": [" Sổ "], "reason": "thiếu"}
    made = schema.event(schema().load(body), task="t-1")
    assert made == AnswerSupplementNeeded(task="t-1", items=("Sổ",), reason="thiếu")


def test_every_fault_of_every_field_is_told_at_once(schema: type[OneEventSchema]) -> None:
    body = {
        "kind": "completed",
        "outcome": "perhaps",
        "document": "x" * 301,
        "amount_vnd": -1,
        "items": [""],
        "until": "tomorrow",
        "task": "said by the address",
    }
    told = faults(schema, body)
    assert set(told) == {"id", *body} - {"kind"}
    assert told["document"] == ["Longer than maximum length 300."]


def test_what_lacks_and_what_does_not_belong_is_told_at_once(schema: type[OneEventSchema]) -> None:
    body = {"id": "a", "kind": "completed", "outcome": "refused", "until": "2022-03-10T09:00:00Z"}
    assert faults(schema, body) == {
        "reason": ["Missing data for required field."],
        "until": ["Unknown field."],
    }
    assert set(faults(schema, {"id": "a", "kind": "supplement_needed"})) == {"items", "reason"}


def test_null_counts_as_not_given_where_the_event_has_an_option(
    schema: type[OneEventSchema],
) -> None:
    made = schema.event(schema().load({"id": "a", "kind": "taken", "officer": None}), task="t-1")
    assert made == AnswerTaken(task="t-1")
    assert set(faults(schema, {"id": "a", "kind": "refused", "reason": None})) == {"reason"}


_VALUES = st.one_of(
    st.none(),
    st.integers(-5, 2**54),
    st.text(max_size=6),
    st.text("x", min_size=119, max_size=330),
    st.lists(st.text(max_size=3), max_size=3),
    st.sampled_from(["granted", "refused", "2022-03-10T09:00:00Z", "2022-03-10T09:00:00+07:00"]),
)
_FIELDS = sorted({name for cls in KINDS.values() for name in cls.__struct_fields__} - {"task"})


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(_FIELDS), _VALUES))
def test_what_the_door_lets_in_the_contract_writes_and_reads(
    schema: type[OneEventSchema], kind: str, body: dict[str, Any]
) -> None:
    try:
        data = schema().load({"id": "a", "kind": kind} | body)
    except ma.ValidationError:
        return
    event = schema.event(data, task="t-1")
    assert read(kind_of(type(event)), write(event)) == event


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(_FIELDS), _VALUES))
def test_what_the_contract_refuses_the_door_refuses(
    schema: type[OneEventSchema], kind: str, body: dict[str, Any]
) -> None:
    if "items" in body and body["items"] is not None and isinstance(body["items"], list):
        body["items"] = [text.strip() for text in body["items"]]
    try:
        msgspec.convert({"task": "t-1"} | body, KINDS[kind])
    except msgspec.ValidationError:
        with pytest.raises(ma.ValidationError):
            schema().load({"id": "a", "kind": kind} | body)


def test_fields_carry_the_words_and_limits_of_their_types() -> None:
    amount = field_of(Annotated[Whole | None, about("Dong")])
    assert amount.metadata == {"minimum": 0, "maximum": 2**53 - 1, "description": "Dong"}
    assert amount.allow_none
    line = field_of(Line, required=True)
    assert line.required
    with pytest.raises(ma.ValidationError):
        line.deserialize("x" * 201)
    with pytest.raises(ma.ValidationError):
        field_of(Word).deserialize("a b")
    with pytest.raises(ma.ValidationError):
        field_of(Instant).deserialize("2022-03-10")
    with pytest.raises(ma.ValidationError):
        field_of(Annotated[tuple[Line, ...], Meta(max_length=1)]).deserialize(["a", "b"])


def test_a_type_that_no_door_has_needed_so_far_is_told_to_who_writes_the_door() -> None:
    with pytest.raises(TypeError, match="FloatType"):
        field_of(float)
