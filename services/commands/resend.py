"""`lienthong resend`: send again what a broker has lost; the inboxes make repeats harmless."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from services.commands.stores import any_services, named, opened, operator
from shared.identity import audit
from shared.kernel.clock import VN, format_instant, parse_instant
from shared.messaging.outbox import resend as mark_unsent

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Since(click.ParamType[datetime]):
    """An instant: RFC 3339, a date or date and time of Việt Nam, or how long ago (90m, 2h, 3d)."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        if (ago := _AGO.fullmatch(value)) is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago.group(2)]: int(ago.group(1))})
        try:
            return parse_instant(value)
        except ValueError:
            pass
        try:
            local = datetime.fromisoformat(value)
        except ValueError:
            self.fail("give 2026-11-23T08:00:00Z, '2026-11-23 15:00' (Việt Nam) or 2h", param, ctx)
        return local.replace(tzinfo=VN).astimezone(UTC)


@click.command()
@click.option(
    "--since",
    required=True,
    type=Since(),
    help="From when on: 2026-11-23T08:00:00Z, '2026-11-23 15:00' in Việt Nam, or how long ago: 2h.",
)
@any_services
def resend(since: datetime, services: tuple[str, ...]) -> None:
    """Send again every fact that was sent since then; nothing else is changed.

    Use it after a broker lost its disk. Running relays pick the facts up within a second.
    """
    for service in named(services):
        with opened(service) as store, store.begin(operator()) as uow:
            count = mark_unsent(uow, since)
            audit.note(uow, "resend facts", [format_instant(since)])
        click.echo(f"{service}: {count} facts since {format_instant(since)} will be sent again")
