"""The real PostgreSQL and RabbitMQ of a benchmark: fresh databases and virtual hosts on them.

They are found by LIENTHONG_TEST_AMQP_URL and LIENTHONG_TEST_DATABASE_URL, or started by the same
script that the test command uses.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
import psutil
import psycopg
from psycopg import sql

SERVICES = ("intake", "routing", "notify")


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they are; URLs as an operator writes them."""

    amqp_url: str
    management_url: str
    database_url: str

    @classmethod
    def from_environment(cls) -> Servers | None:
        """What the environment names, or None."""
        amqp = os.environ.get("LIENTHONG_TEST_AMQP_URL")
        database = os.environ.get("LIENTHONG_TEST_DATABASE_URL")
        if not amqp or not database:
            return None
        parts = urllib.parse.urlsplit(amqp)
        login = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
        management = os.environ.get(
            "LIENTHONG_TEST_AMQP_MANAGEMENT_URL", f"http://{login}@{parts.hostname}:15672"
        )
        return cls(amqp, management, database)

    @property
    def broker_port(self) -> int:
        """Where RabbitMQ listens."""
        return urllib.parse.urlsplit(self.amqp_url).port or 5672

    def processes(self) -> dict[str, list[psutil.Process]]:
        """The processes of both servers on this machine, to be measured with the rest."""
        database = urllib.parse.urlsplit(self.database_url).port or 5432
        return {"postgresql": _family(database), "rabbitmq": _family(self.broker_port)}


@dataclass(frozen=True, slots=True)
class Place:
    """One contestant's own databases (by service) and virtual host."""

    databases: dict[str, str]
    amqp_url: str

    def plain(self, service: str) -> str:
        """The database as psycopg itself wants it."""
        return self.databases[service].replace("postgresql+psycopg://", "postgresql://", 1)


@contextmanager
def found_or_started() -> Iterator[Servers]:
    """The servers that the environment names, or our own, stopped afterwards."""
    named = Servers.from_environment()
    if named is not None:
        yield named
        return
    from tests.servers.__main__ import own_servers

    with own_servers(durable=True) as started:
        started.ready()
        own = Servers.from_environment()
        if started.missing or own is None:
            raise click.ClickException(
                f"the benchmark needs a real PostgreSQL and RabbitMQ; missing: {started.missing}"
            )
        yield own


@contextmanager
def fresh(servers: Servers) -> Iterator[Place]:
    """A place of its own, gone afterwards."""
    token = secrets.token_hex(4)
    names = {service: f"lt_bench_{token}_{service}" for service in SERVICES}
    vhost = f"lt-bench-{token}"
    manage(servers, "PUT", f"/vhosts/{vhost}")
    user = urllib.parse.urlsplit(servers.amqp_url).username or "guest"
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    manage(servers, "PUT", f"/permissions/{vhost}/{urllib.parse.quote(user)}", rights)
    for name in names.values():
        _administer(servers, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield Place(
            {service: _on(servers.database_url, name) for service, name in names.items()},
            _on(servers.amqp_url, vhost),
        )
    finally:
        manage(servers, "DELETE", f"/vhosts/{vhost}")
        for name in names.values():
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            _administer(servers, drop.format(sql.Identifier(name)))


def _on(url: str, path: str) -> str:
    return urllib.parse.urlunsplit(urllib.parse.urlsplit(url)._replace(path=f"/{path}"))


def _administer(servers: Servers, query: sql.Composed) -> None:
    plain = servers.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(query)


def manage(servers: Servers, method: str, path: str, body: object = None) -> Any:
    """Ask the broker's management door; what it says, None where it says nothing."""
    parts = urllib.parse.urlsplit(servers.management_url)
    login = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
    request = urllib.request.Request(
        f"{parts.scheme}://{parts.hostname}:{parts.port}/api{path}",
        data=None if method == "GET" else json.dumps(body or {}).encode(),
        headers={
            "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
            "Content-Type": "application/json",
        },
        method=method,
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def _family(port: int) -> list[psutil.Process]:
    """Who listens on the port, with all its children; empty when it is on another machine."""
    owners = {
        each.pid
        for each in psutil.net_connections("tcp")
        if each.pid and each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
    }
    found = []
    for pid in owners:
        process = psutil.Process(pid)
        found += [process, *process.children(recursive=True)]
    return found
