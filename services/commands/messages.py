"""`lienthong messages list|show|resend|recall|spend|check`: what citizens were told, for operators.

Addresses are masked everywhere; the text is shown with `--reveal`, which is written down.
"""

from __future__ import annotations

import os

import click

from services.commands.stores import noted, now, opened, operator, reasoned, revealing
from services.notify.domain.contacts import masked
from services.notify.domain.messages import Message
from services.notify.domain.spending import month_at, read_month
from services.notify.domain.states import State
from services.notify.storage import queries, receipts
from services.notify.usecases.recalling import recall as take_back
from services.notify.usecases.resending import resend as send_again
from services.notify.usecases.spending import account, csv_of, office_name
from shared.catalogue import load
from shared.identity import audit
from shared.kernel.clock import to_vn
from shared.messaging.acts import Reason
from shared.settings import Settings


@click.group("messages")
def messages() -> None:
    """Look at messages to citizens; send one again, or take back what has not gone."""


@messages.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Only these states; may be repeated.",
)
@click.option("--channel", type=click.Choice(["sms", "email"]), help="Only this channel.")
@click.option("--dossier", help="Only this dossier.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--count", is_flag=True, help="Also count the finished ones; reads all messages.")
def list_messages(
    *, states: tuple[str, ...], channel: str | None, dossier: str | None, limit: int, count: bool
) -> None:
    """List messages, newest first; uncertain ones wait for `resend`."""
    search = queries.Search(states, channel, dossier, limit=limit)
    with opened("notify") as store, store.read() as connection:
        found = queries.find(connection, search)
        counts = queries.by_state(connection) if count else queries.unfinished(connection)
    for message in found:
        click.echo(_line(message))
    told = ", ".join(f"{state} {number}" for state, number in counts.items()) or "none"
    click.echo(f"{len(found)} shown; {'in all' if count else 'not finished'}: {told}", err=True)


@messages.command("show")
@click.argument("message_id", metavar="ID")
@revealing
def show(message_id: str, *, reveal: bool, reason: str) -> None:
    """Show one message; its text with --reveal."""
    with opened("notify") as store:
        with store.read() as connection:
            message = queries.one(connection, message_id)
            tries = receipts.tries_of(connection, message_id)
            tickets = receipts.of_messages(connection, [message_id]).get(message_id, [])
        if reveal:
            named = (message.id, message.dossier)
            audit.reveal(store, "reveal message", named, reason=reason, actor=operator())
    click.echo(_line(message))
    if message.reason:
        click.echo(f"reason: {message.reason}")
    click.echo(f"words: version {message.template_version or '-'}, {message.parts} part(s)")
    click.echo(f"tries: {message.tries}")
    for each in tries:
        why = f": {each.reason}" if each.reason else ""
        click.echo(f"  {to_vn(each.at):%Y-%m-%d %H:%M:%S}  {each.provider}  {each.outcome}{why}")
    for ticket in tickets:
        at, told = f"{to_vn(ticket.changed_at):%Y-%m-%d %H:%M:%S}", ticket.fate.name.lower()
        part = f"part {ticket.part} of {ticket.parts}"
        click.echo(
            f"  {at}  {ticket.provider} {ticket.given}  {part}: {told} {ticket.code}".rstrip()
        )
    if reveal:
        click.echo("\n".join(filter(None, ("", message.subject, message.body.rstrip()))))
    elif message.body:
        click.echo(f"({len(message.body)} letters to a citizen; --reveal --reason WHY shows them)")


@messages.command("resend")
@click.argument("message_ids", metavar="ID...", nargs=-1, required=True)
@reasoned
def resend(message_ids: tuple[str, ...], who: str, why: str) -> None:
    """Queue messages again with a fresh budget; an uncertain one may reach the citizen twice."""
    with opened("notify") as store, store.begin(operator()) as uow:
        for message_id in message_ids:
            send_again(uow, message_id)
            noted(uow, "messages resend", message_id, 1, Reason(who, why))
    click.echo(f"{len(message_ids)} queued; a running notify sends within some seconds")


@messages.command("recall")
@click.argument("message_ids", metavar="ID...", nargs=-1, required=True)
@reasoned
def recall(message_ids: tuple[str, ...], who: str, why: str) -> None:
    """Take back messages that have not gone; none of the ways behind them goes either."""
    with opened("notify") as store, store.begin(operator()) as uow:
        for message_id in message_ids:
            take_back(uow, message_id)
            noted(uow, "messages recall", message_id, 1, Reason(who, why))
    click.echo(f"{len(message_ids)} recalled; nothing of them is sent")


@messages.command("spend")
@click.option("--month", help="Of this month, as 2026-11; this month's if not given.")
@click.option("--csv", "as_csv", is_flag=True, help="As comma-separated text, for a spreadsheet.")
def spend(*, month: str | None, as_csv: bool) -> None:
    """What messages of a month cost, by office and channel, beside the budgets."""
    book = load(Settings.load("notify", os.environ).catalogue_dir)
    at = now()
    of = read_month(month) if month else month_at(at)
    with opened("notify") as store, store.read() as connection:
        found = account(connection, book, of, at)
    if as_csv:
        click.echo(csv_of(found, book), nl=False)
        return
    for line in found.lines:
        name = office_name(book, line.office).en
        click.echo(
            f"{line.office or '-':24} {line.channel:6} {line.messages:7} messages {line.parts:7} parts"
            f" ({line.uncertain} uncertain) {line.vnd:12,} VND  {line.written} only written  {name}"
        )
    for each in found.budgets:
        if each.spent_vnd or each.office is None:
            name = office_name(book, each.office).en
            click.echo(f"budget {name}: {each.spent_vnd:,} of {each.vnd:,} VND, {each.percent} %")
    click.echo(f"{of}: {found.vnd:,} VND in all", err=True)


@messages.command("check")
@click.pass_context
def check(context: click.Context) -> None:
    """The same as `lienthong channels check`; the name that it had before."""
    from services.commands.channels import check as channels_check

    context.invoke(channels_check)


def _line(message: Message) -> str:
    to = masked(message.channel, message.to) if message.to else "-"
    return "  ".join(
        (
            message.id,
            f"{to_vn(message.made_at):%Y-%m-%d %H:%M}",
            message.dossier,
            message.moment,
            message.channel or "-",
            to,
            message.state.value,
        )
    )
