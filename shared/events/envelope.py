"""The envelope: CloudEvents 1.0 as structured JSON, the same bytes wherever a fact is kept or sent.

Encoding and decoding are on the hot path, so they are plain JSON with strict checks.  What the
data mean is not known here (`facts.py`).
Source: CloudEvents 1.0.2, JSON event format 1.0.2, extensions `sequence` and `traceparent`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from shared.events.errors import ContractBroken
from shared.kernel.clock import format_instant
from shared.kernel.errors import Unreadable

CONTENT_TYPE: Final = "application/cloudevents+json"
MAX_BYTES: Final = 1024 * 1024
SEQUENCE_DIGITS: Final = 10

_LONGEST = {"id": 200, "source": 200, "type": 200, "subject": 200}
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII).fullmatch
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
).fullmatch
_SEQUENCE = re.compile(r"[0-9]{1,18}", re.ASCII).fullmatch
_AFTER = re.compile(r"[^\s:]+:[0-9]{1,18}(?: [^\s:]+:[0-9]{1,18})*", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Envelope:
    """One fact with what is known about it; `time` is aware and in UTC, `sequence` counts from 1.

    `after` names facts of other sources that the maker had applied for this subject
    (`format_after`).  `data` may hold personal data and is therefore not shown.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]
    sequence: int | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    after: str | None = None
    dataschema: str | None = None

    @property
    def stream(self) -> str:
        """The stream inside which `sequence` counts without gaps."""
        return f"{self.source} {self.subject}"

    def __repr__(self) -> str:
        number = "" if self.sequence is None else f" #{self.sequence}"
        return f"<Envelope {self.type} {self.stream}{number} id={self.id}>"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError("not a JSON value")


_to_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
).encode


def encode(envelope: Envelope) -> bytes:
    """The bytes of an envelope: keys in fixed order, UTF-8, `sequence` as ten digits.

    Raises `ContractBroken` where an attribute is missing or the data are no JSON.
    """
    out: dict[str, Any] = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": _time_text(envelope.time),
        "datacontenttype": "application/json",
    }
    _add_options(out, envelope)
    out["data"] = envelope.data
    for name, longest in _LONGEST.items():
        if not isinstance(out[name], str) or not 0 < len(out[name]) <= longest:
            raise ContractBroken(f"envelope: {name} must be text of 1 to {longest} characters")
    try:
        return _to_json(out).encode()
    except (TypeError, ValueError):  # no JSON value, NaN, a lone surrogate
        raise ContractBroken(f"envelope: data of {envelope.type} cannot be written") from None


def _add_options(out: dict[str, Any], envelope: Envelope) -> None:
    if envelope.dataschema is not None:
        out["dataschema"] = envelope.dataschema
    if envelope.sequence is not None:
        if envelope.sequence < 1:
            raise ContractBroken("envelope: sequence counts from 1")
        out["sequence"] = f"{envelope.sequence:0{SEQUENCE_DIGITS}d}"
    for name in ("correlationid", "causationid", "traceparent", "after"):
        value = getattr(envelope, name)
        if value is not None:
            out[name] = value


def _time_text(at: datetime) -> str:
    try:
        return format_instant(at)
    except ValueError:
        raise ContractBroken("envelope: time must be an aware instant") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_from_json = json.JSONDecoder(parse_constant=_no_constant).decode


def decode(body: bytes) -> Envelope:
    """The envelope in these bytes; attributes that we do not know are passed over.

    Raises `Unreadable`, naming the attribute and the rule but never a value.
    """
    raw = _parse(body)
    if raw.get("specversion") != "1.0":
        raise Unreadable("envelope: specversion must be 1.0")
    if raw.get("datacontenttype", "application/json") != "application/json":
        raise Unreadable("envelope: datacontenttype must be application/json")
    data = raw.get("data")
    if not isinstance(data, dict):
        raise Unreadable("envelope: data must be an object")
    return Envelope(
        id=_attribute(raw, "id"),
        source=_attribute(raw, "source"),
        type=_attribute(raw, "type"),
        subject=_attribute(raw, "subject"),
        time=_instant(raw.get("time")),
        data=data,
        sequence=_sequence(raw.get("sequence")),
        correlationid=_option(raw, "correlationid"),
        causationid=_option(raw, "causationid"),
        traceparent=_shaped(raw, "traceparent", _TRACEPARENT),
        after=_shaped(raw, "after", _AFTER),
        dataschema=_option(raw, "dataschema"),
    )


def _parse(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BYTES:
        raise Unreadable(f"envelope: longer than {MAX_BYTES} bytes")
    try:
        raw = _from_json(body.decode())
        if b"\\u" in body:
            _refuse_unstorable(raw)
    except (ValueError, RecursionError):  # JSONDecodeError and UnicodeError are ValueErrors
        raise Unreadable("envelope: not JSON in UTF-8") from None
    if not isinstance(raw, dict):
        raise Unreadable("envelope: must be an object")
    return raw


def _refuse_unstorable(raw: object) -> None:
    """Refuse NUL and lone surrogates, legal as JSON escapes, which no PostgreSQL text can hold."""
    text = _to_json(raw)
    text.encode()
    if re.search(r"(?<!\\)(?:\\\\)*\\u0000", text):
        raise ValueError


def _attribute(raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST[name]:
        return value
    raise Unreadable(f"envelope: {name} must be text of 1 to {_LONGEST[name]} characters")


def _option(raw: dict[str, Any], name: str) -> str | None:
    value = raw.get(name)
    if value is None or (isinstance(value, str) and 0 < len(value) <= 1000):
        return value
    raise Unreadable(f"envelope: {name} must be text that is not empty")


def _shaped(raw: dict[str, Any], name: str, fits: Any) -> str | None:
    value = raw.get(name)
    if value is None or (isinstance(value, str) and fits(value)):
        return value
    raise Unreadable(f"envelope: {name} has the wrong form")


def _instant(value: object) -> datetime:
    if isinstance(value, str) and _TIME(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise Unreadable("envelope: time must be an RFC 3339 instant")


def _sequence(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and _SEQUENCE(value) and (number := int(value)) > 0:
        return number
    raise Unreadable("envelope: sequence must be digits, counting from 1")


def format_after(applied: Mapping[str, int] | Iterable[tuple[str, int]]) -> str | None:
    """The `after` attribute from source -> last number applied; None where there is nothing."""
    pairs = applied.items() if isinstance(applied, Mapping) else applied
    return " ".join(f"{source}:{number}" for source, number in sorted(pairs)) or None


def parse_after(after: str | None) -> tuple[tuple[str, int], ...]:
    """The pairs (source, number) of an `after` attribute that `decode` has let through."""
    if not after:
        return ()
    pairs = (pair.rpartition(":") for pair in after.split(" "))
    return tuple((source, int(number)) for source, _, number in pairs)
