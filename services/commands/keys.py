"""`lienthong keys`: API keys of desks, agencies and operators; of a secret only a hash is kept."""

from __future__ import annotations

import os
from datetime import datetime
from typing import cast

import click

from services.commands.stores import one_service, opened, operator
from shared.catalogue import load
from shared.identity import audit
from shared.identity import keys as ledger
from shared.kernel.clock import format_instant
from shared.kernel.errors import LienThongError
from shared.settings import Settings

# Which kind of key opens the doors of which service.
_USUAL: dict[str, ledger.Kind] = {"intake": "desk", "routing": "agency", "notify": "operator"}


@click.group()
def keys() -> None:
    """Issue, list, renew and revoke API keys."""


_days = click.option(
    "--days",
    type=click.IntRange(1, ledger.MOST_DAYS),
    default=ledger.DAYS,
    show_default=True,
    help="How long it is good for, from now.",
)


@keys.command("create")
@one_service
@_days
@click.option(
    "--kind",
    type=click.Choice(ledger.OF_KEYS),
    help="Default: desk for intake, agency for routing, operator for notify.",
)
@click.option("--for", "bound_to", required=True, help="Code of the office or agency.")
@click.option("--label", default="", help="What you will know it by.")
def create(service: str, days: int, kind: str | None, bound_to: str, label: str) -> None:
    """Make a key for one office or agency and print it; it is never shown again."""
    chosen = cast("ledger.Kind", kind or _USUAL[service])
    _must_exist(service, chosen, bound_to)
    with opened(service) as store, store.begin(operator()) as uow:
        key_id, text = ledger.issue(uow, kind=chosen, bound_to=bound_to, label=label, days=days)
        audit.note(uow, "create key", (key_id, bound_to))
    # Only the key goes to standard output, so that it can be put into a file as it is.
    click.echo(f"{service}: {chosen} key {key_id} for {bound_to}, shown only now:", err=True)
    click.echo(text)


def _must_exist(service: str, kind: str, bound_to: str) -> None:
    """Refuse a slip of the pen: such a key would open a door to an empty room."""
    if kind == "operator":
        return
    agency = load(Settings.load(service, os.environ).catalogue_dir).agency(bound_to)
    if kind == "desk" and not agency.is_office:
        raise LienThongError(
            f"{bound_to} has no desk; give it a key with --service routing",
            vi=f"{bound_to} không có bàn tiếp nhận; hãy tạo khóa bằng --service routing.",
            code="no_desk",
        )


@keys.command("list")
@one_service
def list_(service: str) -> None:
    """List the keys, without their secrets."""
    with opened(service) as store, store.read() as connection:
        known, now = ledger.list_keys(connection), store.clock.now()
    for key in known:
        made, state = format_instant(key.made_at), _state(key, now)
        click.echo(f"{key.key_id}  {key.kind:8}  {key.bound_to:24}  {made}  {state}  {key.label}")
    soon = sum(key.ends_soon(now) for key in known)
    click.echo(f"{len(known)} khóa / keys; sắp hết hạn / end within 14 days: {soon}")


def _state(key: ledger.KeyInfo, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {format_instant(key.revoked_at)}"
    end = format_instant(key.expires_at)
    if key.expires_at <= now:
        return f"ended {end}"
    return f"ends SOON {end}" if key.ends_soon(now) else f"valid until {end}"


@keys.command("renew")
@click.argument("key_id")
@one_service
@_days
def renew(key_id: str, service: str, days: int) -> None:
    """Move a key's end on; its text stays the same. Make a new one where it may have leaked."""
    with opened(service) as store, store.begin(operator()) as uow:
        end = ledger.renew(uow, key_id, days=days)
        audit.note(uow, "renew key", [key_id])
    click.echo(f"gia hạn đến / renewed until {format_instant(end)}: {key_id}")


@keys.command("revoke")
@click.argument("key_id")
@one_service
def revoke(key_id: str, service: str) -> None:
    """End a key at once."""
    with opened(service) as store, store.begin(operator()) as uow:
        ledger.revoke(uow, key_id)
        audit.note(uow, "revoke key", [key_id])
    click.echo(f"đã thu hồi / revoked: {key_id}")
