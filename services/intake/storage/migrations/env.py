"""Alembic's entry for intake's history."""

from services.intake.storage.tables import metadata
from shared.database.migrate import run_history

run_history(metadata)
