"""Empty databases brought up to date, once a session for each back end; and back again.

No test lives here.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command

from services.commands.stores import app_of, history_of
from shared.database.migrate import _config, upgrade
from shared.kernel.clock import RealClock
from shared.kernel.ids import RandomIds
from shared.settings import Settings


def migrate(service: str, url: str) -> None:
    """Bring the empty database of a service to its newest version."""
    settings = Settings(service=service, data_dir=history_of(service), database_url=url)
    store = app_of(service).open_store(settings, clock=RealClock(), ids=RandomIds())
    try:
        upgrade(store.engine, history_of(service))
    finally:
        store.close()


def go_back(engine: sa.Engine, history: Path, revision: str) -> None:
    """Bring a database back to a former version, as far as its history can."""
    with engine.connect() as connection:
        config = _config(history)
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
