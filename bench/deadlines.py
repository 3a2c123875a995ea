"""How late deadlines are judged: many open steps, some falling due at one moment, several workers.

    python -m bench.deadlines --database postgresql+psycopg://user:password@host/empty

Each worker is a process with routing's own ticker on the machine's clock. How late a date was
judged is read from the ledger: when its `deadline.missed` was made, less the date itself.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, NamedTuple

import click
import sqlalchemy as sa

from services.routing.app import build, open_store
from services.routing.domain.case import Alarms, Case, Task
from services.routing.storage import rows
from services.routing.storage.tables import MIGRATIONS, cases, tasks
from shared.catalogue import load
from shared.database import Store, batch, make_engine
from shared.database.migrate import upgrade
from shared.events.envelope import decode
from shared.events.event import kind_of
from shared.events.parts import Agency, Office, ProcedureName
from shared.events.routing import DeadlineMissed
from shared.kernel.clock import RealClock
from shared.kernel.ids import RandomIds
from shared.messaging import Bus
from shared.messaging.tables import LEDGERS
from shared.settings import PROJECT, Settings

CHUNK: Final = 2_000
PROCEDURE: Final = ProcedureName(code="1.001193", name="Đăng ký khai sinh")
OFFICE: Final = Office(code="ubnd-phuong-1", name="UBND Phường 1", territory="29866")
MOST_SECONDS: Final = 300.0


def fill(store: Store, step: str, open_: int, due: int, at: datetime) -> None:
    """`open_` open steps; of `due` of them the date is `at` (UTC), of the others a month later."""
    far = at + timedelta(days=30)
    for first in range(0, open_, CHUNK):
        some = [
            _case(number, step, at if number < due else far, far)
            for number in range(first, min(first + CHUNK, open_))
        ]
        with store.begin() as uow:
            batch.upsert(uow.connection, cases, [rows.case_row(each) for each in some])
            batch.upsert(
                uow.connection,
                tasks,
                [rows.task_row(each.tasks[step], each.dossier) for each in some],
            )
    with store.engine.begin() as connection:
        connection.execute(sa.text("ANALYZE"))


def _case(number: int, step: str, due_at: datetime, far: datetime) -> Case:
    began = due_at - timedelta(days=5)
    task = Task(
        id=f"task-{number:06d}",
        step=step,
        kind="task",
        agency=Agency(code=OFFICE.code, name=OFFICE.name),
        state="taken",
        opened_at=began,
        alarms=Alarms(due_at),
        taken_at=began,
    )
    return Case(
        dossier=f"000.00.01.H20-260101-{number:06d}",
        procedure=PROCEDURE,
        version=1,
        office=OFFICE,
        branches=(),
        opened_at=began,
        promised_at=far,
        due_at=far,
        tasks={step: task},
        alarms=Alarms(far),
    )


def work(settings: Settings, at: float, until: float) -> None:
    """A worker: routing's own ticker, until nothing is due after `at`, at most until `until`.

    Both are seconds since 1970 on the machine's clock.
    """
    service = build(
        settings,
        catalogue=load(PROJECT / "catalogue"),
        clock=RealClock(),
        ids=RandomIds(),
        bus=Bus("memory://"),
    )
    (ticker,) = (loop for loop in service.loops if loop.name == "routing.deadlines")
    while time.time() < until:
        ticker.step(0.5)
        following = ticker.next_due()
        nothing = following is None or following.timestamp() > until
        if nothing and time.time() > at:
            break
    service.close()


def judged(store: Store) -> list[tuple[str, float]]:
    """Each step's date that was stated as missed: its task, and how many seconds late."""
    outbox = LEDGERS.outbox.c
    wanted = sa.select(outbox.body, outbox.made_at).where(
        outbox.type == kind_of(DeadlineMissed).type
    )
    found = []
    with store.read() as connection:
        for body, made_at in connection.execute(wanted):
            event: Any = decode(bytes(body)).event()
            found.append((str(event.task), (made_at - event.due_at).total_seconds()))
    return found


class Judged(NamedTuple):
    """Each task whose date was stated as missed, and how many seconds late it was taken up.

    `whole`: when all of it was committed, in seconds after the moment (to a fiftieth of a second).
    """

    found: Sequence[tuple[str, float]]
    whole: float


def measure(
    settings: Settings, open_: int, due: int, workers: int, after: float, seconds: float
) -> Judged:
    """Fill an empty database, let workers run over the moment, and tell what they judged."""
    engine = make_engine(settings.database_url)
    upgrade(engine, MIGRATIONS)
    engine.dispose()
    store = open_store(settings, clock=RealClock(), ids=RandomIds())
    step = load(PROJECT / "catalogue").procedure_version(PROCEDURE.code, 1).steps[0].code
    soon = RealClock().now() + timedelta(days=1)  # nothing falls due while the rows are written
    fill(store, step, open_, due, soon)
    at = RealClock().now() + timedelta(seconds=after)
    _bring_forward(store, soon, at)
    until = at.timestamp() + seconds
    spawn = multiprocessing.get_context("spawn")
    crew = [
        spawn.Process(target=work, args=(settings, at.timestamp(), until)) for _ in range(workers)
    ]
    for each in crew:
        each.start()
    whole = _committed(store, due, at.timestamp(), until) - at.timestamp()
    for each in crew:
        each.join(MOST_SECONDS)
    found = judged(store)
    store.close()
    return Judged(found, whole)


def _committed(store: Store, due: int, at: float, until: float) -> float:
    """When (seconds since 1970) all of it can be seen from another process, or `until`."""
    outbox = LEDGERS.outbox.c
    stated = sa.select(sa.func.count()).where(outbox.type == kind_of(DeadlineMissed).type)
    time.sleep(max(0.0, at - time.time()))
    while time.time() < until:
        with store.read() as connection:
            if int(connection.scalar(stated) or 0) >= due:
                break
        time.sleep(0.02)
    return time.time()


def _bring_forward(store: Store, soon: datetime, at: datetime) -> None:
    with store.begin() as uow:
        moved = {"due_at": at, "next_at": at}
        uow.connection.execute(sa.update(tasks).where(tasks.c.due_at == soon).values(moved))


@click.command()
@click.option("--database", help="An empty one; without it a SQLite file.")
@click.option("--open", "open_", default=100_000, show_default=True)
@click.option(
    "--due", default=500, show_default=True, help="Of these the date comes at one moment."
)
@click.option("--workers", default=2, show_default=True)
@click.option(
    "--after", default=20.0, show_default=True, help="Seconds until that moment; or past."
)
@click.option("--seconds", default=60.0, show_default=True, help="Workers end so long after it.")
def main(
    database: str | None, open_: int, due: int, workers: int, after: float, seconds: float
) -> None:
    """How late deadlines are judged."""
    folder = Path(mkdtemp(prefix="lienthong-deadlines-"))
    url = database or f"sqlite:///{folder}/routing.db"
    settings = replace(
        Settings(service="routing", data_dir=folder, database_url=url), log_level="error"
    )
    found, whole = measure(settings, open_, due, workers, after, seconds)
    late = sorted(seconds for _, seconds in found)
    once = len({task for task, _ in found}) == len(found) == due
    click.echo(
        f"{open_} open, {due} due at one moment, {workers} workers: {len(found)} judged, "
        f"{'each once' if once else 'NOT each once'}"
    )
    if late:
        half, most = late[len(late) // 2], late[int(len(late) * 0.99) - 1]
        click.echo(
            f"taken up late by: p50 {half:.3f} s, p99 {most:.3f} s, last {late[-1]:.3f} s; "
            f"all committed after {whole:.2f} s"
        )


if __name__ == "__main__":
    main()
