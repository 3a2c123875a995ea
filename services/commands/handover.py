"""`lienthong handover`: an agency's book and what both sides differ in, for whoever runs the city."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path

import click

from services.commands.held import safe
from services.commands.stores import now, opened, operator
from services.routing.storage.book import known
from services.routing.storage.queues import of as queue_of
from services.routing.usecases.book import COLUMNS, cells, of_day, workbook
from services.routing.usecases.reconcile import nightly, standing
from services.routing.usecases.rules import Rules
from shared.catalogue import load
from shared.identity import audit
from shared.kernel.clock import to_vn
from shared.kernel.errors import NotFound
from shared.settings import Settings


@click.group()
def handover() -> None:
    """What was handed over to agencies, and what is known of its way."""


@handover.command("list")
@click.option("--agency", required=True, metavar="CODE", help="Whose book.")
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Of Việt Nam's calendar, such as 2026-11-23; default: today.",
)
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), help="Write this file.")
def list_(agency: str, day: datetime | None, xlsx: Path | None) -> None:
    """Show what was handed over to an agency on a day: written, confirmed, fetched, opened, answered.

    No line holds anything of a form. The first 2,000 of a day.
    """
    catalogue = load(Settings.load("routing", os.environ).catalogue_dir)
    on: date = day.date() if day is not None else to_vn(now()).date()
    with opened("routing") as store:
        with store.read() as connection:
            found, queue = of_day(connection, agency, on), queue_of(connection, agency)
            if agency not in catalogue.agency_codes() and not known(connection, agency):
                raise NotFound(
                    f"there is no agency {agency[:60]!r}", vi="Không có cơ quan mang mã này."
                )
        with store.begin(operator()) as uow:
            audit.note(uow, "list handover", [agency])
    if xlsx is not None:
        xlsx.write_bytes(workbook(found, on, agency))
    else:
        click.echo("\t".join(name for name, _ in COLUMNS))
        for each in found:
            click.echo("\t".join(cells(each)))
    click.echo(f"{len(found)} bản tin / messages", err=True)
    if queue is not None and queue.paused_at is not None:
        since = f"{to_vn(queue.paused_at):%H:%M %d/%m/%Y}"
        told = f"tạm dừng / paused: {since} {queue.paused_by}: {queue.paused_why}"
        click.echo(safe(told), err=True)


@handover.command("reconcile")
@click.option("--agency", metavar="CODE", help="This one alone; default: all.")
def reconcile_(agency: str | None) -> None:
    """Look at the last week as every night, send again what nobody has seen, list what differs.

    Each line: day, agency, what, the numbers, who must act, how. Nothing in it tells of a citizen.
    """
    rules = Rules(load(Settings.load("routing", os.environ).catalogue_dir))
    with opened("routing") as store:
        for _ in nightly(rules)(store, None):
            pass
        with store.read() as connection:
            found = standing(connection, agency)
        with store.begin(operator()) as uow:
            audit.note(uow, "reconcile handover", [agency or "*"])
    for each in found:
        numbers = ",".join(f"{first}-{last}" for first, last in each.of.spans[:20])
        day = each.of.day.isoformat()
        click.echo(f"{day}  {each.of.agency}  {each.what.vi} / {each.what.en}: {numbers}")
        click.echo(f"  {each.owner.vi} / {each.owner.en}: {each.step.vi} / {each.step.en}")
    click.echo(f"{len(found)} ngày lệch / days differ", err=True)
