"""Backups of a service's database, taken and put back as an operator would. No test lives here."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from shared.database import Store
from tests import databases
from tests.backends import Backend, ServersBackend


class Backup:
    """A copy of one service's database: a file beside it, or a database of the server's own."""

    def __init__(self, backend: Backend, service: str, store: Store) -> None:
        self._store = store
        self._url = make_url(backend.settings(service).database_url)
        self._servers = backend.servers if isinstance(backend, ServersBackend) else None
        self._copy = f"lt_backup_{secrets.token_hex(4)}"
        if self._servers is None:
            self._file = Path(self._url.database or "")
            self._kept = backend.data_dir / self._copy
            with (
                closing(sqlite3.connect(self._file)) as source,
                closing(sqlite3.connect(self._kept)) as target,
            ):
                source.backup(target)
        else:
            self._duplicate(self._url.database or "", self._copy)

    def put_back(self) -> None:
        """The database is as it was when the backup was made; nobody is connected any more."""
        self._store.engine.dispose()
        if self._servers is None:
            for tail in ("-wal", "-shm"):
                self._file.with_name(self._file.name + tail).unlink(missing_ok=True)
            shutil.copyfile(self._kept, self._file)
            return
        name = self._url.database or ""
        databases.drop_database(self._servers.database_url, name)
        self._duplicate(self._copy, name)

    def _duplicate(self, name: str, copy: str) -> None:
        assert self._servers is not None
        self._store.engine.dispose()
        databases.cut_off(self._servers.database_url, name)
        databases.create_database(self._servers.database_url, copy, name)

    def drop(self) -> None:
        """Let go of the copy."""
        if self._servers is not None:
            databases.drop_database(self._servers.database_url, self._copy)


@contextmanager
def backup_of(backend: Backend, service: str, store: Store) -> Iterator[Backup]:
    """A backup, made now and thrown away afterwards."""
    made = Backup(backend, service, store)
    try:
        yield made
    finally:
        made.drop()
