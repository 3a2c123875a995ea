"""One service's door to its database: units of work that commit whole or not at all.

Built once in the composition root and handed in; holds no state of any one unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import sqlalchemy as sa

from shared.kernel.clock import Clock
from shared.kernel.errors import DatabaseAway
from shared.kernel.ids import Ids
from shared.store.engine import READ_ONLY, translate, writer_lock
from shared.store.ledgers import Ledgers
from shared.store.sql import Sql
from shared.store.uow import Translator, UnitOfWork
from shared.store.wake import Wake


class Store:
    """Engine, ledgers and translator of one service.

    `reads` names the sources whose facts this service consumes: what it makes says how far it
    had applied them (`after`). `after_commit` hooks run after each commit that made facts.
    """

    def __init__(
        self,
        engine: sa.Engine,
        ledgers: Ledgers,
        *,
        translate: Translator,
        clock: Clock,
        ids: Ids,
        reads: Sequence[str] = (),
    ) -> None:
        self.engine = engine
        self.ledgers = ledgers
        self.clock = clock
        self.ids = ids
        self.reads = tuple(reads)
        self.sql = Sql.of(engine)
        self.wake = Wake()  # there is something to send
        self.commits = Wake()  # a unit of work was committed
        self.replayed = Wake()  # an inbox row was released to be tried again
        self._bells: dict[str, Wake] = {}
        self.after_commit: list[Callable[[], None]] = []
        self._translate = translate
        alone = {} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._glancing = engine.execution_options(**{READ_ONLY: True}, **alone)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """A unit of work: commits at the end of the block, rolls back when it raises.

        DatabaseAway where the database is gone (whether a commit that broke off was made is then
        unknown: ask again), Contention where two writers stood in each other's way.
        """
        with self.transaction() as connection:
            unit = UnitOfWork(
                connection,
                sql=self.sql,
                ledgers=self.ledgers,
                translate=self._translate,
                now=self.clock.now(),
                ids=self.ids,
                reads=self.reads,
            )
            yield unit
            with self.ending(connection):  # what is written needs no answer
                unit.flush()
        self.commits.set()
        if unit.released:
            self.replayed.set()
        unit.committed()
        for name in unit.bells:
            self.bell(name).set()
        if unit.made_facts:
            self.wake.set()
        if unit.made_facts or unit.bells:
            for hook in self.after_commit:
                hook()

    def bell(self, name: str) -> Wake:
        """The bell that units ring by `UnitOfWork.ring(name)`."""
        found = self._bells.get(name)
        return found if found is not None else self._bells.setdefault(name, Wake())

    def ring_all(self) -> None:
        """Another process has committed something: whoever waits for a bell must look."""
        self.wake.set()
        self.commits.set()
        for bell in list(self._bells.values()):
            bell.set()

    @contextmanager
    def ending(self, connection: sa.Connection) -> Iterator[None]:
        """The last writes of a transaction and its COMMIT, in one round trip where that can be."""
        with self._together(connection):
            yield
            _commit(connection)

    def _together(self, connection: sa.Connection) -> AbstractContextManager[None]:
        if self.engine.dialect.name == "sqlite":
            return nullcontext()
        from shared.store.trips import together

        return together(connection)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A bare transaction for the loops' own bookkeeping; rings no bell."""
        with _translated(), writer_lock(self.engine), self.engine.connect() as connection:
            yield connection
            if connection.in_transaction():
                _commit(connection)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading one consistent picture; nothing is committed."""
        with _translated(), self.engine.connect() as connection:
            yield connection.execution_options(**{READ_ONLY: True})

    @contextmanager
    def glance(self) -> Iterator[sa.Connection]:
        """A connection for a single question, without the two round trips of a transaction."""
        with _translated(), self._glancing.connect() as connection:
            yield connection

    def ping(self) -> None:
        """A round trip to the database; DatabaseAway when there is none."""
        with self.glance() as connection:
            connection.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _commit(connection: sa.Connection) -> None:
    try:
        connection.commit()
    except BaseException:
        # SQLite keeps the transaction open when a COMMIT fails: never back into the pool.
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
