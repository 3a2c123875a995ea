"""The answers that agencies gave and what each came to, by either door."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any, Final

import sqlalchemy as sa

from services.routing.domain.refusals import Refusal
from services.routing.domain.submission import RefusedAnswer, SubmittedAnswer
from services.routing.storage.tables import answers, refused_answers
from shared.database import UnitOfWork, batch


class Answers:
    """Answers by (agency, answer id); get it with `uow.get(Answers)`."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[tuple[str, str], SubmittedAnswer | None] = {}
        self._new: list[SubmittedAnswer] = []
        self._refused: list[RefusedAnswer] = []

    def load(self, keys: Iterable[tuple[str, str]]) -> None:
        """Load these answers in one query."""
        wanted = {key for key in keys if key not in self._known}
        if not wanted:
            return
        self._known.update(dict.fromkeys(wanted))
        ids = sorted({answer_id for _, answer_id in wanted})
        for row in batch.fetch(self._uow.connection, answers.c.answer_id, ids):
            self._known[row.agency, row.answer_id] = _answer_of(row)

    def get(self, agency: str, answer_id: str) -> SubmittedAnswer | None:
        """The answer that this agency gave under this id before, if any."""
        if (agency, answer_id) not in self._known:
            self.load([(agency, answer_id)])
        return self._known[agency, answer_id]

    def refused(self, agency: str, answer_id: str) -> dict[str, RefusedAnswer]:
        """What this agency sent under this id and was not applied, by digest."""
        table = refused_answers
        asked = sa.select(table).where(table.c.agency == agency, table.c.answer_id == answer_id)
        stored = [_refused_of(row) for row in self._uow.connection.execute(asked)]
        unwritten = [r for r in self._refused if (r.agency, r.answer_id) == (agency, answer_id)]
        return {each.digest: each for each in (*stored, *unwritten)}

    def add(self, answer: SubmittedAnswer) -> None:
        """Keep a new answer; it is written at the end of the unit."""
        self._known[answer.agency, answer.answer_id] = answer
        self._write_later()
        self._new.append(answer)

    def refuse(self, refused: RefusedAnswer) -> None:
        """Keep one that was not applied; it is written at the end of the unit."""
        self._write_later()
        self._refused.append(refused)

    def _write_later(self) -> None:
        if not self._new and not self._refused:
            self._uow.on_flush(self._write)

    def _write(self) -> None:
        new, self._new = self._new, []
        refused, self._refused = self._refused, []
        connection = self._uow.connection
        batch.upsert(connection, answers, [asdict(answer) for answer in new])
        batch.upsert(connection, refused_answers, [_refused_row(each) for each in refused])


_FIELDS: Final = tuple(each.name for each in fields(SubmittedAnswer))


def _answer_of(row: Any) -> SubmittedAnswer:
    return SubmittedAnswer(**{name: getattr(row, name) for name in _FIELDS})


def _refused_row(refused: RefusedAnswer) -> dict[str, Any]:
    row = asdict(refused)
    rule: dict[str, Any] = row.pop("refusal")
    return row | rule


def _refused_of(row: Any) -> RefusedAnswer:
    refusal = Refusal(row.rule, row.place, row.vi, row.en, row.status)
    return RefusedAnswer(row.answer_id, row.agency, row.task, row.kind, row.digest, refusal, row.at)
