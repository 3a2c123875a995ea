"""Today's event classes against the last released ones: readers and writers of both understand each other.

`data/released-1.json` holds the JSON Schemas of the release. A version of an event may gain optional
names and nothing else; whatever else changes is a new version. The file is made anew at a release,
never to make this test pass.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.commands.contract import contract
from shared.events.asyncapi import document
from shared.events.compatible import READERS, WRITERS, documents, schemas
from shared.events.describe import json_schema
from shared.events.registry import KINDS

RELEASED = json.loads((Path(__file__).parent / "data" / "released-1.json").read_text("utf-8"))
PAID = "vn.lienthong.dossier.paid.v1"
BOTH = f"{READERS}, {WRITERS}"


def test_every_event_of_the_release_is_still_in_the_contract():
    assert RELEASED.keys() - KINDS.keys() == set()


@pytest.mark.parametrize("name", sorted(RELEASED))
def test_an_event_only_gained_optional_names(name):
    assert list(schemas(RELEASED[name], json_schema(KINDS[name].cls), name)) == []


def _object(required: list[str] | None = None, **names: Any) -> dict[str, Any]:
    return {"type": "object", "properties": names, "required": required or []}


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("was", "now", "whom"),
    [
        (_object(a=TEXT), _object(), READERS),
        (_object(["a"], a=TEXT), _object(a=TEXT), READERS),
        (_object(a=TEXT), _object(["a"], a=TEXT), WRITERS),
        (_object(), _object(["b"], b=TEXT), WRITERS),
        (_object(a=TEXT), _object(a={"type": "integer"}), BOTH),
        (_object(a=TEXT), _object(a={"type": ["string", "null"]}), READERS),
        (_object(a={"anyOf": [TEXT, {"type": "null"}]}), _object(a=TEXT), WRITERS),
        (_object(a={"enum": ["x"]}), _object(a={"enum": ["x", "y"]}), READERS),
        (_object(a={"enum": ["x", "y"]}), _object(a={"enum": ["x"]}), WRITERS),
        (_object(a={**TEXT, "maxLength": 5}), _object(a={**TEXT, "maxLength": 6}), READERS),
        (_object(a={**TEXT, "maxLength": 5}), _object(a={**TEXT, "maxLength": 4}), WRITERS),
        (_object(a=TEXT), _object(a={**TEXT, "maxLength": 4}), WRITERS),
        (_object(a={"type": "integer", "minimum": 1}), _object(a={"type": "integer"}), READERS),
        (_object(a={**TEXT, "pattern": "^a"}), _object(a={**TEXT, "pattern": "^b"}), BOTH),
        (_object(a={**TEXT, "format": "date-time"}), _object(a=TEXT), BOTH),
        ({"type": "array", "items": TEXT}, {"type": "array", "items": {"type": "number"}}, BOTH),
        (_object(a=_object(b=TEXT)), _object(a=_object()), READERS),
    ],
)
def test_each_kind_of_change_names_whom_it_hurts(was, now, whom):
    assert [each.whom for each in schemas(was, now, "e")] == [whom]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (_object(a=TEXT), _object(a=TEXT, b=TEXT)),
        (_object(a={"type": ["string", "null"]}), _object(a={"anyOf": [TEXT, {"type": "null"}]})),
        (_object(a={**TEXT, "minLength": 0}), _object(a=TEXT)),
        (_object(a=TEXT), _object(a={**TEXT, "description": "other words"})),
    ],
)
def test_what_is_only_written_otherwise_is_no_change(was, now):
    assert list(schemas(was, now, "e")) == []


def _changed() -> dict[str, Any]:
    """Today's document with a key of an event gone, one of its names gone, and another event gone."""
    new = copy.deepcopy(document())
    messages = new["components"]["messages"]
    del messages["step.opened.v1"]
    paid = messages["dossier.paid.v1"]
    paid["x-routing-keys"] = ["elsewhere.dossier.paid"]
    del paid["payload"]["allOf"][2]["properties"]["data"]["properties"]["step"]
    return new


def test_two_documents_are_compared_by_messages_keys_and_names():
    found = documents(document(), _changed())
    assert [(each.place.removeprefix("vn.lienthong."), each.whom) for each in found] == [
        ("dossier.paid.v1", READERS),
        ("dossier.paid.v1 data.step", READERS),
        ("step.opened.v1", BOTH),
    ]
    assert documents(document(), document()) == []


def test_a_document_of_the_version_before_is_read():
    old = json.loads(json.dumps(document()))
    old["asyncapi"] = "3.0.0"
    old.pop("servers", None)
    assert documents(old, document()) == []


def _check(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(contract, ["check", *arguments])
    return result.exit_code, result.output


def test_the_command_says_what_breaks_for_whom_in_two_languages(tmp_path):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(document()), "utf-8")
    new.write_text(json.dumps(_changed()), "utf-8")
    assert _check(str(old))[0] == 0
    code, told = _check(str(old), str(new))
    assert code == 1
    assert "step.opened.v1" in told
    assert "data.step" in told
    assert "bên đọc" in told
    assert "readers" in told
    assert "3" in told.splitlines()[-1]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"components": {"messages": {"a": 1}}}', "\ufeff"]
)
def test_a_file_that_is_no_contract_is_named(tmp_path, text):
    odd = tmp_path / "odd.json"
    odd.write_text(text, "utf-8")
    code, told = _check(str(odd))
    assert code == 2
    assert str(odd) in told
    assert "asyncapi.json" in told


def test_the_contract_is_printed_for_whoever_keeps_it():
    result = CliRunner().invoke(contract, ["show"])
    assert result.exit_code == 0
    assert json.loads(result.output) == json.loads(json.dumps(document()))
