"""`lienthong agency mail`: which staff of an agency get its daily list by mail."""

from __future__ import annotations

import os

import click

from services.commands.stores import opened, operator
from services.routing.storage.agency_mail import every
from services.routing.usecases.remind import set_addresses
from shared.catalogue import load
from shared.identity import audit
from shared.settings import Settings


@click.group()
def agency() -> None:
    """What an installation keeps of its agencies beside the catalogue."""


@agency.command("mail")
@click.argument("code", metavar="AGENCY", required=False)
@click.argument("addresses", metavar="[ADDRESS ...]", nargs=-1)
@click.option("--remove", is_flag=True, help="Remove these addresses; all, where none is given.")
def mail(code: str | None, addresses: tuple[str, ...], *, remove: bool) -> None:
    """Add staff addresses of AGENCY (its code), or remove them; alone it lists them all.

    They get what is near its date, overdue or undecided: once on each working day, at the hour of
    `promised_dates` in the catalogue, and nothing where there is nothing to say.
    """
    if code is None or not (addresses or remove):
        if remove:
            raise click.UsageError("say of which AGENCY: lienthong agency mail AGENCY --remove")
        _list(code)
        return
    catalogue = load(Settings.load("routing", os.environ).catalogue_dir)
    with opened("routing") as store, store.begin(operator()) as uow:
        kept = set_addresses(uow, catalogue, code, addresses, remove=remove)
        audit.note(uow, "remove agency mail" if remove else "add agency mail", [code])
    click.echo(f"{code}: {' '.join(kept) or 'không còn địa chỉ / no address'}")


def _list(code: str | None) -> None:
    with opened("routing") as store, store.read() as connection:
        found = [each for each in every(connection) if code in (None, each.agency)]
    for each in found:
        click.echo(f"{each.agency}: {' '.join(each.addresses)}")
    click.echo(f"{len(found)} cơ quan có địa chỉ / agencies with addresses", err=True)
