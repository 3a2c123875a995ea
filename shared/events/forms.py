"""Facts without the form that a citizen filled in, for whoever keeps them and does not need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared.events.envelope import Data, Envelope, decode, encode
from shared.kernel.errors import ParkNow

#: The fields of events that hold form fields, whatever the event; a test holds them to the classes.
FORM_FIELDS: Final = ("form", "form_after")
_data = msgspec.json.Decoder(dict[str, Any]).decode


def without_forms(body: bytes, envelope: Envelope | None = None) -> bytes:
    """The bytes of an event with empty forms; as they are where they hold none, or are no event.

    `envelope` spares reading them, where that was done before.
    """
    if b'"form' not in body:
        return body
    try:
        known = envelope or decode(body)
        data = _data(_json(known.data))
        if not any(data.get(name) for name in FORM_FIELDS):
            return body
        emptied: dict[str, Any] = {name: {} for name in FORM_FIELDS if data.get(name)}
        text = msgspec.json.encode(data | emptied)
        return encode(msgspec.structs.replace(known, data=Data(text)))
    except (ParkNow, msgspec.DecodeError):
        return body


def _json(data: Mapping[str, Any]) -> bytes:
    return data.json if isinstance(data, Data) else msgspec.json.encode(dict(data))
