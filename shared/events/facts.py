"""The old door to the contract, while the services move to event classes; nothing new uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared.events.envelope import Data
from shared.events.errors import ContractBroken
from shared.events.event import Address
from shared.events.event import read as read_event
from shared.events.names import wire
from shared.events.registry import KINDS
from shared.events.types import places
from shared.kernel.errors import Unreadable

__all__ = ["FACTS", "ContractBroken", "check", "read", "route", "wire"]
FACTS: Final = KINDS


def check(fact_type: str, data: Mapping[str, Any]) -> None:
    """As `event.write` would refuse it."""
    if fact_type not in KINDS:
        raise ContractBroken(f"the type {fact_type[:120]!r} is not in the contract")
    try:
        known = msgspec.to_builtins(
            KINDS[fact_type].decoder.decode(msgspec.json.encode(dict(data)))
        )
    except msgspec.ValidationError as error:
        raise ContractBroken(f"{fact_type} breaks its contract: {places(error)}") from None
    if extra := set(data) - set(known):
        raise ContractBroken(f"{fact_type} does not know {sorted(extra)}")


def read(fact_type: str, data: Any) -> dict[str, Any]:
    """The event as plain values."""
    kind = KINDS.get(fact_type)
    if kind is None:
        raise Unreadable(f"the type {fact_type[:120]!r} is not in the contract")
    raw = data.json if isinstance(data, Data) else msgspec.json.encode(data)
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(read_event(kind, raw)))
    return plain


def route(fact_type: str, source: str) -> Address:
    """Where it goes."""
    kind = KINDS[fact_type]
    for candidate in kind.addresses:
        agency = source.removeprefix("/agencies/")
        if candidate.source in (source, "/agencies/{agency}"):
            return Address(
                source, candidate.exchange, candidate.routing_key.replace("{agency}", agency)
            )
    raise ContractBroken(f"{fact_type} is not published by {source}")
