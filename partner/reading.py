"""A task message read, tolerantly: what is new is passed over, what is odd is told by its place.

Pure functions. Whatever bytes come, the one error is UnreadableMessage, and its text repeats none
of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from partner.errors import UnreadableMessage
from partner.messages import Message

OF_NO_TASK = ("day_sums_compared",)
NO_TASK = "-"
LARGEST = 10**18  # of the numbers of messages: what a database's whole number holds


def read_message(body: bytes, *, numbered: bool = True) -> Message:
    """Read one task message; UnreadableMessage says what is wrong without repeating it.

    `numbered` False: it is one of the kit's own, which has no number.
    """
    raw = _envelope(body)
    data = raw.get("data")
    if not isinstance(data, dict):
        raise UnreadableMessage("the envelope has no data")
    for name, fits in _SHAPES.items():
        if data.get(name) is not None and not fits(data[name]):
            raise UnreadableMessage(f"data.{name} has another form than the contract's")
    sequence = _sequence(raw.get("sequence")) if numbered else 0
    kind = _kind(_text(raw, "type"))
    about = {"task": NO_TASK, "dossier": NO_TASK, **data} if kind in OF_NO_TASK else data
    return Message(
        id=_text(raw, "id"),
        kind=kind,
        sequence=sequence,
        time=_text(raw, "time"),
        task=_text(about, "task"),
        dossier=_text(about, "dossier"),
        data=data,
        body=body,
        follows=_follows(raw.get("follows"), sequence),
    )


def number_of(body: bytes) -> int | None:
    """The number of a message that may be odd otherwise, None where that cannot be read either."""
    try:
        return _sequence(_envelope(body).get("sequence"))
    except UnreadableMessage:
        return None


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(body.decode("utf-8-sig"))
        if b"\\u" in body:  # half a surrogate pair is no text: no file and no terminal takes it
            json.dumps(raw, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise UnreadableMessage("not JSON in UTF-8") from None
    if not isinstance(raw, dict) or raw.get("specversion") != "1.0":
        raise UnreadableMessage("not a CloudEvents 1.0 envelope")
    return raw


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableMessage(f"{name} is missing")
    return value


def _kind(wire_type: str) -> str:
    """`vn.lienthong.task.assigned.v1` is "assigned"; a type of a later day stays as it is."""
    words = wire_type.split(".")
    known = len(words) == 5 and words[:3] == ["vn", "lienthong", "task"] and words[4] == "v1"
    return words[3] if known else wire_type


def _sequence(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        # Not int() at once: Python refuses to read thousands of digits.
        number = int(value) if len(value) < len(str(LARGEST)) else 0
        if number:
            return number
    raise UnreadableMessage("sequence is missing or no number of a message")


def _follows(value: object, sequence: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        number = int(value) if len(value) < len(str(LARGEST)) else sequence
        if number < sequence:
            return number
    raise UnreadableMessage("follows is no number below sequence")


# --- the form of the fields that the kit looks into -------------------------------------------


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _are_papers(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and isinstance(each.get("code"), str | None) for each in value
    )


_SHAPES: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(("procedure", "step", "form"), _is_object),
    **dict.fromkeys(("papers", "papers_after"), _are_papers),
    "results": _are_texts,
    **dict.fromkeys(("due_at", "change", "answer_id", "kind", "rule", "place"), _is_text),
    **dict.fromkeys(("vi", "en", "state"), _is_text),
}
