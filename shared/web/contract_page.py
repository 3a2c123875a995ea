"""The contract of events as a page for people, and as the AsyncAPI document for programs.

Both are of this version, need no key and no network: an agency's programmer reads them at the
door that the agency has anyway.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import flask
from flask import render_template

from shared.events.asyncapi import document, text
from shared.events.describe import rows, sample, sentence, sequel
from shared.events.event import Kind
from shared.events.registry import KINDS

PAGE = "/docs/events"
FILE = "/asyncapi.json"


@dataclass(frozen=True, slots=True)
class Told:
    """One event on the page."""

    name: str
    type: str
    words: tuple[str, ...]
    keys: tuple[str, ...]
    sources: tuple[str, ...]
    fields: tuple[tuple[str, str, str], ...]  # name, kind, about
    example: str


@dataclass(frozen=True, slots=True)
class Place:
    """An exchange or a queue, with what comes by it; `rules` are (what, words)."""

    anchor: str
    address: str
    words: str
    rules: tuple[tuple[str, str], ...]
    names: tuple[str, ...]


def blueprint() -> flask.Blueprint:
    """The two addresses."""
    blue = flask.Blueprint("contract", __name__)

    def page() -> str:
        return render_template("lienthong/events.html", places=_places(), events=_events())

    def file() -> flask.Response:
        return flask.Response(text(), mimetype="application/json")

    blue.add_url_rule(PAGE, "page", page)
    blue.add_url_rule(FILE, "file", file)
    return blue


@cache
def _events() -> tuple[Told, ...]:
    return tuple(_told(kind) for kind in KINDS.values())


def _told(kind: Kind) -> Told:
    return Told(
        name=kind.name,
        type=kind.type,
        words=tuple(
            words.replace("`", "") for words in (sentence(kind.cls), sequel(kind.cls)) if words
        ),
        keys=tuple(dict.fromkeys(each.routing_key for each in kind.addresses)),
        sources=tuple(dict.fromkeys(each.source for each in kind.addresses)),
        fields=tuple(rows(kind.cls)),
        example=json.dumps(sample(kind), ensure_ascii=False, indent=2),
    )


@cache
def _places() -> tuple[Place, ...]:
    return tuple(_all_places())


def _all_places() -> Iterator[Place]:
    for short, channel in document()["channels"].items():
        rules = (
            (name[2:], words)
            for name, words in channel.items()
            if name.startswith("x-") and isinstance(words, str)
        )
        yield Place(
            anchor=short,
            address=channel["title"],
            words=channel["description"],
            rules=tuple(rules),
            names=tuple(each.rpartition(".v")[0] for each in channel["messages"]),
        )
