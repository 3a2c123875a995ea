"""An answer as it was sent, read by the same rules from a message and from a request's body.

A message that keeps every rule is read by its event class alone, which is quick. Whatever else comes
goes through the schema of the HTTP door: so both doors let in the same, and say the same of the rest.
Names that no kind of answer has are passed over in a message, as everywhere on the wire.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, cast

import marshmallow as ma
import msgspec

from services.routing.domain import refusals
from services.routing.domain.answers import lacking
from services.routing.domain.refusals import Refusal
from services.routing.domain.submission import KINDS, ForgedAnswer, Sent, SubmissionKey, digest
from shared.events import names
from shared.events.agencies import Answer
from shared.events.envelope import Envelope
from shared.events.event import kind_of
from shared.events.types import Word
from shared.kernel.errors import Fault, Unreadable
from shared.web.faults import INVALID, faults_of
from shared.web.of_event import field_of, one_of

_BY_TYPE: Final = {kind_of(cls).type: name for name, cls in KINDS.items()}
_TASK: Final = "task"
_LONGEST_WORDS: Final = 2000
_ATTRIBUTE: Final = re.compile(r"(?:`\$\.| field `|envelope: )(\w+)(?:`| must)").search
_NO_SUCH_KIND: Final = refusals.UNKNOWN_KIND.said(kinds=", ".join(KINDS))


def fault_of(refusal: Refusal) -> Fault:
    """A refusal as the doors tell faults."""
    return Fault(refusal.place, refusal.vi, refusal.en, refusal.rule)


def _lacking(answer: Answer) -> dict[str, list[Fault]]:
    refusal = lacking(answer)
    return {} if refusal is None else {refusal.place: [fault_of(refusal)]}


#: The body of the HTTP door: which field belongs to which kind is said by the events alone.
AnswerSchema: Final = one_of(
    "Answer",
    KINDS,
    {
        "answer_id": field_of(
            Word,
            required=True,
            metadata={"description": "Your own id of this answer; a repeat is harmless"},
        )
    },
    said_elsewhere=(_TASK,),
    lacking=_lacking,
    no_such_kind=fault_of(_NO_SUCH_KIND),
)
_SCHEMA: Final = AnswerSchema()
_ANY_FIELD: Final = frozenset[str]().union(*AnswerSchema.shapes.values())
#: By kind: the fields of other kinds.
_STRANGERS: Final = {name: _ANY_FIELD - set(own) for name, own in AnswerSchema.shapes.items()}


def read_message(envelope: Envelope, routing_key: str | None) -> Sent:
    """What an agency's message says; ForgedAnswer where it is no agency's.

    `routing_key` is that under which it came, None where nobody knows it any more.
    """
    agency = names.agency_of(envelope.source)
    if agency is None:
        raise ForgedAnswer("an answer must come from an agency")
    key = SubmissionKey(agency, envelope.id, envelope.subject)
    kind = _BY_TYPE.get(envelope.type)
    if envelope.fault is not None:
        answer: Answer | Refusal = _broken(envelope.fault)
    elif kind is None:
        answer = _unknown(envelope.type)
    elif routing_key is not None and routing_key.rpartition(".")[2] != kind:
        answer = refusals.KIND_DIFFERS
    else:
        answer = _quickly(envelope, kind) or _thoroughly(envelope, kind)
    return Sent(key, kind or _kind_in(envelope.type), answer, _digest(envelope, answer))


def _digest(envelope: Envelope, answer: Answer | Refusal) -> str:
    if not isinstance(answer, Refusal):
        return digest(answer)
    data = envelope.data
    raw = getattr(data, "json", None) or msgspec.json.encode(dict(data))
    return hashlib.sha256(b"\0".join((envelope.type.encode(), raw))).hexdigest()


def _kind_in(wire_type: str) -> str:
    name = names.short(wire_type).removeprefix("answer.")
    return name if name in KINDS else wire_type


def _broken(fault: str) -> Refusal:
    """Of an envelope that breaks a rule: which attribute, as far as that is told."""
    found = _ATTRIBUTE(fault)
    place = found[1] if found else ""
    words = refusals.BAD_ENVELOPE.said(place=place or "#", fault=fault.removeprefix("envelope: "))
    return replace(words, place=place)


def _unknown(wire_type: str) -> Refusal:
    if _kind_in(wire_type) in KINDS and names.short(wire_type).startswith("answer."):
        return refusals.UNKNOWN_VERSION
    return _NO_SUCH_KIND


def _quickly(envelope: Envelope, kind: str) -> Answer | None:
    """The answer, if nothing about it asks for a second look."""
    try:
        answer = cast("Answer", envelope.event())
        sent = dict(envelope.data)
        odd = any(sent.get(name) is not None for name in _STRANGERS[kind])
    except (Unreadable, msgspec.DecodeError):
        return None
    plain = answer.task == envelope.subject and not odd and all(map(_is_plain, _texts(answer)))
    return answer if plain else None


def _texts(answer: Answer) -> Iterator[str]:
    for name in answer.__struct_fields__:
        value = getattr(answer, name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from value


def _is_plain(text: str) -> bool:
    """Whether a door would keep this text as it is."""
    printed = text.isprintable() and text.strip() == text
    return printed and unicodedata.is_normalized("NFC", text)


def _thoroughly(envelope: Envelope, kind: str) -> Answer | Refusal:
    """The answer as the HTTP door would read it, or the first rule that it breaks."""
    try:
        data: dict[str, Any] = dict(envelope.data)
    except (msgspec.DecodeError, RecursionError):
        vi, en = "Dữ liệu (data) không đọc được.", "the data cannot be read"
        return Refusal(INVALID, "", vi, en)
    if _TASK not in data:
        vi, en = "Thiếu trường bắt buộc.", "Missing data for required field."
        return Refusal("missing_field", _TASK, vi, en)
    if data[_TASK] != envelope.subject:
        return refusals.TASK_DIFFERS
    own = {name: value for name, value in data.items() if name in _ANY_FIELD}
    try:
        loaded = _SCHEMA.load(own | {"answer_id": "as-sent", "kind": kind})
    except ma.ValidationError as wrong:
        return _told(faults_of(wrong.messages))
    return cast("Answer", AnswerSchema.event(loaded, task=envelope.subject))


def _told(faults: tuple[Fault, ...]) -> Refusal:
    """The first fault, with the words of all."""
    first = faults[0]
    if len(faults) == 1:
        return Refusal(first.rule, first.place, first.vi, first.en)
    vi = "; ".join(f"{fault.place}: {fault.vi}" for fault in faults)
    en = "; ".join(f"{fault.place}: {fault.en}" for fault in faults)
    return Refusal(first.rule, first.place, vi[:_LONGEST_WORDS], en[:_LONGEST_WORDS])
