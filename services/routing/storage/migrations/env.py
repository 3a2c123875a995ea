"""Runs routing's migrations on the connection that it is handed."""

from services.routing.storage.tables import metadata
from shared.database.migrate import run_history

run_history(metadata)
