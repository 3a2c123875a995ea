"""`lienthong stops list|add|remove`: who wants nothing sent; numbers and mailboxes are masked."""

from __future__ import annotations

import sys

import click

from services.commands.stores import noted, opened, operator, reasoned
from services.notify.domain.contacts import masked
from services.notify.storage import stops as rows
from services.notify.usecases.stopping import by_hand
from shared.kernel.clock import to_vn
from shared.messaging.acts import Reason


@click.group("stops")
def stops() -> None:
    """The stop list: numbers and mailboxes to which nothing is sent."""


@stops.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
def list_stops(limit: int) -> None:
    """List them, the latest first."""
    with opened("notify") as store, store.read() as connection:
        found, count = rows.newest(connection, limit), rows.count(connection)
    for each in found:
        to = masked(each.channel, each.address or "")
        click.echo(f"{to_vn(each.at):%Y-%m-%d %H:%M}  {each.channel}  {to}  by {each.asked_by}")
    click.echo(f"{len(found)} shown of {count}", err=True)


@stops.command("add")
@click.argument("address", required=False)
@reasoned
def add(address: str | None, who: str, why: str) -> None:
    """Send nothing to this number or mailbox; asked for where it is not given, and kept nowhere else."""
    _order(address, Reason(who, why), remove=False)


@stops.command("remove")
@click.argument("address", required=False)
@reasoned
def remove(address: str | None, who: str, why: str) -> None:
    """Send to this number or mailbox again, because its owner wants it."""
    _order(address, Reason(who, why), remove=True)


def _order(address: str | None, reason: Reason, *, remove: bool) -> None:
    text = address or (
        click.prompt("Number or mailbox") if sys.stdin.isatty() else sys.stdin.read()
    )
    with opened("notify") as store, store.begin(operator()) as uow:
        changed, what = by_hand(uow, text, remove=remove)
        noted(uow, "stops remove" if remove else "stops add", what, 1, reason)
    click.echo("done" if changed else "nothing changed: it was so already")
