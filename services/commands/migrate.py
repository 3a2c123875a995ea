"""`lienthong migrate`: bring the databases of the services up to date; any number may run it."""

from __future__ import annotations

import importlib

import click

from services.commands.stores import any_services, history_of, named, opened
from shared.database.migrate import current, drift, head, upgrade


@click.command()
@any_services
@click.option(
    "--check", is_flag=True, help="Change nothing; exit 1 where a database is not up to date."
)
@click.pass_context
def migrate(ctx: click.Context, services: tuple[str, ...], *, check: bool) -> None:
    """Bring the databases up to date; does nothing where they are."""
    behind = False
    for service in named(services):
        with opened(service, migrated=False) as store:
            before = current(store.engine)
            if check:
                metadata = importlib.import_module(f"services.{service}.storage.tables").metadata
                wanted = head(history_of(service))
                faults = drift(store.engine, metadata) if before == wanted else []
                behind = behind or before != wanted or bool(faults)
                click.echo(f"{service}: at {before or 'nothing'}, newest is {wanted}")
                for fault in faults:
                    click.echo(f"  {fault}")
                continue
            upgrade(store.engine, history_of(service))
            after = current(store.engine)
        click.echo(
            f"{service}: {before or 'new'} -> {after}"
            if before != after
            else f"{service}: {after}, up to date"
        )
    if behind:
        ctx.exit(1)
