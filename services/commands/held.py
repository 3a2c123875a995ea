"""How a held fact is shown to an operator: in lines, as JSON, its body without people."""

from __future__ import annotations

import json
from typing import Any, Final

import click

from shared.kernel.clock import format_instant
from shared.kernel.text import mask_mapping
from shared.messaging.parked import Held

# Free words in facts: they may speak of anybody.
_WRITTEN: Final = ("reason", "note", "items", "next_step", "officer", "document")


def safe(text: str) -> str:
    """The text with whatever is no printable letter written as an escape: it comes from outside."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def tell(service: str, row: Held) -> None:
    """Print one held fact without its body."""
    number = "" if row.sequence is None else f" #{row.sequence}"
    for line in (
        row.fact_id,
        f"  {service} {row.consumer}: {row.state}, attempts {row.attempts}",
        f"  {row.type or '(unreadable)'} {row.stream}{number}",
        f"  since {format_instant(row.received_at)}: {row.reason or ''}",
        *([f"  sent under {row.routing_key}{_by(row)}"] if row.routing_key else []),
        *([f"  tried again at {format_instant(row.next_at)}"] if row.next_at else []),
        *([f"  {row.owner}: {row.note or ''}"] if row.owner else []),
    ):
        click.echo(safe(line))


def _by(row: Held) -> str:
    return f" by {row.user_id}" if row.user_id else ""


def plain(service: str, row: Held) -> dict[str, Any]:
    """One held fact as JSON, without its body."""
    return {
        "service": service,
        "consumer": row.consumer,
        "id": row.fact_id,
        "type": row.type,
        "source": row.source,
        "subject": row.subject,
        "sequence": row.sequence,
        "state": row.state,
        "attempts": row.attempts,
        "reason": row.reason,
        "owner": row.owner,
        "note": row.note,
        "routing_key": row.routing_key,
        "user_id": row.user_id,
        "received_at": format_instant(row.received_at),
        "next_at": format_instant(row.next_at) if row.next_at else None,
    }


def body_of(body: bytes, *, reveal: bool) -> str:
    """The body as it may be shown; with `reveal` as it came."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError too
        told = None
    if not isinstance(told, dict):
        if reveal:
            return _lines(body.decode(errors="backslashreplace"))
        return f"({len(body)} bytes that are no fact; --reveal shows them)"
    return _lines(json.dumps(told if reveal else _masked(told), ensure_ascii=False, indent=2))


def _lines(text: str) -> str:
    return "\n".join(map(safe, text.split("\n")))


def _masked(told: dict[str, Any]) -> dict[str, Any]:
    """The fact with codes, dates and numbers, without people and without what people wrote."""
    data = told.get("data")
    if not isinstance(data, dict):
        return mask_mapping(told)
    kept = {name: "***" if name in _WRITTEN and text else text for name, text in data.items()}
    return mask_mapping(told | {"data": None}) | {"data": mask_mapping(kept)}
