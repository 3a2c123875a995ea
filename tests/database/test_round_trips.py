"""How often PostgreSQL is waited for, counted on the wire between it and the service."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from shared.database import Store, batch, make_engine
from shared.kernel.clock import FixedClock
from tests.intake.rig import Desk
from tests.messaging.rig import APPLIED, NOON, open_store

# An answer is kept back until the service has said nothing for so long: all that it says without
# waiting for the answer is then one trip.
QUIET_SECONDS = 0.03


class Tap:
    """A relay between a service and PostgreSQL that counts how often the service waits."""

    def __init__(self, host: str, port: int) -> None:
        self.trips = 0
        self._server = (host, port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                Wire(self, self._door.accept()[0], socket.create_connection(self._server))

    def close(self) -> None:
        """No more connections; those that there are end with the service's own."""
        self._door.close()


class Wire:
    """One connection through a tap."""

    def __init__(self, tap: Tap, client: socket.socket, server: socket.socket) -> None:
        self._tap, self._client, self._server = tap, client, server
        self._heard_at = time.monotonic()
        self._asked = False
        for pump in (self._ask, self._answer):
            threading.Thread(target=pump, daemon=True).start()

    def _ask(self) -> None:
        with suppress(OSError), self._client, self._server:
            while given := self._client.recv(65536):
                self._heard_at, self._asked = time.monotonic(), True
                self._server.sendall(given)
            self._server.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> None:
        with suppress(OSError):
            while given := self._server.recv(65536):
                while (left := self._heard_at + QUIET_SECONDS - time.monotonic()) > 0:
                    time.sleep(left)
                if self._asked:
                    self._asked = False
                    self._tap.trips += 1
                self._client.sendall(given)


@contextmanager
def tapped(store: Store) -> Iterator[Tap]:
    """Let the units of a store go through a tap."""
    direct = store.engine
    tap = Tap(direct.url.host or "127.0.0.1", direct.url.port or 5432)
    store.engine = make_engine(
        direct.url.set(host="127.0.0.1", port=tap.port).render_as_string(hide_password=False)
    )
    try:
        yield tap
    finally:
        store.engine.dispose()
        store.engine = direct
        tap.close()


def fewest(tap: Tap, act, times: int = 5) -> int:
    """What `act` takes where nothing slowed the service down: a pause in its words looks like one."""
    for _ in range(2):  # connected, and its statements kept by the server
        act()
    found = []
    for _ in range(times):
        before = tap.trips
        act()
        found.append(tap.trips - before)
    return min(found)


def test_a_submission_is_two_round_trips(on_servers):
    desk = Desk(on_servers)
    with tapped(desk.store) as tap:
        assert fewest(tap, desk.submit) == 2
    desk.close()


def test_what_a_unit_only_writes_is_one_round_trip_with_its_facts_and_the_commit(on_servers):
    store = open_store(on_servers.settings("routing").database_url, FixedClock(NOON))
    subjects = iter(range(100))

    def unit() -> None:
        subject = f"D{next(subjects)}"
        row = {"source": "/maker", "subject": subject, "sequence": 1, "id": subject}
        with store.begin() as uow:
            uow.opens(subject)
            uow.on_flush(lambda: batch.insert(uow.connection, APPLIED, [row]))
            uow.record(("/maker", "maker.test.made", subject, {}))

    def look() -> None:
        with store.transaction() as connection:
            batch.query(connection, *[(sa.text("SELECT 1"), {})] * 3)

    with tapped(store) as tap:
        assert fewest(tap, unit) == 1
        assert fewest(tap, look) == 2  # the questions with their BEGIN, and the COMMIT
    store.close()
