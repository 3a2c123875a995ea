"""The answers that agencies gave and what each came to, by either door."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from services.routing.domain.submission import SubmittedAnswer
from services.routing.storage.tables import answers
from shared.database import UnitOfWork, batch


class Answers:
    """Answers by (agency, answer id); get it with `uow.get(Answers)`."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[tuple[str, str], SubmittedAnswer | None] = {}
        self._new: list[SubmittedAnswer] = []

    def load(self, keys: Iterable[tuple[str, str]]) -> None:
        """Load these answers in one query."""
        wanted = {key for key in keys if key not in self._known}
        if not wanted:
            return
        self._known.update(dict.fromkeys(wanted))
        ids = sorted({answer_id for _, answer_id in wanted})
        for row in batch.fetch(self._uow.connection, answers.c.answer_id, ids):
            self._known[row.agency, row.answer_id] = SubmittedAnswer(*row)

    def get(self, agency: str, answer_id: str) -> SubmittedAnswer | None:
        """The answer that this agency gave under this id before, if any."""
        if (agency, answer_id) not in self._known:
            self.load([(agency, answer_id)])
        return self._known[agency, answer_id]

    def add(self, answer: SubmittedAnswer) -> None:
        """Keep a new answer; it is written at the end of the unit."""
        self._known[answer.agency, answer.answer_id] = answer
        if not self._new:
            self._uow.on_flush(self._write)
        self._new.append(answer)

    def _write(self) -> None:
        new, self._new = self._new, []
        batch.upsert(self._uow.connection, answers, [asdict(answer) for answer in new])
