"""Whoever reconciles finds what was planted: a loss, a double, a doubt, a silence; and nothing in a good run."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from simulation.chaos.journal import Entry
from simulation.chaos.mail import Letter
from simulation.chaos.verdict import BROKEN, DOUBT, LOST, SILENCE, TWICE, Evidence, judge

CODE = "000.21.87.H20-261130-0001"
MOMENTS = ("received", "resolved", "returned")


def letter(name: str, **changes: Any) -> Letter:
    usual = Letter(name, "a@example.vn", "Hồ sơ", "text", True, True, "250", "takes")
    return dataclasses.replace(usual, **changes)


def message(name: str, moment: str, state: str = "sent") -> dict[str, str]:
    return {"id": name, "dossier": CODE, "moment": moment, "channel": "email", "state": state}


def rude(number: int, verdict: str, *, said: bool = True) -> Entry:
    facts = {"verdict": verdict, "agency": "bhxh", "answer": f"a{number}", "parked": f"p{number}"}
    return Entry(number, "rude", {"kind": verdict}, "", facts=facts | {"said": said})


def good() -> Evidence:
    """One dossier carried to its end, one answer refused and told, one parked and shown."""
    filed = Entry(1, "file", {}, "", facts={"code": CODE})
    return Evidence(
        acts=[filed, rude(2, "told"), rude(3, "parked"), rude(4, "once")],
        receipts=[CODE],
        dossiers={CODE: 10},
        letters=[letter(f"m-{moment}") for moment in MOMENTS],
        messages=[message(f"m-{moment}", moment) for moment in MOMENTS],
        told={"bhxh": ["a2", "a4"]},
        parked={"p3": "unreadable"},
        shown=1,
    )


def test_a_good_run_has_nothing_to_be_found():
    assert judge(good()) == []


def test_what_explains_itself_is_nothing_to_be_found():
    """A letter the server left without a word, one it refused for good, one per kill."""
    calm = good()
    letters = [
        letter("m-received", said="", whole=False, kept=False),
        letter("m-resolved", said="550", kept=False),
        letter("m-returned"),
    ]
    messages = [
        message("m-received", "received", "uncertain"),
        message("m-resolved", "resolved", "undeliverable"),
        message("m-returned", "returned"),
    ]
    left = dataclasses.replace(
        calm, letters=letters, messages=messages, uncertain=["m-received", "m-killed"], reasons=1
    )
    assert judge(left) == []


def kinds(evidence: Evidence) -> set[str]:
    return {finding.kind for finding in judge(evidence)}


@pytest.mark.parametrize(
    "planted",
    [
        {"dossiers": {}},
        {"dossiers": {CODE: 4}},
        {"letters": [letter("m-received"), letter("m-resolved")]},
        {"messages": [message("m-received", "received"), message("m-resolved", "resolved")]},
        {"messages": [message(f"m-{each}", each, "sending") for each in MOMENTS]},
        {"messages": [message(f"m-{each}", each, "undeliverable") for each in MOMENTS]},
    ],
    ids=["no dossier", "no end", "no letter", "no message", "under way for ever", "given up"],
)
def test_a_planted_loss_is_found(planted: dict[str, Any]):
    assert LOST in kinds(dataclasses.replace(good(), **planted))


@pytest.mark.parametrize(
    "planted",
    [
        {"letters": [*good().letters, letter("m-resolved")]},
        {
            "letters": [*good().letters, letter("m-again")],
            "messages": [*good().messages, message("m-again", "received")],
        },
        {"dossiers": {CODE: 10, CODE.replace("0001", "0002"): 10}},
    ],
    ids=["one letter twice", "one moment by two letters", "one request, two dossiers"],
)
def test_a_planted_double_is_found(planted: dict[str, Any]):
    assert TWICE in kinds(dataclasses.replace(good(), **planted))


def test_a_letter_in_doubt_without_a_reason_is_found():
    doubted = dataclasses.replace(good(), uncertain=["m-received", "m-resolved"], reasons=1)
    assert kinds(doubted) == {DOUBT}


@pytest.mark.parametrize(
    "planted",
    [
        {"told": {"bhxh": ["a4"]}},
        {"told": {"bhxh": ["a2", "a4", "a4"]}},
        {"parked": {}, "shown": 0},
        {"parked": {"p3": "unreadable", "other": "why"}, "shown": 2},
        {"shown": 0},
        {"held": ["intake.facts retry"]},
        {"acts": [*good().acts, Entry(9, "malformed", {"kind": "empty"}, "")]},
        {"acts": [*good().acts, Entry(9, "stop", {}, "", ok=False, said="exit None")]},
        {"acts": [*good().acts, Entry(9, "file", {}, "")]},
        {"acts": [*good().acts, rude(9, "told", said=False)]},
    ],
    ids=[
        "nobody told", "told twice", "not parked", "parked for no reason", "status is silent",
        "still held", "no answer", "a bad verdict", "no receipt", "never said",
    ],
)  # fmt: skip
def test_a_planted_silence_is_found(planted: dict[str, Any]):
    assert kinds(dataclasses.replace(good(), **planted)) == {SILENCE}


def test_what_did_not_come_back_is_found():
    assert kinds(dataclasses.replace(good(), broken=["notify work 1 is not ready"])) == {BROKEN}
