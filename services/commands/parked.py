"""`lienthong parked`: facts that a person must look at, listed, shown, and settled one by one or many.

What comes from outside (ids, types, reasons) is printed so that it cannot move the cursor or colour
the terminal. How a fact is shown is in held.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from services.commands.held import body_of, plain, safe, tell
from services.commands.since import SINCE
from services.commands.stores import (
    any_services,
    named,
    noted,
    one_service,
    opened,
    operator,
    reasoned,
    revealing,
)
from shared.identity import audit
from shared.kernel.errors import LienThongError
from shared.messaging import bulk
from shared.messaging import parked as ledger
from shared.messaging.acts import Reason
from shared.messaging.salvage import Place
from shared.messaging.tables import PARKED, WAITING

Command = Callable[..., Any]
_STILL_WAITING = (
    "bản tin sau có thể vẫn chờ số này; để bỏ qua / later facts may still wait for its number; to let "
    "them go on: parked step-over ID {place}"
)
_consumer = click.option("--consumer", help="Of which consumer, where several hold the same fact.")
# An id is whatever its sender chose: one that begins with a dash is no option.
_ODD_IDS = {"ignore_unknown_options": True}


def _filters(command: Command) -> Command:
    """The options that say which facts are meant."""
    for option in (
        click.option("--older", type=SINCE, help="Came before then: 2h, or a time as in resend."),
        click.option("--reason", help="A part of the reason."),
        click.option("--agency", help="Sent by this agency (its code)."),
        click.option("--source", help="Stated by this source, such as /routing."),
        _consumer,
    ):
        command = option(command)
    return command


@click.group()
def parked() -> None:
    """List, show, replay and give up held facts, one by one or in bulk."""


@parked.command("list")
@any_services
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(ledger.HELD),
    default=("parked",),
    show_default=True,
    help="May be repeated.",
)
@_filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_(
    services: tuple[str, ...],
    states: tuple[str, ...],
    limit: int,
    *,
    as_json: bool,
    older: datetime | None,
    **asked: str | None,
) -> None:
    """List what is held, the oldest first, with the reason of each; the total counts them all."""
    search = bulk.Search(states=states, before=older, **asked)
    total = shown = 0
    for service in named(services):
        with opened(service) as store, store.read() as connection:
            total += bulk.count(connection, search)
            rows = bulk.find(connection, search, limit)
        shown += len(rows)
        for row in rows:
            if as_json:
                click.echo(json.dumps(plain(service, row), ensure_ascii=False))
            else:
                tell(service, row)
    if not as_json:
        if shown < total:
            click.echo(f"hiện {shown}, xem thêm bằng --limit / {shown} shown, more by --limit")
        click.echo(f"{total} bản tin đang giữ / held: {', '.join(states)}")


@parked.command("show", context_settings=_ODD_IDS)
@click.argument("fact_id")
@one_service
@_consumer
@click.option("--source", help="Of which source, where several chose the same id.")
@revealing
def show(
    fact_id: str,
    service: str,
    consumer: str | None,
    source: str | None,
    *,
    reveal: bool,
    reason: str,
) -> None:
    """Show one held fact by its id (or 6 letters of its beginning) with its body, masked.

    Before an id that looks like an option write `--`.
    """
    with opened(service) as store:
        with store.read() as connection:
            row = ledger.show(connection, fact_id, consumer=consumer, source=source)
        if reveal:
            named = (row.fact_id, row.subject or "")
            audit.reveal(store, "reveal parked", named, reason=reason, actor=operator())
    tell(service, row)
    if row.sequence is None and row.place is not None:
        click.echo(f"  tự nhận là / says it is: {safe(_words(row.place))}")
    click.echo(body_of(row.body, reveal=reveal))


def _words(place: Place) -> str:
    return f"{place.source} {place.subject} {place.sequence}"


def _act(name: str, said: str, states: tuple[str, ...]) -> Callable[[Command], None]:
    """A command that does `name` to the facts of these ids, or to all that fit the filters."""

    def add(described: Command) -> None:
        @_filters
        def run(
            fact_ids: tuple[str, ...],
            service: str,
            who: str,
            why: str,
            *,
            older: datetime | None,
            yes: bool,
            **asked: str | None,
        ) -> None:
            search = bulk.Search(states=states, before=older, **asked)
            _settle(name, said, service, fact_ids, search, Reason(who, why), yes=yes)

        run.__doc__ = described.__doc__
        command = reasoned(one_service(run))
        command = click.option("--yes", is_flag=True, help="Do it to all that fit.")(command)
        command = click.argument("fact_ids", metavar="[ID]...", nargs=-1)(command)
        parked.command(name, context_settings=_ODD_IDS)(command)

    return add


@_act("replay", "xử lý lại / will be tried again", (PARKED,))
def _replay() -> None:
    """Let parked facts be tried again now, with a new budget: by id, or all that fit the filters."""


@_act("discard", "đã bỏ / discarded", (PARKED,))
def _discard() -> None:
    """Give facts up for good; they stay on record, and later facts flow on without them.

    One that waits (by its id alone) goes with what stands before it in its stream. One that cannot
    be read has no number: `step-over` gives up the one that it claims to have.
    """


@parked.command("step-over", context_settings=_ODD_IDS)
@click.argument("fact_id")
@click.argument("place", metavar="SOURCE SUBJECT NUMBER", type=(str, str, click.IntRange(1)))
@one_service
@_consumer
@reasoned
def step_over(
    fact_id: str,
    place: tuple[str, str, int],
    service: str,
    consumer: str | None,
    who: str,
    why: str,
) -> None:
    """Discard a fact that cannot be read, and the number that nobody is to wait for any more.

    `show` tells the place that its bytes claim; only the next number of a stream is given up.
    """
    said = Place(*place)
    with opened(service) as store, store.begin(operator()) as uow:
        row = ledger.discard(uow, fact_id, who=who, why=why, consumer=consumer, step_over=said)
        what = f"{row.consumer} {safe(_words(said))}"
        noted(uow, "step-over", what, 1, Reason(who, why))
    click.echo(f"đã bỏ / discarded: {safe(row.fact_id)}")


@_act("release", "đi tiếp / goes on", (WAITING,))
def _release() -> None:
    """Give up what waiting facts wait for, where that can never come: they go on without it.

    First try `lienthong resend` at the sender: what was lost on the way comes again by that.
    """


def _settle(
    act: str,
    said: str,
    service: str,
    ids: tuple[str, ...],
    search: bulk.Search,
    reason: Reason,
    *,
    yes: bool,
) -> None:
    if not ids and not search.narrow:
        raise click.UsageError("name the facts by their ids, or by a filter such as --reason")
    with opened(service) as store:
        if ids:
            chosen = [bulk.Key(each, search.consumer, search.source) for each in ids]
        else:
            with store.read() as connection:
                chosen = bulk.keys(connection, search)
            if not yes:
                click.echo(
                    f"{len(chosen)} bản tin khớp; chưa làm gì, thêm --yes để làm / "
                    f"{len(chosen)} facts fit; nothing was done, --yes does it"
                )
                return
        refused = 0
        for key, outcome in bulk.settle(store, act, chosen, reason, operator(), noted):
            if not isinstance(outcome, LienThongError):
                click.echo(f"{said}: {safe(outcome.fact_id)}")
                if act == "discard" and outcome.sequence is None and outcome.place is not None:
                    click.echo(_STILL_WAITING.format(place=safe(_words(outcome.place))))
            elif ids and len(ids) == 1:
                raise outcome
            else:
                refused += 1
                click.echo(f"{safe(key.fact_id)}: {outcome.vi} / {outcome.en}", err=True)
    if len(chosen) > 1:
        click.echo(f"{len(chosen) - refused} / {len(chosen)} {act}")
    if refused:
        click.get_current_context().exit(1)
