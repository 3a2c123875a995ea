"""`lienthong channels check`: is there a way out for messages? Tries each; sends none."""

from __future__ import annotations

import os
import sys

import click

from services.commands.channel_words import advice

EXIT_AWAY = 1


@click.group("channels")
def channels() -> None:
    """Look at the ways by which messages leave."""


@channels.command("check")
def check() -> None:
    """Try each channel of the settings, and the mailbox that letters come back to; send nothing.

    Says what is wrong and what to do.

    Ends with 0 where all are ready, 1 where one is not, 2 where a setting cannot be right.
    """
    from services.notify.channels import Channel, each_channel, open_channels
    from services.notify.channels.bounces import Mailbox, parse_mailbox
    from services.notify.channels.protocol import Checking
    from shared.settings import Settings

    settings = Settings.load("notify", os.environ)
    mailbox = parse_mailbox(settings.bounce_mailbox)
    found: list[Channel | Mailbox] = [*each_channel(open_channels(settings))]
    if mailbox:
        found.append(mailbox)
    away = 0
    for channel in found:
        why = _tried(channel) if isinstance(channel, Checking) else None
        if why is None:
            click.echo(f"{channel.name}: sẵn sàng / ready")
            continue
        away += 1
        vi, en = advice(channel.name, why)
        click.echo(f"{channel.name}: {why}\n  {vi}\n  {en}", err=True)
    sys.exit(EXIT_AWAY if away else 0)


def _tried(channel: object) -> str | None:
    """Why it is not ready, in a word of ours; None where it is."""
    from services.notify.channels.protocol import Checking

    if not isinstance(channel, Checking):
        return None
    try:
        for _ in channel.check():
            pass
    # The channels' own refusals; whatever else a peer brings about is as good an answer.
    except Exception as refusal:  # noqa: BLE001
        kind = type(refusal).__name__
        return str(refusal) if kind in ("Refusal", "Broken", "Away") else f"{channel.name}: {kind}"
    return None
