"""Alembic's entry for notify's history."""

from services.notify.storage.tables import metadata
from shared.database.migrate import run_history

run_history(metadata)
