"""How much is done for one dossier, counted and not timed: events, rows, trips, writes to sockets.

A run of its own, since counting costs time. Times and CPU are gauge.py's business.
"""

from __future__ import annotations

import socket
import time
import urllib.parse
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

import psycopg

from bench.contest import Contestant, carry
from bench.schedule import Order
from bench.servers import SERVICES, Place, Servers, manage
from shared.testing.proxy import FaultProxy

# RabbitMQ tells what it counted some seconds later.
_BROKER_SECONDS: Final = 6.0
_FIRST: Final = 4_000_000  # the number of the first dossier counted
_OF_A_DATABASE = (
    "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM inbox), xact_commit,"
    " tup_inserted, tup_updated, tup_deleted"
    " FROM pg_stat_database WHERE datname = current_database()"
)
_WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"

Count = dict[str, float]
Start = Callable[[Servers], AbstractContextManager[Contestant]]


class _Trips(FaultProxy):
    """Counts how often a client speaks after its server has: each is a wait for the answer."""

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(target)
        self.count = 0
        self._asked: set[socket.socket] = set()  # servers' ends that have not answered yet

    def _pass_on(self, there: socket.socket, chunk: bytes) -> None:
        if there.getpeername() != self._target:
            self._asked.discard(self._peers[there])
        elif there not in self._asked:
            self._asked.add(there)
            self.count += 1
        super()._pass_on(there, chunk)


@dataclass(frozen=True, slots=True)
class _Looked:
    """All counters at one moment."""

    databases: Mapping[str, tuple[int, ...]]
    wal: float
    trips: int
    calls: Mapping[str, tuple[int, int]]


def count(start: Start, servers: Servers, dossiers: int) -> Count:
    """Everything counted while `dossiers` are carried, for one of them."""
    where = urllib.parse.urlsplit(servers.database_url)
    with _Trips((where.hostname or "127.0.0.1", where.port or 5432)) as trips:
        through = replace(servers, database_url=_at_port(servers.database_url, trips.port))
        with start(through) as contestant:
            before = _look(contestant, trips, servers)
            carry(contestant, None, Order(_FIRST, dossiers))
            after = _look(contestant, trips, servers)
            contestant.crew.stop()  # what the sessions counted is told when they end
            after = replace(
                after, databases=_databases(contestant.place, servers), wal=_wal(servers)
            )
            time.sleep(_BROKER_SECONDS)
            return _for_one(before, after, _broker(contestant.place, servers), dossiers)


def _look(contestant: Contestant, trips: _Trips, servers: Servers) -> _Looked:
    databases = _databases(contestant.place, servers)
    return _Looked(databases, _wal(servers), trips.count, contestant.crew.calls())


def _databases(place: Place, servers: Servers) -> dict[str, tuple[int, ...]]:
    port = urllib.parse.urlsplit(servers.database_url).port or 5432
    found = {}
    for service in SERVICES:
        with psycopg.connect(_at_port(place.plain(service), port)) as connection:
            found[service] = tuple(connection.execute(_OF_A_DATABASE).fetchone() or ())
    return found


def _wal(servers: Servers) -> float:
    plain = servers.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain) as connection:
        return float((connection.execute(_WAL).fetchone() or (0,))[0])


def _broker(place: Place, servers: Servers) -> dict[str, float]:
    vhost = urllib.parse.urlsplit(place.amqp_url).path[1:]
    told = manage(servers, "GET", f"/vhosts/{vhost}")
    return dict(told.get("message_stats") or {})


def _for_one(before: _Looked, after: _Looked, broker: Mapping[str, float], dossiers: int) -> Count:
    moved = {
        service: [b - a for a, b in zip(before.databases[service], values, strict=True)]
        for service, values in after.databases.items()
    }
    made, heard, commits, inserted, updated, deleted = (
        sum(each) for each in zip(*moved.values(), strict=True)
    )
    calls = {
        role: tuple(b - a for a, b in zip(before.calls[role], values, strict=True))
        for role, values in after.calls.items()
    }
    whole = {
        "events made": made,
        "events noted as heard": heard,
        "messages published": broker.get("publish", 0),
        "messages delivered": broker.get("deliver_get", 0),
        "rows inserted": inserted,
        "rows updated": updated,
        "rows deleted": deleted,
        "transactions": commits,
        "round trips to PostgreSQL": after.trips - before.trips,
        "WAL kB": (after.wal - before.wal) / 1000,
        "socket writes to the broker": sum(writes for writes, _ in calls.values()),
        "socket reads from the broker": sum(reads for _, reads in calls.values()),
    }
    found = {name: round(value / dossiers, 2) for name, value in whole.items()}
    for service, values in moved.items():
        found[f"events of {service}"] = round((values[0] + values[1]) / dossiers, 2)
    return found


def _at_port(url: str, port: int) -> str:
    parts = urllib.parse.urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    host = parts.hostname or "127.0.0.1"
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{login}{at}{host}:{port}"))
