"""The fast checkers and readers say exactly what the marshmallow schemas say."""

from __future__ import annotations

import marshmallow as ma
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import of_schema, spoiled

from shared.events.compiled import NotThis, reader
from shared.events.errors import ContractBroken
from shared.events.facts import FACTS, check, read, wire
from shared.kernel.errors import Unreadable

FACT = st.sampled_from(sorted(FACTS)).map(FACTS.__getitem__)
RELAXED = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def schema_accepts(schema: ma.Schema, data: object) -> bool:
    try:
        return not schema.validate(data)
    except TypeError:  # marshmallow sorts the unknown names of a set, some of which are numbers
        return False


@given(st.data())
@RELAXED
def test_good_data_pass_both(draw):
    fact = draw.draw(FACT)
    data = draw.draw(of_schema(fact.schema()))
    assert fact.accepts(data)
    assert schema_accepts(fact.schema(), data)
    assert fact.parse(data) == fact.schema().load(data)


@given(st.data())
@RELAXED
def test_the_checker_agrees_with_the_schema_on_spoiled_data(draw):
    fact = draw.draw(FACT)
    data = draw.draw(spoiled(fact.schema()))
    assert fact.accepts(data) == schema_accepts(fact.schema(), data)


@given(st.data())
@RELAXED
def test_the_reader_agrees_with_the_tolerant_schema_on_spoiled_data(draw):
    fact = draw.draw(FACT)
    data = draw.draw(spoiled(fact.schema()))
    tolerant = fact.schema(unknown=ma.EXCLUDE)
    if schema_accepts(tolerant, data):
        assert fact.parse(data) == tolerant.load(data)
    else:
        with pytest.raises(NotThis):
            fact.parse(data)


def test_unknown_names_are_refused_when_writing_and_passed_over_when_reading_at_any_depth():
    data = {
        "dossier": "a",
        "procedure": {"code": "2.000986", "name": "Khai sinh", "later": 1},
        "started_at": "2022-03-01T01:30:00Z",
        "new": {"deep": True},
    }
    with pytest.raises(ContractBroken) as told:
        check(wire("dossier.started"), data)
    assert "new: Unknown field." in str(told.value)
    assert "procedure.later: Unknown field." in str(told.value)
    read_back = read(wire("dossier.started"), data)
    assert set(read_back) == {"dossier", "procedure", "started_at"}
    assert set(read_back["procedure"]) == {"code", "name"}


def test_an_optional_name_that_is_missing_reads_as_null():
    assert read(wire("answer.taken"), {"task": "t1"}) == {"task": "t1", "officer": None}


def test_messages_name_places_and_rules_but_never_values():
    data = {"dossier": "d", "name": 5, "phone": "0912 345 678", "email": None, "language": "fr"}
    for tried, error in ((check, ContractBroken), (read, Unreadable)):
        with pytest.raises(error) as told:
            tried(wire("contact.given"), data)
        assert "phone: must be a phone number in E.164" in str(told.value)
        assert "0912" not in str(told.value)
        assert "fr" not in str(told.value).split("language: ")[1].split(";")[0].split()


def test_a_type_outside_the_contract_is_refused_both_ways():
    with pytest.raises(ContractBroken):
        check(wire("dossier.vanished"), {})
    with pytest.raises(Unreadable):
        read(wire("dossier.received", 2), {})


def test_a_field_that_cannot_be_compiled_is_found_at_load():
    class Loose(ma.Schema):
        any = ma.fields.Raw()

    with pytest.raises(TypeError):
        reader(Loose())
