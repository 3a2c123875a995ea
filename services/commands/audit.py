"""`lienthong audit`: who did what and who looked at what, and whether the log of it is whole."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import click

from services.commands.since import SINCE
from services.commands.stores import any_services, named, one_service, opened, operator
from shared.identity import audit as ledger
from shared.identity.audit.show import Wanted, find
from shared.kernel.clock import format_instant
from shared.settings import Settings


@click.group()
def audit() -> None:
    """Show who did what and who looked; check that the log of it is whole."""


@audit.command("show")
@any_services
@click.option("--actor", help="Only this one, such as officer:KEY_ID or agency:CODE.")
@click.option("--thing", help="Only what touched this dossier, task, message or key.")
@click.option("--since", type=SINCE, help="Only from then on: 2h, 3d, or a time.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True)
def show(services: tuple[str, ...], limit: int, **wanted: Any) -> None:
    """List acts, the newest first: when, who, from where, what, on what, what came of it."""
    for service in named(services):
        with opened(service) as store:
            with store.read() as connection:
                rows = find(connection, Wanted(**wanted), limit)
            with store.begin(operator()) as uow:  # who looks at who looked is looked at too
                ledger.note(uow, "audit show", [wanted["thing"] or wanted["actor"] or "all"])
        for row in rows:
            told = f"  ({row.reason})" if row.reason else ""
            click.echo(
                f"{format_instant(row.at)}  {service:7}  {row.actor}  {row.place}  "
                f"{row.act}  {row.outcome}  {row.things}{told}"
            )
        if len(rows) == limit:
            click.echo(f"{service}: chỉ {limit} dòng mới nhất / only the newest {limit}", err=True)


@audit.command("verify")
@any_services
@click.option(
    "--told",
    metavar="NUMBER:DIGEST",
    help="A seal that the log has named (access.sealed), kept elsewhere; with one --service.",
)
@click.pass_context
def verify(ctx: click.Context, services: tuple[str, ...], told: str | None) -> None:
    """Check every seal against its rows; exit 1 where something was changed or taken away."""
    if told is not None and len(services) != 1:
        raise click.UsageError("a seal is of one service: name it with --service")
    broken = False
    for service in named(services):
        with opened(service) as store:
            found = ledger.verify(store, told=None if told is None else _seal(told))
        seals = found.end.number - found.begin.number
        click.echo(
            f"{service}: {found.rows} rows in {seals} seals, {found.unsealed} not yet sealed"
        )
        if found.begin.number:
            click.echo(f"  begins after seal {found.begin.number}: what was before is pruned")
        for fault in found.faults:
            click.echo(f"  {fault}")
        broken = broken or bool(found.faults)
    click.echo("SAI / BROKEN" if broken else "nguyên vẹn / whole")
    ctx.exit(1 if broken else 0)


def _seal(text: str) -> ledger.Seal:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise click.UsageError("--told wants NUMBER:DIGEST as the line access.sealed has them")
    return ledger.Seal(int(number), 0, digest)


@audit.command("prune")
@one_service
@click.option(
    "--days", type=click.IntRange(1), help="Keep so many; default: LIENTHONG_ACCESS_DAYS."
)
def prune(service: str, days: int | None) -> None:
    """Delete what was sealed so long ago; what is left can still be checked."""
    with opened(service) as store:
        kept = timedelta(days=days or _days(service))
        gone = ledger.prune(store, store.clock.now() - kept)
    click.echo(f"{service}: {gone} dòng đã xóa / rows deleted")


def _days(service: str) -> int:
    return Settings.load(service, os.environ).access_days
