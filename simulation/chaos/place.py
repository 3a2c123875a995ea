"""Where a run lives: databases and a virtual host of its own, with the rights of a real city, gone after.

The servers are those that LIENTHONG_TEST_AMQP_URL and LIENTHONG_TEST_DATABASE_URL name, or our own,
started by what ./test has for it. Must not: touch what was there before.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import importlib
import json
import os
import secrets
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from shared.catalogue import Catalogue
from shared.kernel.errors import LienThongError
from shared.settings import SERVICES

_TIMEOUT: Final = 60.0
_NAMED: Final = "LIENTHONG_TEST_"


class NoPlace(LienThongError):
    """There is nowhere to run: a server is missing, or somebody else lives there."""

    default_vi = "Không có chỗ để chạy: thiếu PostgreSQL hoặc RabbitMQ."


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the two servers are, as their operator; `own` where nobody else uses them."""

    amqp_url: str = field(repr=False)
    management_url: str = field(repr=False)
    database_url: str = field(repr=False)
    own: bool

    @classmethod
    def named(cls, *, own: bool) -> Servers | None:
        """What the environment names, or None."""
        amqp = os.environ.get(f"{_NAMED}AMQP_URL")
        database = os.environ.get(f"{_NAMED}DATABASE_URL")
        if not amqp or not database:
            return None
        parts = urllib.parse.urlsplit(amqp)
        login = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
        usual = f"http://{login}@{parts.hostname}:15672"
        return cls(amqp, os.environ.get(f"{_NAMED}AMQP_MANAGEMENT_URL", usual), database, own)


@dataclass(frozen=True, slots=True)
class Place:
    """Databases by service and the broker's virtual host, reached without any proxy."""

    databases: Mapping[str, str] = field(repr=False)
    broker: tuple[str, int]
    vhost: str
    operator: str = field(repr=False)  # the AMQP address of who may do all
    passwords: Mapping[str, str] = field(repr=False)

    def amqp_url(self, user: str, port: int) -> str:
        """The virtual host as this user, by a port on this machine."""
        return f"amqp://{user}:{self.passwords[user]}@127.0.0.1:{port}/{self.vhost}"

    def database(self, service: str) -> tuple[str, int]:
        """Host and port of a service's database."""
        parts = urllib.parse.urlsplit(self.databases[service])
        return str(parts.hostname), parts.port or 5432

    def database_url(self, service: str, port: int) -> str:
        """A service's database by a port on this machine."""
        parts = urllib.parse.urlsplit(self.databases[service])
        login = parts.netloc.rpartition("@")[0]
        host = f"127.0.0.1:{port}"
        return parts._replace(netloc=f"{login}@{host}" if login else host).geturl()


def of_sources(module: str) -> Any:
    """A module that lies beside the sources and in no installation."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        raise LienThongError(
            "the chaos run is part of the sources; this installation has none",
            vi="Bản cài đặt này không kèm phần thử phá (cần mã nguồn).",
            code="chaos_missing",
        ) from missing


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """A virtual host of the broker with the rights of a real city."""

    operator: str = field(repr=False)  # its AMQP address, as who may do all
    passwords: Mapping[str, str] = field(repr=False)

    def url(self, user: str) -> str:
        """Its AMQP address as this user."""
        parts = urllib.parse.urlsplit(self.operator)
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{user}:{self.passwords[user]}@{host}").geturl()


@contextmanager
def found_or_started() -> Iterator[Servers]:
    """The servers that the environment names, or our own, stopped afterwards."""
    if (named := Servers.named(own=False)) is not None:
        yield named
        return
    before = dict(os.environ)
    try:
        with of_sources("tests.servers.__main__").own_servers() as started:
            started.ready()
            servers = Servers.named(own=True)
            if started.missing or servers is None:
                raise NoPlace(f"a real server is missing: {', '.join(started.missing)}")
            yield servers
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]


@contextmanager
def fresh(servers: Servers, catalogue: Catalogue) -> Iterator[Place]:
    """A place of its own on these servers, taken away afterwards."""
    token = secrets.token_hex(4)
    vhost = f"lt-chaos-{token}"
    names = {service: f"lt_chaos_{token}_{service}" for service in SERVICES}
    admin = Admin(servers)
    parts = urllib.parse.urlsplit(servers.amqp_url)
    with ExitStack() as stack:
        for name in names.values():
            admin.sql(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            stack.callback(admin.sql, drop)
        passwords = stack.enter_context(admin.users(catalogue, vhost))
        yield Place(
            {service: _on(servers.database_url, name) for service, name in names.items()},
            (str(parts.hostname), parts.port or 5672),
            vhost,
            _on(servers.amqp_url, vhost),
            passwords,
        )


def _on(url: str, path: str) -> str:
    return urllib.parse.urlsplit(url)._replace(path=f"/{path}").geturl()


class Admin:
    """Both servers as their operator."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        parts = urllib.parse.urlsplit(servers.management_url)
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port or 15672}/api"
        self._user = urllib.parse.unquote(parts.username or "guest")
        login = f"{self._user}:{urllib.parse.unquote(parts.password or 'guest')}"
        token = base64.b64encode(login.encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._port = parts.port

    def sql(self, query: sql.Composed) -> None:
        """One order to the database server."""
        plain = self._servers.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(query)

    def manage(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the broker's management door; None where it says nothing."""
        data = None if method == "GET" else json.dumps(body or {}).encode()
        asked = urllib.request.Request(  # noqa: S310 - the address of a server that we were given
            self._base + path, data=data, headers=self._headers, method=method
        )
        with urllib.request.urlopen(asked, timeout=_TIMEOUT) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    @contextmanager
    def users(self, catalogue: Catalogue, vhost: str) -> Iterator[dict[str, str]]:
        """The virtual host with the rights as deployed, and the password of each user.

        Users are the whole node's. On a server that is not ours alone we wait for others who make
        such users (as tests do), and leave at once where users of these names live there.
        """
        make = of_sources("deploy.rabbitmq.make").definitions
        named = {user["name"] for user in make(catalogue, vhost=vhost)["users"]}
        passwords = {name: secrets.token_urlsafe(16) for name in sorted(named)}
        with ExitStack() as stack:
            if not self._servers.own:
                stack.enter_context(_alone(self._port))
            if found := named & {user["name"] for user in self.manage("GET", "/users")}:
                raise NoPlace(f"broker users of these names live there: {', '.join(sorted(found))}")
            stack.callback(self._clear, vhost, passwords)
            self.manage("POST", "/definitions", make(catalogue, passwords, vhost=vhost))
            rights = {"configure": ".*", "write": ".*", "read": ".*"}
            self.manage("PUT", f"/permissions/{vhost}/{urllib.parse.quote(self._user)}", rights)
            yield passwords

    @contextmanager
    def virtual_host(self, catalogue: Catalogue) -> Iterator[VirtualHost]:
        """A virtual host of its own, taken away afterwards."""
        vhost = f"lt-trial-{secrets.token_hex(4)}"
        with self.users(catalogue, vhost) as passwords:
            yield VirtualHost(_on(self._servers.amqp_url, vhost), passwords)

    def _clear(self, vhost: str, users: Mapping[str, str]) -> None:
        for path in (f"/vhosts/{vhost}", *(f"/users/{urllib.parse.quote(each)}" for each in users)):
            with contextlib.suppress(urllib.error.HTTPError):  # it was never made
                self.manage("DELETE", path)


@contextmanager
def _alone(port: int | None) -> Iterator[None]:
    """Hold the lock under which tests make broker users of fixed names on this node."""
    name = Path(tempfile.gettempdir()) / f"lienthong-users-{port}.lock"
    with name.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
