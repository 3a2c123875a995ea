"""`lienthong resend`: send again what a broker or an agency has lost; the readers know repeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from services.commands.since import SINCE
from services.commands.stores import any_services, named, noted, opened, operator, reasoned
from services.routing.usecases.resend import resend_tasks
from shared.kernel.clock import format_instant
from shared.messaging.acts import Reason
from shared.messaging.outbox import resend as mark_unsent


@click.command()
@click.option(
    "--since",
    type=SINCE,
    help="All facts sent from then on: 2026-11-23T08:00:00Z, '2026-11-23 15:00' in Việt Nam, or how "
    "long ago: 2h.",
)
@click.option("--agency", help="Only the messages to this agency (its code), with --after.")
@click.option("--after", type=click.IntRange(0), help="From the number after this one on.")
@click.option(
    "--unanswered", is_flag=True, help="With --agency: only of open tasks that nobody has taken."
)
@reasoned
@any_services
def resend(
    *,
    since: datetime | None,
    agency: str | None,
    after: int | None,
    unanswered: bool,
    who: str,
    why: str,
    services: tuple[str, ...],
) -> None:
    """Send again every fact that was sent since then, or an agency's messages after a number.

    Nothing else is changed: each keeps its id and number, and who has it already passes it over. Use
    it after a broker lost its disk, or for an agency that lost its own store. Running relays pick the
    facts up within a second.
    """
    reason = Reason(who, why)
    if since is not None and agency is None and after is None and not unanswered:
        _everybody(named(services), since, reason)
    elif since is None and agency is not None and after is not None:
        _agency(agency, after, reason, unanswered=unanswered)
    else:
        raise click.UsageError("give either --since, or --agency with --after")


def _everybody(services: Sequence[str], since: datetime, reason: Reason) -> None:
    told = f"since {format_instant(since)}"
    for service in services:
        with opened(service) as store, store.begin(operator()) as uow:
            count = mark_unsent(uow, since)
            noted(uow, "resend", told, count, reason)
        click.echo(f"{service}: {count} facts {told} will be sent again")


def _agency(agency: str, after: int, reason: Reason, *, unanswered: bool) -> None:
    told = f"to {agency} after {after}{', unanswered alone' if unanswered else ''}"
    with opened("routing") as store, store.begin(operator()) as uow:
        count = resend_tasks(uow, agency, after, unanswered=unanswered)
        noted(uow, "resend", told, count, reason)
    click.echo(f"routing: {count} messages {told} will be sent again")
