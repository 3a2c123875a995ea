"""`lienthong parked`: facts that a person must look at, listed, shown, replayed, discarded."""

from __future__ import annotations

import json
from typing import Any

import click

from services.commands.stores import any_services, named, one_service, opened, operator, revealing
from shared.identity import audit
from shared.kernel.clock import format_instant
from shared.kernel.text import mask_mapping
from shared.messaging import parked as ledger

# Free words in facts: they may speak of anybody.
_WRITTEN = ("reason", "note", "items", "next_step", "officer", "document")
_consumer = click.option("--consumer", help="Of which consumer, where several hold the same fact.")


@click.group()
def parked() -> None:
    """List, show, replay and discard parked facts."""


@parked.command("list")
@any_services
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(ledger.HELD),
    default=("parked",),
    show_default=True,
    help="May be repeated.",
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_(services: tuple[str, ...], states: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """List what is held, the oldest first, with the reason of each."""
    total = 0
    for service in named(services):
        with opened(service) as store, store.read() as connection:
            rows = ledger.list_held(connection, states=states, limit=limit)
        total += len(rows)
        for row in rows:
            if as_json:
                click.echo(json.dumps(_plain(service, row), ensure_ascii=False))
            else:
                _tell(service, row)
    if not as_json:
        click.echo(f"{total} bản tin đang giữ / held: {', '.join(states)}")


@parked.command("show")
@click.argument("fact_id")
@one_service
@_consumer
@revealing
def show(fact_id: str, service: str, consumer: str | None, *, reveal: bool, reason: str) -> None:
    """Show one held fact by its id (or the beginning of it) with its body, masked."""
    with opened(service) as store:
        with store.read() as connection:
            row = ledger.show(connection, fact_id, consumer=consumer)
        if reveal:
            named = (row.fact_id, row.subject or "")
            audit.reveal(store, "reveal parked", named, reason=reason, actor=operator())
    _tell(service, row)
    click.echo(_body(row.body, reveal=reveal))


@parked.command("replay")
@click.argument("fact_id")
@one_service
@_consumer
def replay(fact_id: str, service: str, consumer: str | None) -> None:
    """Let a parked fact be tried again now, with a new budget."""
    with opened(service) as store, store.begin(operator()) as uow:
        row = ledger.replay(uow, fact_id, consumer=consumer)
        audit.note(uow, "replay parked", [row.fact_id])
    click.echo(f"xử lý lại / will be tried again: {row.fact_id}")


@parked.command("discard")
@click.argument("fact_id")
@one_service
@_consumer
@click.option("--who", required=True, help="Who decides; kept with the fact.")
@click.option("--why", required=True, help="The reason; kept with the fact.")
def discard(fact_id: str, service: str, consumer: str | None, who: str, why: str) -> None:
    """Give a parked fact up for good; it stays on record, and later facts flow on."""
    with opened(service) as store, store.begin(operator()) as uow:
        row = ledger.discard(uow, fact_id, who=who, why=why, consumer=consumer)
        audit.note(uow, "discard parked", [row.fact_id])
    click.echo(f"đã bỏ / discarded: {row.fact_id}")


def _tell(service: str, row: ledger.Held) -> None:
    number = "" if row.sequence is None else f" #{row.sequence}"
    click.echo(f"{row.fact_id}")
    click.echo(f"  {service} {row.consumer}: {row.state}, attempts {row.attempts}")
    click.echo(f"  {row.type or '(unreadable)'} {row.stream}{number}")
    click.echo(f"  since {format_instant(row.received_at)}: {row.reason or ''}")
    if row.next_at is not None:
        click.echo(f"  tried again at {format_instant(row.next_at)}")
    if row.owner:
        click.echo(f"  {row.owner}: {row.note or ''}")


def _plain(service: str, row: ledger.Held) -> dict[str, Any]:
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
        "received_at": format_instant(row.received_at),
        "next_at": format_instant(row.next_at) if row.next_at else None,
    }


def _body(body: bytes, *, reveal: bool) -> str:
    try:
        told = json.loads(body)
    except ValueError:  # UnicodeDecodeError is one too
        told = None
    if not isinstance(told, dict):
        if reveal:
            return body.decode(errors="backslashreplace")
        return f"({len(body)} bytes that are no fact; --reveal shows them)"
    return json.dumps(told if reveal else _masked(told), ensure_ascii=False, indent=2)


def _masked(told: dict[str, Any]) -> dict[str, Any]:
    """The fact with codes, dates and numbers, without people and without what people wrote."""
    data = told.get("data")
    if not isinstance(data, dict):
        return mask_mapping(told)
    kept = {name: "***" if name in _WRITTEN and text else text for name, text in data.items()}
    return mask_mapping(told | {"data": None}) | {"data": mask_mapping(kept)}
