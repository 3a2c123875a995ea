"""Facts without the form or the contact of a citizen, for whoever keeps them and does not need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from shared.events.envelope import Data, Envelope, decode, encode
from shared.kernel.errors import ParkNow

#: The fields of events that hold form fields, whatever the event; a test holds them to the classes.
FORM_FIELDS: Final = ("form", "form_after")
_data = msgspec.json.Decoder(dict[str, Any]).decode


#: What stands in the place of a contact that was erased; every reader takes it.
_NOBODY: Final = {
    "name": "-", "representative": None, "phone": None, "email": None, "lookup_word": "0"
}  # fmt: skip


def without_forms(body: bytes, envelope: Envelope | None = None) -> bytes:
    """The bytes of an event with empty forms; as they are where they hold none, or are no event.

    `envelope` spares reading them, where that was done before.
    """
    if b'"form' not in body:
        return body
    return _changed(body, lambda data: {n: {} for n in FORM_FIELDS if data.get(n)}, envelope)


def without_contact(body: bytes) -> bytes:
    """The bytes of an event that reaches nobody any more; as they are where it never did."""
    if b'"lookup_word"' not in body and b"party.given" not in body:
        return body
    return _changed(body, lambda data: {n: v for n, v in _NOBODY.items() if data.get(n)})


def _changed(
    body: bytes,
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    envelope: Envelope | None = None,
) -> bytes:
    try:
        known = envelope or decode(body)
        data = _data(_json(known.data))
        others = change(data)
        if not others:
            return body
        text = msgspec.json.encode(data | dict(others))
        return encode(msgspec.structs.replace(known, data=Data(text)))
    except (ParkNow, msgspec.DecodeError):
        return body


def _json(data: Mapping[str, Any]) -> bytes:
    return data.json if isinstance(data, Data) else msgspec.json.encode(dict(data))
