"""Alembic for several services with one helper: bring a database up, and tell drift.

Each service keeps its own history; its env.py is one call of `run_history`. A lock lets several
processes start at once and only one of them migrate.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from shared.database.engine import unhurried, writer_lock
from shared.kernel.errors import LienThongError

_LOCK: Final = 0x6C69656E  # any number of our own for the advisory lock on PostgreSQL


class HistoryBroken(LienThongError):
    """The migrations cannot be run as they are written."""

    default_vi = "Lịch sử cơ sở dữ liệu có lỗi."


def upgrade(engine: sa.Engine, script_location: str | Path, revision: str = "head") -> None:
    """Bring the database up to a revision in one transaction; does nothing when it is there."""
    from alembic import command

    _for_the_owner_alone(engine)
    with writer_lock(engine), engine.connect() as connection, unhurried(connection):
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:k)"), {"k": _LOCK})
        config = _config(script_location)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def _for_the_owner_alone(engine: sa.Engine) -> None:
    """Nobody else may read SQLite's file, whatever the umask; its log gets what the file has."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return
    with contextlib.suppress(OSError):  # not ours to close, or no such folder: told right after
        # Never opened where it is there: to close it again would take SQLite's own locks away.
        if not Path(name).exists():
            os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        for file in (Path(name), Path(f"{name}-wal"), Path(f"{name}-shm")):
            if file.exists():
                file.chmod(0o600)


def current(engine: sa.Engine) -> str | None:
    """The revision that the database is at; None where it was never migrated."""
    with engine.connect() as connection:
        return version(connection)


def version(connection: sa.Connection) -> str | None:
    """As `current`, on a connection that is open."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def head(script_location: str | Path) -> str | None:
    """The newest revision of a history."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config(script_location)).get_current_head()


def run_history(metadata: sa.MetaData) -> None:
    """The whole of a service's env.py: run its migrations on the connection handed to `upgrade`."""
    from alembic import context

    connection: sa.Connection | None = context.config.attributes.get("connection")
    if connection is None:
        raise HistoryBroken("migrations are run by `lienthong migrate`, not by alembic itself")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def drift(engine: sa.Engine, metadata: sa.MetaData) -> list[str]:
    """What differs between the database and the tables in code, one line each; empty is right."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [_told(difference) for difference in compare_metadata(context, metadata)]


def _told(difference: Any) -> str:
    # alembic gives tuples, and lists of tuples for the changes of one column
    return str(difference[0] if isinstance(difference, list) else difference)


def _config(script_location: str | Path) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
