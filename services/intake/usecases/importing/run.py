"""Filing the rows of a file: each in a transaction of its own, by the use case of the desk's form.

A row is known by its office and its own number: filed once, it is `known` whenever it comes again,
and refused where it comes with another content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.intake.domain import reception
from services.intake.domain.bulk.columns import NUMBER, Header, columns_of, letter, read_header
from services.intake.domain.bulk.rows import (
    LONGEST_NUMBER,
    Filled,
    Reason,
    Row,
    read_row,
    reasons_of,
    received_at,
)
from services.intake.domain.circumstances import Circumstances
from services.intake.domain.dossier import Dossier
from services.intake.domain.submission import SubmitDossier
from services.intake.storage.dossiers import Dossiers
from services.intake.storage.imports import (
    Answer,
    Known,
    NumberTaken,
    find_numbers,
    keep_number,
)
from services.intake.usecases.submit import faults_of, submit
from shared.catalogue import Catalogue, Procedure
from shared.database import Store, UnitOfWork
from shared.kernel.actor import Actor
from shared.kernel.clock import to_vn
from shared.kernel.errors import InvalidInput, Refused, Transient
from shared.log import get
from shared.messaging.handling import keep

ADDED, KNOWN, REFUSED = "added", "known", "refused"
_DEFECT: Final = Reason(
    None, None, "Lỗi hệ thống ở dòng này; hãy báo người vận hành.", "a defect of the system"
)
_log = get("import")


@dataclass(frozen=True, slots=True)
class Task:
    """Which import it is, for which office and procedure, and who does it.

    `ignore`: titles of the file's columns that are not read.
    """

    id: str
    office: str
    procedure: str
    actor: Actor
    ignore: tuple[str, ...] = ()


def header_of(
    catalogue: Catalogue, task: Task, titles: Sequence[str], now: datetime
) -> tuple[Procedure, Header]:
    """The procedure in force and the file's columns; InvalidInput carries every fault at once."""
    around = Circumstances(catalogue, now)
    procedure = around.offered(catalogue.agency(task.office), task.procedure)
    header = read_header(titles, columns_of(procedure, around.today), task.ignore)
    if not isinstance(header, Header):
        raise InvalidInput(header)
    return procedure, header


def file_rows(
    store: Store, catalogue: Catalogue, task: Task, titles: Sequence[str], rows: Sequence[Row]
) -> list[Answer]:
    """File these rows and answer each; Transient where the database is away, then ask again."""
    try:
        procedure, header = header_of(catalogue, task, titles, store.clock.now())
    except InvalidInput as wrong:  # at midnight another version may have come into force
        reasons = tuple(Reason(None, None, fault.vi, fault.en) for fault in wrong.faults)
        return [Answer(row.line, "", REFUSED, reasons=reasons) for row in rows]
    filing = _Filing(store, catalogue, task, procedure, header)
    return filing.run(rows)


class _Filing:
    """The rows of one slice against one version of the procedure."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        task: Task,
        procedure: Procedure,
        header: Header,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._task = task
        self._procedure = procedure
        self._header = header

    def run(self, rows: Sequence[Row]) -> list[Answer]:
        office = self._task.office
        read = [(row, read_row(office, self._procedure, self._header, row)) for row in rows]
        numbers = {each.number for _, each in read if isinstance(each, Filled)}
        with self._store.read() as connection:
            known = find_numbers(connection, office, numbers)
        answers = []
        for row, each in read:
            if not isinstance(each, Filled):
                answers.append(Answer(row.line, self._number(row), REFUSED, reasons=each))
                continue
            before = known.get(each.number)
            answers.append(self._again(each, before) if before else self._first(row, each, known))
        return answers

    def _number(self, row: Row) -> str:
        place = self._header.place_of(NUMBER)
        value = row.values[place] if place is not None and place < len(row.values) else None
        told = str(value) if isinstance(value, str | int | float) else ""
        return "".join(each for each in told if each.isprintable())[:LONGEST_NUMBER]

    def _first(self, row: Row, filled: Filled, known: dict[str, Known]) -> Answer:
        now = self._store.clock.now()
        at = received_at(filled, self._header, now)
        # Looked at before anything is opened: a file of bad rows must not hold up the desks.
        faults = faults_of(Circumstances(self._catalogue, now), filled.command)
        reasons = reasons_of(faults, filled.command.papers, self._header, row)
        if isinstance(at, Reason):
            return self._refused(filled, (at, *reasons))
        if reasons:
            return self._refused(filled, reasons)
        try:
            with self._store.begin(self._task.actor) as uow:
                code = _file(uow, self._catalogue, filled.command, at).code
                made = Known(filled.digest, code, self._task.id, filled.line, uow.now)
                keep_number(uow, self._task.office, filled.number, made)
        except NumberTaken:
            with self._store.read() as connection:
                before = find_numbers(connection, self._task.office, [filled.number])
            if not before:
                raise
            known |= before
            return self._again(filled, before[filled.number])
        except Transient:
            raise
        except Refused as wrong:
            return self._refused(filled, self._reasons(row, filled, wrong))
        except Exception as defect:  # noqa: BLE001 - one row must not stop the ones after it
            _log.error("import.row_failed", import_id=self._task.id, line=row.line, exc_info=defect)
            return self._refused(filled, (_DEFECT,))
        known[filled.number] = made
        return Answer(filled.line, filled.number, ADDED, code)

    def _reasons(self, row: Row, filled: Filled, wrong: Refused) -> tuple[Reason, ...]:
        if not wrong.faults:
            return (Reason(None, None, wrong.vi, wrong.en),)
        return reasons_of(wrong.faults, filled.command.papers, self._header, row)

    def _again(self, filled: Filled, before: Known) -> Answer:
        if before.digest == filled.digest:
            # Of this very line: the run was broken off after it was filed and before it was told.
            mine = (before.import_id, before.line) == (self._task.id, filled.line)
            return Answer(filled.line, filled.number, ADDED if mine else KNOWN, before.dossier)
        day = f"{to_vn(before.at):%d/%m/%Y}"
        vi = (
            f"Số này đã dùng ngày {day} cho hồ sơ {before.dossier} với nội dung khác. Nếu là hồ sơ "
            "khác: ghi số khác. Nếu là sửa hồ sơ đó: sửa trên trang hồ sơ."
        )
        place = self._header.place_of(NUMBER) or 0
        column = (letter(place), self._header.titles[place])
        en = f"this number stands for {before.dossier}, with another content"
        return self._refused(filled, (Reason(*column, vi, en),))

    def _refused(self, filled: Filled, reasons: tuple[Reason, ...]) -> Answer:
        return Answer(filled.line, filled.number, REFUSED, reasons=reasons)


def _file(
    uow: UnitOfWork, catalogue: Catalogue, command: SubmitDossier, at: datetime | None
) -> Dossier:
    """File it as registered; or with `at`, an instant of today (UTC), as received then."""
    dossier = submit(uow, catalogue, command, at=at)
    if at is None or dossier.received_at is not None:
        return dossier
    dossiers = uow.get(Dossiers)
    keep(uow, dossiers, reception.receive(dossier, Circumstances(catalogue, at)))
    return dossiers.of_office(dossier.code, command.office)
