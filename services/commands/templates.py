"""`lienthong templates list|preview|price`: what citizens will be told, and what it costs, before it is.

With invented data; with a real dossier's by a logged act.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import cast

import click

from services.commands.stores import noted, opened, operator
from services.notify.domain.composing import Composer
from services.notify.domain.previews import Compared, Preview, made_up, previewed
from services.notify.domain.spending import Month, month_at, read_month
from services.notify.usecases.previewing import both_versions, compared, known_of
from shared.catalogue import MOMENTS, load
from shared.catalogue.model import Language, Template
from shared.catalogue.read.templates import CALL, CHANNELS, LANGUAGES
from shared.kernel.clock import RealClock, to_vn
from shared.messaging.acts import Reason
from shared.settings import Settings

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_MOMENT = click.argument("moment", type=click.Choice(list(MOMENTS)))
_ON = click.option("--on", "day", type=_DAY, help="On this local day; today if not given.")


@click.group("templates")
def templates() -> None:
    """The words of messages: which hold when, how they read, what they cost."""


@templates.command("list")
@_ON
def list_templates(day: datetime | None) -> None:
    """List all versions; `*` is in force that day, with the SMS parts of an invented dossier."""
    composer, on = _composer(), _day(day)
    book = composer.catalogue
    first = {(each.moment, each.version): each for each in reversed(book.templates())}
    for moment in MOMENTS:
        for (_, number), each in sorted(
            (key, one) for key, one in first.items() if key[0] == moment
        ):
            mark = "*" if each.is_valid(on) else " "
            parts = " ".join(
                f"{language} {_shown(composer, moment, 'sms', language, number, on).parts}"
                for language in LANGUAGES
            )
            until = each.valid_to or ""
            click.echo(
                f"{mark} {moment:22} {number:3}  {each.valid_from} - {until!s:10}  sms {parts}"
            )


@templates.command("preview")
@_MOMENT
@click.option("--channel", type=click.Choice([*CHANNELS, CALL]), default="sms", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default="vi", show_default=True)
@_ON
@click.option("--version", type=int, help="This version, whether in force that day or not.")
@click.option("--dossier", help="With what a real message of this dossier was made of; noted.")
@click.option("--who", default="", help="Who looks; needed with --dossier, kept.")
@click.option("--why", default="", help="The reason; needed with --dossier, kept.")
def preview(
    *, moment: str, channel: str, language: str, day: datetime | None, version: int | None,
    dossier: str | None, who: str, why: str,
) -> None:  # fmt: skip
    """Show the text for MOMENT as its reader would see it, its parts and its price."""
    composer, on = _composer(), _day(day)
    spoken = cast("Language", language)
    if dossier is None:
        shown = _shown(composer, moment, channel, spoken, version, on)
    else:
        reason = Reason(who, why)
        with opened("notify") as store:
            with store.begin(operator()) as uow:
                noted(uow, "templates preview", dossier, 1, reason)
            with store.read() as connection:
                known = known_of(connection, composer, dossier, moment, spoken)
        when = on if day else known.notice.local_day
        template = _template(composer, moment, channel, spoken, version, when)
        shown = previewed(composer, template, known)
    for line in _lines(shown):
        click.echo(line)


@templates.command("price")
@click.argument("moment", required=False, type=click.Choice(list(MOMENTS)))
@click.option("--channel", type=click.Choice(CHANNELS), default="sms", show_default=True)
@click.option("--version", type=int, help="The new version; the latest if not given.")
@click.option("--against", type=int, help="The old one; the one in force today if not given.")
@click.option("--month", help="Of this month's messages, as 2026-11; last month's if not given.")
def price(
    *, moment: str | None, channel: str, version: int | None, against: int | None, month: str | None
) -> None:
    """What two versions make of a month's messages: how many would have cost more, or less."""
    composer, now = _composer(), RealClock().now()
    of = read_month(month) if month else month_at(now).before
    with opened("notify") as store, store.read() as connection:
        for each in [moment] if moment else MOMENTS:
            for language in LANGUAGES:
                both = both_versions(
                    composer, each, channel, language, (against, version), to_vn(now).date()
                )
                if both is None or (both[0] is both[1] and moment is None):
                    continue
                told = compared(connection, composer, *both, of)
                click.echo(
                    _compared(f"{each} {channel} {language}", [t.version for t in both], told, of)
                )


def _compared(name: str, versions: Sequence[int], told: Compared, month: Month) -> str:
    old, new = versions
    count = told.same + told.more + told.less
    return (
        f"{name}, {month}: {count} messages; version {old} {told.parts[0]} parts {told.vnd[0]:,} VND, "
        f"version {new} {told.parts[1]} parts {told.vnd[1]:,} VND; "
        f"more {told.more}, less {told.less}, the same {told.same}, not known any more {told.untold}"
    )


def _lines(shown: Preview) -> Iterator[str]:
    template = shown.template
    price = "no price is laid down" if shown.vnd is None else f"{shown.vnd:,} VND"
    until = template.valid_to or "further notice"
    yield (
        f"{template.moment} {template.channel} {template.language}, version {template.version} "
        f"from {template.valid_from} until {until}"
    )
    yield f"{shown.encoding}, {shown.characters} characters, {shown.parts} part(s), {price}"
    yield ""
    if shown.subject:
        yield f"{shown.subject}\n"
    yield shown.body.rstrip()


def _shown(
    composer: Composer, moment: str, channel: str, language: Language, version: int | None, on: date
) -> Preview:
    template = _template(composer, moment, channel, language, version, on)
    return previewed(composer, template, made_up(composer, language, on))


def _template(
    composer: Composer, moment: str, channel: str, language: Language, version: int | None, on: date
) -> Template:
    book = composer.catalogue
    if version is not None:
        return book.template_version(moment, channel, language, version)
    return book.template(moment, channel, language, on)


def _composer() -> Composer:
    return Composer(load(Settings.load("notify", os.environ).catalogue_dir))


def _day(day: datetime | None) -> date:
    return day.date() if day is not None else to_vn(RealClock().now()).date()
