"""An uploaded file as a job: kept, worked through slice by slice, looked at by its office."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

import sqlalchemy as sa

from services.intake.domain.bulk.rows import Row
from services.intake.storage import imports
from services.intake.storage.imports import Import
from services.intake.usecases.importing.run import Task, file_rows, header_of
from services.intake.usecases.importing.workbook import count_rows, open_rows
from services.intake.usecases.importing.writing import to_repair
from shared.catalogue import Catalogue
from shared.database import Store, UnitOfWork
from shared.identity import audit
from shared.kernel.actor import SHELL, Actor
from shared.kernel.errors import Fault, InvalidInput, NotFound

SIGNAL: Final = "imports"
#: Rows of one slice: some tenths of a second, after which a stop or another loop has its turn.
SLICE: Final = 50
#: Imports of one office that are not ended yet.
MOST_OPEN: Final = 5
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was handed in; `token` is the form's, so that a second click is the same."""

    task: Task
    token: str
    name: str
    content: bytes


def start(store: Store, catalogue: Catalogue, upload: Upload) -> str:
    """Keep the file to be worked through; the import's id. InvalidInput tells of its header at once."""
    task = upload.task
    titles, _ = open_rows(upload.content)
    header_of(catalogue, task, titles, store.clock.now())
    try:
        with store.begin(task.actor) as uow:
            return _keep(uow, upload)
    except sa.exc.IntegrityError:  # the same form, sent twice at the same moment
        with store.begin(task.actor) as uow:
            return _keep(uow, upload)


def _keep(uow: UnitOfWork, upload: Upload) -> str:
    task = upload.task
    open_ = [
        each
        for each in imports.list_imports(uow.connection, task.office, uow.now)
        if not each.ended and each.token != upload.token
    ]
    if len(open_) >= MOST_OPEN:
        vi = f"Đang có {len(open_)} tệp chưa nhập xong; hãy đợi xong rồi nhập tiếp."
        raise InvalidInput([Fault("file", vi, "too many imports are under way: wait for them")])
    made = Import(
        id=task.id,
        office=task.office,
        token=upload.token or task.id,
        procedure=task.procedure,
        actor=str(task.actor),
        name="".join(each for each in upload.name if each.isprintable())[-_LONGEST_NAME:],
        state=imports.WAITING,
        faults=(),
        ignored=task.ignore,
        rows=None,
        made_at=uow.now,
        ended_at=None,
    )
    uow.signal(SIGNAL)
    return imports.keep_import(uow, made, upload.content)


class Worker:
    """Works through the imports of all offices, the oldest first; one slice each time it is asked.

    The file that is under way stays open between slices. Where the process ends meanwhile, another
    begins after the last line that was answered; what was filed and not yet told is known by its
    number.
    """

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        self._mine: str | None = None
        self._titles: tuple[str, ...] = ()
        self._rows: Iterator[Row] | None = None  # of the open file, from the next slice on

    def advance(self) -> int:
        """Do one slice; how many rows (or files) were done, 0 where there is nothing to do."""
        with self._store.begin() as uow:
            job = imports.claim(uow, self._mine)
        if job is None or job.id != self._mine:
            self._leave()
        if job is None:
            return 0
        self._mine = job.id
        try:
            return self._slice(job, self._rows or self._open(job))
        except InvalidInput as wrong:  # of the file as a whole
            with self._store.begin(_actor(job)) as uow:
                imports.end(uow, job.id, imports.STOPPED, wrong.faults)
                audit.note(uow, "import stopped", [job.id], place="worker")
            self._leave()
            return 1
        except BaseException:
            self._rows = None  # ours still, to be opened after the last line that was answered
            raise

    def close(self) -> None:
        """Let go of the open file."""
        self._leave()

    def _leave(self) -> None:
        self._mine, self._rows = None, None

    def _open(self, job: Import) -> Iterator[Row]:
        with self._store.read() as connection:
            content = imports.content_of(connection, job.id) or b""
            done = imports.last_line(connection, job.id)
        if job.rows is None:
            titles, rows = open_rows(content)
            header_of(self._catalogue, _task(job), titles, self._store.clock.now())
            count = count_rows(rows)
            with self._store.begin(_actor(job)) as uow:
                imports.counted(uow, job.id, count)
        self._titles, rows = open_rows(content)
        self._rows = (row for row in rows if row.line > done)
        return self._rows

    def _slice(self, job: Import, left: Iterator[Row]) -> int:
        rows = list(islice(left, SLICE))
        answers = file_rows(self._store, self._catalogue, _task(job), self._titles, rows)
        with self._store.begin(_actor(job)) as uow:
            imports.keep_answers(uow, job.id, answers)
            if codes := [each.dossier for each in answers if each.outcome == "added"]:
                audit.note(uow, "import dossiers", [job.id, *map(str, codes)], place="worker")
            if len(rows) < SLICE:
                imports.end(uow, job.id, imports.DONE)
        if len(rows) < SLICE:
            self._leave()
        return max(1, len(rows))


def _task(job: Import) -> Task:
    return Task(job.id, job.office, job.procedure, _actor(job), job.ignored)


def _actor(job: Import) -> Actor:
    return Actor.parse(job.actor) or SHELL


def repair_file(
    store: Store, catalogue: Catalogue, office: str, import_id: str, now: datetime
) -> bytes:
    """The rows of an office's own import that were refused; NotFound where there are none."""
    with store.read() as connection:
        job = imports.find_import(connection, office, import_id, now)
        content = imports.content_of(connection, job.id)
        refused = imports.answers_of(connection, job.id, outcome="refused")
    if content is None or not refused:
        raise NotFound("there is nothing to repair", vi="Không có dòng nào phải sửa.")
    titles, rows = open_rows(content)
    _, header = header_of(catalogue, _task(job), titles, now)
    return to_repair(header, rows, {each.line: each.reasons for each in refused})
