"""`lienthong prune`: let go now of what has outlived its term, as the loops do every night."""

from __future__ import annotations

import importlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import click
import sqlalchemy as sa

from services.commands.stores import any_services, named, noted, opened, operator
from services.intake.storage.tables import dossiers
from shared.database import Store
from shared.messaging.acts import Reason
from shared.messaging.prune import Cleared
from shared.settings import Settings

Prune = Callable[..., Iterator[Cleared]]


@click.command()
@any_services
@click.option("--yes", is_flag=True, help="Do it; without it nothing is changed, only counted.")
@click.option("--who", default="", help="Who decides; kept. Needed with --yes.")
@click.option("--why", default="", help="The reason; kept. Needed with --yes.")
def prune(services: tuple[str, ...], who: str, why: str, *, yes: bool) -> None:
    """Count, or with --yes clear, what nobody needs any more, by the terms of the settings.

    Settled facts of ended dossiers (LIENTHONG_KEEP_LEDGERS_DAYS), answers to repeated requests
    (LIENTHONG_KEEP_ANSWERS_DAYS), forms of closed tasks (LIENTHONG_KEEP_FORMS_DAYS). What is not
    settled never goes. In short transactions, beside a running city.
    """
    reason = Reason(who, why) if yes else None
    sizes = [_prune(service, reason) for service in named(services)]
    if not services:
        before, after = (sum(column) for column in zip(*sizes, strict=True))
        count = _dossiers() or 1
        click.echo(
            f"{before / count / 1000:.1f} -> {after / count / 1000:.1f} kB mỗi hồ sơ / per dossier"
        )
    if not yes:
        click.echo(
            "chưa xóa gì; thêm --yes --who --why để xóa / nothing was cleared; --yes does it"
        )


def _prune(service: str, reason: Reason | None) -> tuple[int, int]:
    """Count or clear in one service; the bytes of its database before and after."""
    settings = Settings.load(service, os.environ)
    clear: Prune = importlib.import_module(f"services.{service}.usecases.prune").prune
    with opened(service) as store:
        before = _bytes_of(store)
        found: Counter[str] = Counter()
        for each in clear(store, settings, dry=reason is None):
            found[each.what] += each.count
        if reason is not None:
            with store.begin(operator()) as uow:
                noted(uow, "prune", ", ".join(found) or "-", found.total(), reason)
        after = _bytes_of(store)
    told = ", ".join(f"{what} {count}" for what, count in sorted(found.items()) if count) or "0"
    click.echo(f"{service}: {told}; {before:,} -> {after:,} bytes")
    return before, after


def _dossiers() -> int:
    with opened("intake") as store, store.read() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(dossiers)) or 0)


def _bytes_of(store: Store) -> int:
    """What the rows and indexes take; space that was freed is used again, not given back.

    PostgreSQL counts what it has set aside: it shrinks after its own VACUUM FULL alone.
    """

    def pragma(connection: sa.Connection, name: str) -> int:
        told: Any = connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        return int(told)

    with store.read() as connection:
        if connection.dialect.name == "sqlite":
            used = pragma(connection, "page_count") - pragma(connection, "freelist_count")
            return used * pragma(connection, "page_size")
        size = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
        return int(size or 0)
