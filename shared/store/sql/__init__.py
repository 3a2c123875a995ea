"""The statements on the ledgers, once for each database.

PostgreSQL gets arrays (`unnest`), so each statement has one text whatever the size of a batch and
is planned once; SQLite gets json_each and executemany. Nothing here decides anything.
"""

from shared.store.sql.base import Asked, Found, Key, Known, Numbered, Sql, Unsent, Waiting

__all__ = ["Asked", "Found", "Key", "Known", "Numbered", "Sql", "Unsent", "Waiting"]
