"""One service's door to its database: units of work that commit whole or not at all.

Built once in the composition root and handed in; holds no state of any one unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import sqlalchemy as sa

from shared.database.engine import ALONE, READ_ONLY, translate, writer_lock
from shared.database.signal import Signal
from shared.database.unit_of_work import EventLog, UnitOfWork
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import DatabaseAway
from shared.kernel.ids import Ids


class Store:
    """Engine and event log of one service.

    `after_commit` hooks run after each commit that recorded events or gave a signal.
    """

    def __init__(self, engine: sa.Engine, log: EventLog, *, clock: Clock, ids: Ids) -> None:
        self.engine = engine
        self.log = log
        self.clock = clock
        self.ids = ids
        self.recorded = Signal()  # there is something to send
        self.commits = Signal()  # a unit of work was committed
        self.replayed = Signal()  # an inbox row was released to be tried again
        self._signals: dict[str, Signal] = {}
        self.after_commit: list[Callable[[], None]] = []
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
                connection, log=self.log, now=self.clock.now(), ids=self.ids, actor=actor
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
                hook()

    def signal(self, name: str) -> Signal:
        """The signal that units give by `UnitOfWork.signal(name)`."""
        found = self._signals.get(name)
        return found if found is not None else self._signals.setdefault(name, Signal())

    def signal_all(self) -> None:
        """Another process has committed something: whoever waits for a signal must look."""
        self.recorded.set()
        self.commits.set()
        for signal in list(self._signals.values()):
            signal.set()

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
        with _translated(), writer_lock(self.engine), self.engine.connect() as connection:
            yield connection
            if connection.in_transaction():
                _commit(connection)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading one consistent picture; nothing is committed."""
        with _translated(), self.engine.connect() as connection:
            yield connection.execution_options(**{READ_ONLY: True})
            if self.engine.dialect.name != "sqlite" and connection.in_transaction():
                _commit(connection)  # psycopg forgets after a ROLLBACK what the server has parsed

    @contextmanager
    def query(self) -> Iterator[sa.Connection]:
        """A connection for a single question, without the two round trips of a transaction."""
        with _translated(), self._querying.connect() as connection:
            yield connection

    def ping(self) -> None:
        """A round trip to the database; DatabaseAway when there is none."""
        with self.query() as connection:
            connection.execute(sa.text("SELECT 1"))

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


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        known = translate(error)
        if known is None:
            raise
        raise known from error
    except (ConnectionError, TimeoutError) as error:  # a driver that let a socket error through
        raise DatabaseAway("the database connection broke off") from error
