"""`lienthong restored`: what a service must know after its database came back from a backup."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from typing import Final

import click

from services.commands.stores import noted, one_service, opened, operator, reasoned
from services.intake.storage import counters
from services.routing.usecases.resend import hand_over_again
from shared.kernel.clock import to_vn
from shared.messaging import epochs
from shared.messaging.acts import Reason
from shared.settings import SERVICES

#: What had been sent may have waited so long on a queue when the backup was made.
_MARGIN: Final = timedelta(days=1)


@click.command()
@one_service
@reasoned
def restored(service: str, who: str, why: str) -> None:
    """Say that this service's database was restored, before the service is started again.

    Its facts, and the dossiers' codes of this day, go on above every number that the backup has
    forgotten, so that nothing collides with what others and citizens have. Once too often is
    harmless; what to type next is printed.
    """
    reason = Reason(who, why)
    with opened(service) as store, store.begin(operator()) as uow:
        begun = epochs.begin(uow, reason)
        noted(uow, "restored", f"epoch {begun.number}", begun.streams, reason)
        above = counters.begin_anew(uow.connection, uow.now) if service == "intake" else None
        handed = hand_over_again(uow) if service == "routing" else None
    click.echo(
        f"{service}: {begun.streams} luồng đếm tiếp từ / streams count on from {begun.number}"
    )
    if above is not None:
        click.echo(f"{service}: mã hồ sơ hôm nay từ / codes of today from …-{above + 1} on")
    if handed is not None:
        click.echo(
            f"{service}: {handed} bản tin về việc đang mở sẽ gửi lại cho các cơ quan / messages about"
            " open tasks will be sent to agencies again"
        )
    others = [each for each in SERVICES if each != service]
    click.echo(f"Khởi động / start: {service}; rồi / then:")
    click.echo(f"  {_resend(others, begun.newest, reason)}")


def _resend(services: list[str], newest: datetime | None, reason: Reason) -> str:
    since = "1d" if newest is None else f"'{to_vn(newest - _MARGIN):%Y-%m-%d %H:%M}'"
    named = " ".join(f"--service {each}" for each in services)
    who, why = shlex.quote(reason.who), shlex.quote(reason.why)
    return f"lienthong resend --since {since} {named} --who {who} --why {why}"
