"""`lienthong agency`: mail and webhook; queue, keys and pauses are in agency_queue.py."""

from __future__ import annotations

import os

import click

from services.commands.agency_queue import COMMANDS
from services.commands.stores import opened, operator
from services.routing.domain.webhook import NOTICES, Webhook, secret_of
from services.routing.storage import webhooks as rows
from services.routing.storage.agency_mail import every
from services.routing.usecases import webhooks
from services.routing.usecases.remind import set_addresses
from shared.catalogue import load
from shared.identity import audit
from shared.settings import Settings
from shared.web.security import secret_key

_ACTS = {
    "new-secret": (webhooks.new_secret, "Draw a new secret; the last one signs on for 24 hours."),
    "pause": (webhooks.pause, "Send nothing; what is made waits in the ledger."),
    "resume": (webhooks.resume, "Go on where it stopped, at once."),
    "try": (webhooks.ask_trial, "Have a message sent that means nothing; the list says what came."),
    "remove": (webhooks.remove, "Forget it; queue and door are left."),
}


@click.group()
def agency() -> None:
    """What an installation keeps of its agencies beside the catalogue."""


for _command in COMMANDS:
    agency.add_command(_command)


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


@agency.command("webhook")
@click.argument("code", metavar="AGENCY", required=False)
@click.argument("url", required=False)
@click.option(
    "--skip", "skips", multiple=True, type=click.Choice(list(NOTICES)), help="Do not send these."
)
@click.option("--new-secret", "act", flag_value="new-secret", help=_ACTS["new-secret"][1])
@click.option("--pause", "act", flag_value="pause", help=_ACTS["pause"][1])
@click.option("--resume", "act", flag_value="resume", help=_ACTS["resume"][1])
@click.option("--try", "act", flag_value="try", help=_ACTS["try"][1])
@click.option("--remove", "act", flag_value="remove", help=_ACTS["remove"][1])
def webhook(code: str | None, url: str | None, skips: tuple[str, ...], act: str | None) -> None:
    """Have the messages of AGENCY (its code) sent to URL, or change how; alone it lists them all.

    It needs somebody who is told when it is paused: see `lienthong agency mail`.
    """
    if code is None or (url is None and act is None):
        if act or skips:
            raise click.UsageError("say of which AGENCY: lienthong agency webhook AGENCY …")
        _list_webhooks(code)
        return
    if url and act:
        raise click.UsageError("give a URL or one of the options, one after the other")
    settings = Settings.load("routing", os.environ)
    key, catalogue = secret_key(settings), load(settings.catalogue_dir)
    with opened("routing") as store, store.begin(operator()) as uow:
        if act is not None:
            nonce = _ACTS[act][0](uow, code)
        else:
            loopback = settings.webhook_loopback
            nonce = webhooks.set_webhook(uow, catalogue, code, url or "", skips, loopback=loopback)
        audit.note(uow, f"{act or 'set'} agency webhook", [code])
    if nonce is not None:
        click.echo("khóa bí mật, chỉ hiện một lần / the secret, shown once:", err=True)
        click.echo(secret_of(key, code, nonce))
    else:
        click.echo(f"{code}: {act or 'set'}")


def _list_webhooks(code: str | None) -> None:
    with opened("routing") as store, store.read() as connection:
        found = [each for each in rows.every(connection) if code in (None, each.agency)]
    for each in found:
        click.echo(_told(each))
    click.echo(f"{len(found)} webhook", err=True)


def _told(hook: Webhook) -> str:
    """One line: state, what waits, how requests went, what the last trial came to, the address."""
    state = f"paused ({hook.paused})" if hook.paused else hook.failure or "active"
    waits, tries = hook.last - hook.cursor, hook.delivered + hook.failed
    trial = f"\ttrial: {hook.trial}" if hook.trial else ""
    skips = f"\twithout {' '.join(hook.skips)}" if hook.skips else ""
    return f"{hook.agency}\t{state}\twaiting {waits}\t{hook.delivered}/{tries}{trial}{skips}\t{hook.url}"
