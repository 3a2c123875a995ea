"""The two places where the product runs: embedded (SQLite, memory) and on real servers.

Each test gets fresh databases and a fresh broker of its own, made from outside with psycopg
(databases.py) and the management door, so that nothing of ours is trusted to clean up. No test
lives here.
"""

from __future__ import annotations

import base64
import dataclasses
import fcntl
import functools
import json
import os
import secrets
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.settings import Settings
from tests import databases

Migrate = Callable[[str], None]  # given a database URL, brings that empty database up to date


@dataclasses.dataclass(frozen=True)
class Servers:
    """Where the real PostgreSQL and RabbitMQ are; read from the environment of the test run."""

    amqp_url: str
    management_url: str
    database_url: str

    @classmethod
    def found(cls) -> Servers | None:
        """The servers this run was told of, or None."""
        amqp = os.environ.get("LIENTHONG_TEST_AMQP_URL")
        database = os.environ.get("LIENTHONG_TEST_DATABASE_URL")
        if not amqp or not database:
            return None
        management = os.environ.get("LIENTHONG_TEST_AMQP_MANAGEMENT_URL") or _management(amqp)
        return cls(amqp_url=amqp, management_url=management, database_url=database)


def missing_reason() -> str:
    """What to say where a test needs servers and there are none."""
    return (
        "NOT RUN: it needs a real PostgreSQL and RabbitMQ; start it by ./test, or set "
        "LIENTHONG_TEST_AMQP_URL and LIENTHONG_TEST_DATABASE_URL"
    )


def _management(amqp_url: str) -> str:
    parts = urllib.parse.urlsplit(amqp_url)
    user = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
    return f"http://{user}@{parts.hostname}:15672"


class Management:
    """RabbitMQ's management door, spoken to as an operator would."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self.user = urllib.parse.unquote(parts.username or "guest")
        password = urllib.parse.unquote(parts.password or "guest")
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port or 15672}/api"
        token = base64.b64encode(f"{self.user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request; the decoded answer, None where it is empty or 404."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._base + path, data=data, headers=self._headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                if refused.code == 404:
                    return None
                raise RuntimeError(
                    f"{method} {path}: {refused.code} {refused.read().decode()}"
                ) from None
        return json.loads(text) if text else None

    def fresh_vhost(self) -> str:
        """Make an empty virtual host of a random name that our user may do all in."""
        vhost = f"lt-{secrets.token_hex(6)}"
        self.call("PUT", f"/vhosts/{vhost}", {})
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        self.call("PUT", f"/permissions/{vhost}/{urllib.parse.quote(self.user)}", rights)
        return vhost

    def drop_vhost(self, vhost: str) -> None:
        """Delete a virtual host with all that is in it."""
        self.call("DELETE", f"/vhosts/{vhost}")

    @contextmanager
    def defined(self, made: dict[str, Any], users: Iterable[str]) -> Iterator[None]:
        """Load definitions, and take their `users` away afterwards.

        Users are the node's, not a virtual host's, and "intake" is called so in every test: who
        loads definitions waits until no other process of this run has such users.
        """
        port = urllib.parse.urlsplit(self._base).port
        with (Path(tempfile.gettempdir()) / f"lienthong-users-{port}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.call("POST", "/definitions", made)
            try:
                yield
            finally:
                for user in users:
                    self.call("DELETE", f"/users/{urllib.parse.quote(user)}")


class Backend:
    """What a test is given: settings of each service, all of it fresh and gone afterwards."""

    name: str

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._settings: dict[str, Settings] = {}

    @property
    def embedded(self) -> bool:
        """Whether this is the one-process form on SQLite and the memory transport."""
        return self.name == "embedded"

    def settings(self, service: str, **changes: Any) -> Settings:
        """The settings of one service; the same databases and broker all through one test."""
        if service not in self._settings:
            self._settings[service] = Settings(
                service=service,
                data_dir=self.data_dir,
                database_url=self._database(service),
                amqp_url=self.amqp_url(),
                port=0,
                log_level="warning",
                secret_key="a key for tests alone, it opens no door",
                channel_sms="file",
                channel_email="file",
            )
        return dataclasses.replace(self._settings[service], **changes)

    def migrated(self, service: str, migrate: Migrate) -> None:
        """Let `service` have a migrated database: `migrate` runs once per session, then copies."""
        raise NotImplementedError

    def amqp_url(self) -> str:
        """Where this test's own broker is."""
        raise NotImplementedError

    def close(self) -> None:
        """Take away everything that was made for this test."""
        raise NotImplementedError

    def _database(self, service: str) -> str:
        raise NotImplementedError


def _name_of(migrate: Migrate) -> str:
    """What tells one way of migrating from another, the same all through a session."""
    inner = migrate.func if isinstance(migrate, functools.partial) else migrate
    rest = repr(migrate.args) if isinstance(migrate, functools.partial) else ""
    return f"{inner.__module__}.{inner.__qualname__}{rest}"


class Templates:
    """Migrated databases of this session: one per service and way of migrating, when first asked."""

    def __init__(self, folder: Path, servers: Servers | None) -> None:
        self.folder = folder
        self.servers = servers
        self.pool = None if servers is None else databases.Pool(servers.database_url)
        self._made: dict[tuple[str, str, str], str] = {}

    def file(self, service: str, migrate: Migrate) -> Path:
        """The migrated SQLite file of a service."""
        key = ("embedded", service, _name_of(migrate))
        if key not in self._made:
            path = self.folder / f"template-{service}-{len(self._made)}.db"
            migrate(f"sqlite:///{path}")
            _fold_wal(path)
            self._made[key] = str(path)
        return Path(self._made[key])

    def database(self, service: str, migrate: Migrate) -> str:
        """The name of the migrated PostgreSQL database of a service."""
        assert self.servers is not None
        key = ("servers", service, _name_of(migrate))
        if key not in self._made:
            name = f"lt_template_{service}_{secrets.token_hex(4)}"
            create_database(self.servers, name)
            try:
                migrate(database_url(self.servers, name))
                databases.cut_off(self.servers.database_url, name)
            except BaseException:
                drop_database(self.servers, name)
                raise
            self._made[key] = name
        return self._made[key]

    def close(self) -> None:
        """Drop what was made on the servers."""
        if self.pool is not None:
            self.pool.close()
        for (kind, *_), name in self._made.items():
            if kind == "servers" and self.servers is not None:
                drop_database(self.servers, name)


class EmbeddedBackend(Backend):
    """SQLite files under the test's own folder, and the bus in this process."""

    name = "embedded"

    def __init__(self, data_dir: Path, templates: Templates) -> None:
        super().__init__(data_dir)
        self._templates = templates
        self._ready: dict[str, Path] = {}
        _reset_memory()

    def migrated(self, service: str, migrate: Migrate) -> None:
        self._ready[service] = self._templates.file(service, migrate)
        if service in self._settings:  # asked for before: it must be the empty file, fill it
            self._copy(service)

    def amqp_url(self) -> str:
        return "memory://shared"

    def close(self) -> None:
        _reset_memory()

    def _database(self, service: str) -> str:
        self._copy(service)
        return f"sqlite:///{self.data_dir / f'{service}.db'}"

    def _copy(self, service: str) -> None:
        if service in self._ready:
            shutil.copyfile(self._ready[service], self.data_dir / f"{service}.db")


class ServersBackend(Backend):
    """A database per service on the real PostgreSQL and a virtual host on the real RabbitMQ."""

    name = "servers"

    def __init__(self, data_dir: Path, templates: Templates, servers: Servers) -> None:
        super().__init__(data_dir)
        self.servers = servers
        self.management = Management(servers.management_url)
        self.vhost = self.management.fresh_vhost()
        self._templates = templates
        self._ready: dict[str, str] = {}
        assert templates.pool is not None
        self._pool = templates.pool
        self._databases: dict[str, tuple[str, str | None]] = {}  # name, what it is a copy of

    def migrated(self, service: str, migrate: Migrate) -> None:
        self._ready[service] = self._templates.database(service, migrate)
        if service in self._databases:  # asked for before, under a name that must stay
            name, _ = self._databases[service]
            databases.drop_database(self.servers.database_url, name)
            databases.create_database(self.servers.database_url, name, self._ready[service])
            self._databases[service] = (name, self._ready[service])

    def amqp_url(self, user: str | None = None, password: str | None = None) -> str:
        """This test's virtual host, as our own user or as another."""
        parts = urllib.parse.urlsplit(self.servers.amqp_url)
        host = parts.netloc.rpartition("@")[2]
        login = parts.netloc.rpartition("@")[0] or "guest:guest"
        if user is not None:
            login = f"{urllib.parse.quote(user)}:{urllib.parse.quote(password or '')}"
        return f"{parts.scheme}://{login}@{host}/{self.vhost}"

    def close(self) -> None:
        self.management.drop_vhost(self.vhost)
        for name, template in self._databases.values():
            self._pool.give_back(name, template)

    def _database(self, service: str) -> str:
        template = self._ready.get(service)
        name = self._pool.take(template)
        self._databases[service] = (name, template)
        return database_url(self.servers, name)


@contextmanager
def open_templates(servers: Servers | None) -> Iterator[Templates]:
    """Templates for one session of tests, dropped at its end."""
    with tempfile.TemporaryDirectory(prefix="lienthong-templates-") as folder:
        templates = Templates(Path(folder), servers)
        try:
            yield templates
        finally:
            templates.close()


def database_url(servers: Servers, name: str) -> str:
    """The SQLAlchemy URL of one database on the servers."""
    return databases.database_url(servers.database_url, name)


def create_database(servers: Servers, name: str) -> None:
    """Make an empty database for what makes more of its own; drop it again."""
    databases.create_database(servers.database_url, name)


def drop_database(servers: Servers, name: str) -> None:
    """Drop a database, cutting off whoever is still connected to it."""
    databases.drop_database(servers.database_url, name)


def _fold_wal(path: Path) -> None:
    """Bring a write-ahead log back into the file, so that the file alone can be copied."""
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _reset_memory() -> None:
    from shared.messaging import reset_memory

    reset_memory()
