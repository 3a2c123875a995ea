"""What the operator's commands share: opening the ledgers of a named service, and the option.

Only settings and the store are built, no doors and no loops, so a command runs beside a running
installation and also when its broker is away.
"""

from __future__ import annotations

import getpass
import importlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from sqlalchemy import make_url

from shared.database import Store, UnitOfWork
from shared.database.migrate import head, version
from shared.identity import audit
from shared.kernel.actor import SHELL, Actor
from shared.kernel.clock import RealClock
from shared.kernel.errors import LienThongError
from shared.kernel.ids import RandomIds
from shared.messaging.acts import Reason, record
from shared.settings import SERVICES, Settings

Command = Callable[..., Any]


def one_service(command: Command) -> Command:
    """The option that names the service whose ledgers are meant."""
    return click.option(
        "--service", required=True, type=click.Choice(SERVICES), help="Whose ledgers."
    )(command)


def any_services(command: Command) -> Command:
    """The option that names services, all of them when it is left out."""
    return click.option(
        "--service",
        "services",
        multiple=True,
        type=click.Choice(SERVICES),
        help="Whose ledgers; may be repeated. Default: all three.",
    )(command)


def named(services: Sequence[str]) -> Sequence[str]:
    """The services that were named, or all."""
    return services or SERVICES


def reasoned(command: Command) -> Command:
    """The options of whoever changes something by hand; kept with what was done."""
    for name, told in (("--why", "The reason; kept."), ("--who", "Who decides; kept.")):
        command = click.option(name, required=True, help=told)(command)
    return command


def noted(uow: UnitOfWork, act: str, what: str, count: int, reason: Reason) -> None:
    """Write down, with this unit, what an operator did by hand; the one place for all commands."""
    record(uow, act, what, count, reason)
    audit.note(uow, act, [what], reason=f"{reason.who}: {reason.why}")


def now() -> datetime:
    """The present instant of the city's clock, in UTC."""
    return RealClock().now()


@contextmanager
def opened(service: str, *, migrated: bool = True) -> Iterator[Store]:
    """The store of a service by the settings of this environment, closed afterwards.

    LienThongError, with what to set or to type, where there is no database or an old one.
    """
    from shared.messaging.loops.wakeups import telling  # with PostgreSQL's driver

    settings = Settings.load(service, os.environ)
    if migrated:
        _must_be_there(settings)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store: Store = app_of(service).open_store(settings, clock=RealClock(), ids=RandomIds())
    try:
        store.ping()
        if migrated and _version(store) != head(history_of(service)):
            raise LienThongError(
                f"the database of {service} is not up to date; run: lienthong migrate",
                vi=f"Cơ sở dữ liệu của {service} chưa được cập nhật; chạy: lienthong migrate",
                code="not_migrated",
            )
        with telling(store, service):
            yield store
    finally:
        store.close()


def _version(store: Store) -> str | None:
    """The version of a database that others may be writing to; it is only read."""
    with store.read() as connection:
        return version(connection)


def _must_be_there(settings: Settings) -> None:
    """SQLite makes an empty file of a wrong name: an operator would look into the wrong ledgers."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise LienThongError(
            f"there is no database of {settings.service} at {url.database}; "
            "set LIENTHONG_DATA_DIR as it was set for the city, or run: lienthong migrate",
            vi=f"Không có cơ sở dữ liệu của {settings.service} ở {url.database}; hãy đặt "
            "LIENTHONG_DATA_DIR như khi chạy thành phố",
            code="no_database",
        )


def operator() -> Actor:
    """Whoever types this, by the name under which the machine knows them."""
    try:
        name = re.sub(r"[^A-Za-z0-9._-]", "-", getpass.getuser())[:100]
    except (OSError, KeyError):  # a container's user without a name
        name = str(os.getuid()) if hasattr(os, "getuid") else ""
    return Actor("operator", name) if name else SHELL


def revealing(command: Command) -> Command:
    """The options that show citizens' words, with the reason that is written down first."""
    shown = click.option("--reveal", is_flag=True, help="Show citizens' words too; noted for ever.")
    why = click.option("--reason", default="", help="Why you look; needed with --reveal.")
    return shown(why(command))


def app_of(service: str) -> ModuleType:
    """The composition root of a service."""
    return importlib.import_module(f"services.{service}.app")


def history_of(service: str) -> Path:
    """Where the migrations of a service lie."""
    return Path(str(app_of(service).__file__)).parent / "storage" / "migrations"
