"""Today's event classes against the last released ones: readers and writers of both understand each other.

`data/released-1.json` holds the JSON Schemas of the release. A version of an event may gain optional
names and nothing else; whatever else changes is a new version. The file is made anew at a release,
never to make this test pass.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.events.describe import json_schema
from shared.events.registry import KINDS

RELEASED = json.loads((Path(__file__).parent / "data" / "released-1.json").read_text("utf-8"))
LIMITS = ("minLength", "maxLength", "minimum", "maximum", "maxItems", "pattern")


def shape(schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema allows, however it is written down."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if options and "additionalProperties" not in schema:
        some = [each for each in options if each != {"type": "null"}]
        if len(some) == 1:
            return {**shape({**schema, **some[0], "anyOf": None, "oneOf": None}), "null": True}
    types = schema.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    words = schema.get("enum") or []
    made: dict[str, Any] = {
        "null": "null" in types or None in words,
        "words": sorted(word for word in words if word is not None),
        "instant": schema.get("format") == "date-time",
        **{
            name: schema[name]
            for name in LIMITS
            if (name, schema.get(name)) != ("minLength", 0) and name in schema
        },
    }
    if not words:
        made["types"] = sorted(types - {"null"})
    if "items" in schema:
        made["items"] = shape(schema["items"])
    if "properties" in schema:
        made["names"] = {name: shape(below) for name, below in schema["properties"].items()}
        made["required"] = sorted(schema.get("required", []))
    return made


def broken(before: dict[str, Any], now: dict[str, Any], place: str) -> list[str]:
    """What a reader or writer of the release would not understand, by place."""
    rest = {"names", "required", "items"}
    found = [
        f"{place}: {key} was {before.get(key)}, is {now.get(key)}"
        for key in sorted((before.keys() | now.keys()) - rest)
        if before.get(key) != now.get(key)
    ]
    if "items" in before:
        found += broken(before["items"], now.get("items", {}), f"{place}[]")
    names = now.get("names", {})
    for name, below in before.get("names", {}).items():
        found += (
            broken(below, names[name], f"{place}.{name}")
            if name in names
            else [f"{place}.{name}: gone"]
        )
    if before.get("required") != now.get("required"):
        found.append(f"{place}: required was {before.get('required')}, is {now.get('required')}")
    return found


def test_every_event_of_the_release_is_still_in_the_contract():
    assert RELEASED.keys() - KINDS.keys() == set()


@pytest.mark.parametrize("name", sorted(RELEASED))
def test_an_event_only_gained_optional_names(name):
    assert broken(shape(RELEASED[name]), shape(json_schema(KINDS[name].cls)), name) == []


def test_a_change_would_be_noticed():
    name = "vn.lienthong.dossier.paid.v1"
    before = shape(RELEASED[name])
    for changed in (
        {"amount_vnd": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}},
        {"step": {"type": "string", "maxLength": 5}},
        {"paid_at": {"type": ["string", "null"], "format": "date-time", "pattern": "Z$"}},
    ):
        now = {**RELEASED[name], "properties": {**RELEASED[name]["properties"], **changed}}
        assert broken(before, shape(now), name) != []
    assert broken(before, shape({**RELEASED[name], "required": []}), name) != []
    gone = {key: rule for key, rule in RELEASED[name]["properties"].items() if key != "step"}
    assert broken(before, shape({**RELEASED[name], "properties": gone}), name) != []
