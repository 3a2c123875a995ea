"""One service's door to its database: units of work that commit whole or not at all.

Built once in the composition root and handed in; holds no state of any one unit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

import sqlalchemy as sa

from shared.database.engine import ALONE, READ_ONLY, writer_lock
from shared.database.gate import Gate
from shared.database.shared_clock import SharedClock
from shared.database.signal import Signal
from shared.database.trouble import spoils, translate
from shared.database.unit_of_work import EventLog, UnitOfWork
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import DatabaseAway
from shared.kernel.ids import Ids

_READS_ONLY: Final = sa.text("SELECT current_setting('transaction_read_only')")


class Store:
    """Engine and event log of one service.

    `after_commit` hooks run after each commit that recorded events or gave a signal; they are handed
    the names of the signals.
    """

    def __init__(self, engine: sa.Engine, log: EventLog, *, clock: Clock, ids: Ids) -> None:
        self.engine = engine
        self.log = log
        self.clock = clock
        self.ids = ids
        self.shared_clock = SharedClock(clock)
        self.recorded = Signal()  # there is something to send
        self.commits = Signal()  # a unit of work was committed
        self.replayed = Signal()  # an inbox row was released to be tried again
        self._signals: dict[str, Signal] = {}
        self.after_commit: list[Callable[[Collection[str]], None]] = []
        self.given: dict[type[Any], Any] = {}  # what each unit of work is handed, by its class
        self._gate = Gate()
        self._refused = False  # the last writer was
        self._alone = engine.execution_options(**{ALONE: True})
        self.before_close: list[Callable[[], None]] = []
        self._querying = engine.execution_options(**{READ_ONLY: True, ALONE: True})

    @contextmanager
    def begin(self, actor: Actor | None = None) -> Iterator[UnitOfWork]:
        """A unit of work of `actor`: commits at the end of the block, rolls back when it raises.

        DatabaseAway where the database is gone (whether a commit that broke off was made is then
        unknown: ask again), Contention where two writers stood in each other's way.
        """
        with self.transaction() as connection:
            unit = UnitOfWork(
                connection,
                log=self.log,
                now=self.clock.now(),
                ids=self.ids,
                actor=actor,
                shared_clock=self.shared_clock,
                given=self.given,
            )
            yield unit
            with self.ending(connection):  # what is written needs no answer
                unit.flush()
        self.commits.set()
        if unit.released:
            self.replayed.set()
        for name in unit.signals:
            self.signal(name).set()
        if unit.has_recorded:
            self.recorded.set()
        if unit.has_recorded or unit.signals:
            for hook in self.after_commit:
                hook(unit.signals)

    def signal(self, name: str) -> Signal:
        """The signal that units give by `UnitOfWork.signal(name)`."""
        found = self._signals.get(name)
        return found if found is not None else self._signals.setdefault(name, Signal())

    def heard(self, names: Collection[str] | None = None) -> None:
        """Another process has committed: the relay looks, and whoever waits for these signals.

        None: what it brought is not known, so all look.
        """
        self.recorded.set()
        self.commits.set()
        for name in list(self._signals) if names is None else names:
            self.signal(name).set()

    @contextmanager
    def ending(self, connection: sa.Connection) -> Iterator[None]:
        """The last writes of a transaction and its COMMIT, in one round trip where that can be."""
        with self._deferring(connection):
            yield
            _commit(connection)

    def _deferring(self, connection: sa.Connection) -> AbstractContextManager[None]:
        if self.engine.dialect.name == "sqlite":
            return nullcontext()
        from shared.database.pipeline import deferring

        return deferring(connection)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A bare transaction for the loops' own bookkeeping; gives no signal."""
        try:
            with self._connected(self.engine, writer_lock(self.engine)) as connection:
                yield connection
                if connection.in_transaction():
                    _commit(connection)
        except DatabaseAway:
            self._refused = True
            raise
        self._refused = False

    @contextmanager
    def session(self) -> Iterator[sa.Connection]:
        """A connection without a transaction, for locks that outlive one (PostgreSQL).

        Each statement stands for itself. Who locks lets go, at the latest by `last`.
        """
        with self._connected(self._alone) as connection:
            yield connection

    @contextmanager
    def last(self, connection: sa.Connection) -> Iterator[None]:
        """The one transaction at the end of a `session`: what is executed here, and its COMMIT."""
        connection.rollback()  # SQLAlchemy alone believes that one is open
        connection.execution_options(**{ALONE: False})
        with self.ending(connection):
            yield

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading one consistent picture; nothing is committed."""
        with self._connected(self.engine, reading=True) as connection:
            yield connection.execution_options(**{READ_ONLY: True})
            if self.engine.dialect.name != "sqlite" and connection.in_transaction():
                _commit(connection)  # psycopg forgets after a ROLLBACK what the server has parsed

    @contextmanager
    def query(self) -> Iterator[sa.Connection]:
        """A connection for a single question, without the two round trips of a transaction."""
        with self._connected(self._querying) as connection:
            yield connection

    @contextmanager
    def _connected(
        self,
        engine: sa.Engine,
        lock: AbstractContextManager[None] | None = None,
        *,
        reading: bool = False,
    ) -> Iterator[sa.Connection]:
        """A connection from the pool; after a trouble that spoils it, none of the pool is used.

        `reading`: its transaction only reads by our own word, so a write in it is our defect.
        """
        pool, entered, lost = self.engine.pool, self._gate.enter(), False
        try:
            with lock or nullcontext(), engine.connect() as connection:
                try:
                    yield connection
                except BaseException as error:
                    if spoils(error, reading=reading):
                        connection.invalidate()
                    raise
        except (sa.exc.SQLAlchemyError, ConnectionError, TimeoutError) as error:
            lost = spoils(error, reading=reading)
            if lost and self.engine.pool is pool:
                self.engine.dispose()
            known = translate(error, reading=reading)
            if known is None:
                raise
            raise known from error
        finally:
            self._gate.left(entered, lost=lost)

    def ping(self) -> None:
        """A round trip to the database; DatabaseAway where there is none, or it takes no writes."""
        if self.engine.dialect.name == "sqlite":
            self._ping_file()
            return
        with self.query() as connection:
            reads_only = connection.scalar(_READS_ONLY) == "on"
        if reads_only:
            self.engine.dispose()  # another session may meet the server that writes
            raise DatabaseAway("the database only reads")

    def _ping_file(self) -> None:
        """Reads; where the last writer was refused, also writes what is there already."""
        with self.query() as connection:
            version = connection.scalar(sa.text("PRAGMA user_version"))
        if self._refused:
            with self.transaction() as connection:
                connection.exec_driver_sql(f"PRAGMA user_version = {int(version or 0)}")

    def close(self) -> None:
        """Let go of all connections, once everything that was held back is written."""
        for hook in self.before_close:
            hook()
        self.engine.dispose()


def _commit(connection: sa.Connection) -> None:
    try:
        connection.commit()
    except BaseException:
        # The transaction may still be open, which the pool would not know: never back into it.
        connection.invalidate()
        raise
