"""What notify states, as public facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.notify.domain.facts import CitizenNotified, CitizenUnreachable
from shared.events.facts import check
from shared.events.names import DOSSIER_FACTS, NOTIFY, wire
from shared.kernel.clock import format_instant
from shared.messaging.outbox import Outgoing


def translate(fact: object) -> Sequence[Outgoing]:
    """The public facts that an internal one becomes."""
    if isinstance(fact, CitizenNotified):
        return (_outgoing("citizen.notified", fact.dossier, _notified(fact)),)
    if isinstance(fact, CitizenUnreachable):
        return (_outgoing("citizen.unreachable", fact.dossier, _unreachable(fact)),)
    raise TypeError(f"notify does not state {type(fact).__name__}")


def _outgoing(name: str, dossier: str, data: dict[str, Any]) -> Outgoing:
    check(wire(name), data)
    return Outgoing(
        exchange=DOSSIER_FACTS,
        routing_key=f"notify.{name}",
        source=NOTIFY,
        subject=dossier,
        type=wire(name),
        data=data,
    )


def _notified(fact: CitizenNotified) -> dict[str, Any]:
    return {
        "dossier": fact.dossier,
        "moment": fact.moment,
        "channel": fact.channel,
        "message": fact.message,
        "sent_at": format_instant(fact.sent_at),
    }


def _unreachable(fact: CitizenUnreachable) -> dict[str, Any]:
    return {
        "dossier": fact.dossier,
        "moment": fact.moment,
        "reason": fact.reason,
        "at": format_instant(fact.at),
    }
