"""`lienthong evidence`: the signed records of what was handed over, as a file; checking one; the keys."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import click

from partner.errors import PartnerError
from partner.evidence import in_words, matching, read_keys, verify
from services.commands.stores import opened, operator
from services.routing.domain.evidence import CITY
from services.routing.storage import evidence as storage
from services.routing.usecases import evidence as usecases
from services.routing.usecases.book import bounds
from shared.catalogue import load
from shared.identity import audit
from shared.kernel.errors import LienThongError, NotFound
from shared.settings import Settings

_DAY = click.DateTime(["%Y-%m-%d"])
_FILE = click.Path(path_type=Path, dir_okay=False)
_THERE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def evidence() -> None:
    """What was handed over and answered: signed records, each bound to the one before."""


@evidence.command("export")
@click.argument("agency", metavar="AGENCY")
@click.argument("file", metavar="FILE", type=_FILE)
@click.option("--from", "first", type=_DAY, help="From this day of Việt Nam's calendar on.")
@click.option("--to", "last", type=_DAY, help="Up to and with this day.")
@click.option(
    "--salts", is_flag=True, help="Let the reader match messages that he has; noted for ever."
)
def export(
    agency: str, file: Path, first: datetime | None, last: datetime | None, *, salts: bool
) -> None:
    """Write the records of AGENCY into FILE; what has just happened is sealed first.

    It holds ids, kinds and instants, and nothing of a citizen.
    """
    settings = Settings.load("routing", os.environ)
    signer = usecases.signer_of(settings)
    begin = None if first is None else bounds(first.date())[0]
    end = None if last is None else bounds(last.date())[1]
    with opened("routing") as store:
        _known(settings, agency)
        usecases.catch_up(store, signer, agency)
        with store.read() as connection, file.open("w", encoding="utf-8") as out:
            given = (connection, signer, agency, store.clock.now())
            out.writelines(usecases.lines(*given, during=(begin, end), salts=salts))
        with store.begin(operator()) as uow:
            audit.note(uow, f"export evidence{' with salts' if salts else ''}", [agency])
    click.echo(f"{file}: {agency}")


def _known(settings: Settings, agency: str) -> None:
    if agency not in load(settings.catalogue_dir).agency_codes():
        raise NotFound(f"there is no agency {agency[:60]!r}", vi="Không có cơ quan mang mã này.")


@evidence.command("verify")
@click.argument("file", metavar="FILE", type=_THERE)
@click.option("--keys", type=_THERE, help="Public keys from elsewhere than FILE itself.")
@click.option("--message", type=_THERE, help="Say which record is of this message (needs salts).")
@click.pass_context
def verify_(ctx: click.Context, file: Path, keys: Path | None, message: Path | None) -> None:
    """Check FILE: every signature, gap, order. Needs no database. 0: whole, 1: not."""
    try:
        trusted = None if keys is None else read_keys(json.loads(keys.read_bytes()))
        with file.open("rb") as lines:
            found = verify(lines, trusted)
    except (PartnerError, ValueError) as wrong:
        vi = getattr(wrong, "vi", None) or "không đọc được tệp khóa"
        raise LienThongError(str(wrong), vi=vi, code="no_evidence") from None
    for line in in_words(found):
        click.echo(line)
    if message is not None:
        with file.open("rb") as lines:
            numbers = matching(lines, message.read_bytes())
        click.echo(f"bản ghi / record: {', '.join(map(str, numbers)) or '-'}")
    ctx.exit(1 if found.faults or (message is not None and not numbers) else 0)


@evidence.command("keys")
@click.argument("agency", metavar="AGENCY", required=False)
@click.option("--add", type=_THERE, help="Its public key (PEM): it may sign by it from now on.")
@click.option("--end", metavar="KEY", help="Take nothing any more that is signed by this key.")
def keys_(agency: str | None, add: Path | None, end: str | None) -> None:
    """List public keys as JSON (the city's, with AGENCY its own too), add one of AGENCY or end it."""
    settings = Settings.load("routing", os.environ)
    if agency is None and (add or end):
        raise click.UsageError("say of which AGENCY: lienthong evidence keys AGENCY --add FILE")
    with opened("routing") as store:
        if agency is not None and (add or end):
            _known(settings, agency)
            with store.begin(operator()) as uow:
                if add is not None:
                    usecases.add_key(uow, agency, add.read_text(encoding="utf-8"))
                if end is not None:
                    usecases.end_key(uow, agency, end)
                audit.note(uow, f"{'add' if add else 'end'} evidence key", [agency])
        usecases.begin_key(store, usecases.signer_of(settings))
        with store.read() as connection:
            found = storage.keys(connection, CITY, *([agency] if agency else ()))
    click.echo(json.dumps([usecases.told(each) for each in found], indent=1))
