"""What was answered: kept before it is sent, sent until confirmed, and what was refused of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from partner.messages import KINDS, Answer
from partner.refusals import Refusal
from partner.store import Store
from partner.tasks import Tasks


class Outbox:
    """The answers of the store."""

    def __init__(self, store: Store, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def add(self, answer: Answer) -> None:
        """Keep an answer that is to be sent, and what it makes of its task."""
        with self._store.transaction():
            self._store.do(
                "INSERT INTO answers (id, task, kind, body, made_at, state_before)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                answer.id,
                answer.task,
                answer.kind,
                answer.body,
                self._store.when(),
                self._tasks.task(answer.task).state,
            )
            self._tasks.put(answer.task, KINDS[answer.kind])

    def unsent(self, limit: int = 100) -> list[Answer]:
        """Answers that no one has confirmed yet, in the order of their making."""
        rows = self._store.all(
            "SELECT id, task, kind, body FROM answers "
            "WHERE sent_at IS NULL AND refused IS NULL ORDER BY position LIMIT ?",
            limit,
        )
        return [Answer(*row) for row in rows]

    def sent(self, answer: Answer) -> None:
        """Note that the city, or its broker, has confirmed an answer."""
        with self._store.transaction():
            self._store.do(
                "UPDATE answers SET sent_at = ? WHERE id = ?", self._store.when(), answer.id
            )

    def send_again(self, task: str) -> None:
        """Let the answers to a task be sent once more; their ids make that harmless."""
        self._store.do("UPDATE answers SET sent_at = NULL WHERE task = ? AND refused IS NULL", task)

    def send_again_since(self, at: datetime | None) -> int:
        """Let what was sent from then on (None: ever) be sent once more; how many answers."""
        since = "" if at is None else self._store.when(at)
        return self._store.do(
            "UPDATE answers SET sent_at = NULL WHERE sent_at >= ? AND refused IS NULL", since
        ).rowcount

    # --- what was refused ------------------------------------------------------------------

    def refused(self, refusal: Refusal) -> bool:
        """Note a refusal and open the task again; False where it was known before."""
        with self._store.transaction():
            self._store.do(
                "UPDATE answers SET refused = ? WHERE id = ?", refusal.rule, refusal.answer
            )
            if self.refusal(refusal.answer) is not None:
                return False
            self._store.do(
                "INSERT INTO refusals (answer, task, kind, rule, place, en, vi, said_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                refusal.answer,
                refusal.task,
                refusal.kind,
                refusal.rule,
                refusal.place,
                refusal.said,
                refusal.vi,
                self._store.when(),
            )
            self._reopen(refusal)
        return True

    def _reopen(self, refusal: Refusal) -> None:
        """Put the task where it stood before, unless something newer has moved it since."""
        row = self._store.one("SELECT task FROM answers WHERE id = ?", refusal.answer)
        task = None if row is None else self._tasks.find(str(row[0]))
        if task is None:
            return
        rows = self._store.all(
            "SELECT kind, state_before, refused FROM answers WHERE task = ? ORDER BY position DESC",
            task.id,
        )
        before = _before(rows)
        if before is not None and task.state == KINDS[rows[0][0]]:
            self._tasks.put(task.id, refusal.state or before)

    def refusal(self, answer: str) -> Refusal | None:
        """What was said against one answer, None where nothing was."""
        rows = self._store.all(f"{_REFUSALS} WHERE answer = ?", answer)
        return Refusal(*rows[0]) if rows else None

    def refusals(self, *, standing: bool = False) -> list[Refusal]:
        """What was refused, oldest first; `standing`: and not answered anew or cancelled since."""
        since = (
            " WHERE NOT EXISTS (SELECT 1 FROM answers mine, answers later WHERE mine.id = answer"
            " AND later.task = mine.task AND later.position > mine.position)"
            " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.task = refusals.task"
            " AND state = 'cancelled')"
        )
        rows = self._store.all(f"{_REFUSALS}{since if standing else ''} ORDER BY position")
        return [Refusal(*row) for row in rows]


_REFUSALS = "SELECT task, kind, en, vi, answer, rule, place FROM refusals"


def _before(answers: Sequence[tuple[str, str, str | None]]) -> str | None:
    """The state before the refused answers at the end of a task's; None where the last stands.

    `answers`: kind, state before it, and whether it was refused; the newest first.
    """
    state = None
    for _, before, refused in answers:
        if refused is None:
            break
        state = before
    return state
