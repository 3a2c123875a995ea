"""`lienthong acts`: what operators did by hand, who, why and when."""

from __future__ import annotations

import click

from services.commands.held import safe
from services.commands.stores import any_services, named, opened
from shared.kernel.clock import to_vn
from shared.messaging.acts import list_acts


@click.command("acts")
@any_services
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
def acts(services: tuple[str, ...], limit: int) -> None:
    """List what operators did to the ledgers by hand, the newest first, in the time of Việt Nam."""
    for service in named(services):
        with opened(service) as store, store.read() as connection:
            found = list_acts(connection, limit)
        for act in found:
            at = f"{to_vn(act.at):%Y-%m-%d %H:%M:%S}"
            click.echo(safe(f"{at}  {service} {act.act} ({act.count}): {act.what}"))
            click.echo(safe(f"  {act.who}: {act.why}"))
