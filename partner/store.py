"""The agency's own memory: what has come, what was answered, what is still to be sent.

One SQLite file. A message counts as handled in the same transaction that keeps the answers made
while handling it, so a crash repeats nothing and loses nothing. The file holds citizens' data.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from partner.errors import UnknownTask
from partner.messages import KINDS, Answer, Message, read_message
from partner.transport import Now, utc_now

_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE, task TEXT NOT NULL, kind TEXT NOT NULL,
    body BLOB NOT NULL, handled_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    task TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state TEXT NOT NULL, dossier TEXT NOT NULL,
    due_at TEXT, assigned TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, task TEXT NOT NULL, kind TEXT NOT NULL,
    body BLOB NOT NULL, made_at TEXT NOT NULL, sent_at TEXT, refused TEXT);
CREATE INDEX IF NOT EXISTS answers_unsent ON answers (position)
    WHERE sent_at IS NULL AND refused IS NULL;
CREATE TABLE IF NOT EXISTS missing (sequence INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS unreadable (
    position INTEGER PRIMARY KEY, body BLOB NOT NULL, reason TEXT NOT NULL, came_at TEXT NOT NULL);
"""

_CLOSED = ("completed", "refused", "cancelled")
_CHANGES = {"paused": "paused", "resumed": "open", "supplemented": "open"}


@dataclass(frozen=True, slots=True)
class Task:
    """A task as this agency knows it; `state` is open, taken, waiting, paused or a closed one."""

    id: str
    state: str
    dossier: str
    due_at: str | None
    sequence: int
    data: Mapping[str, Any] = field(repr=False)

    @property
    def open(self) -> bool:
        """Whether there is still something to do."""
        return self.state not in _CLOSED

    @property
    def results(self) -> list[str]:
        """The result codes that a completion may carry; empty where the step has none."""
        return list(self.data.get("results") or ())


class Store:
    """The file; used by one thread, and by several processes if need be."""

    def __init__(self, path: str | Path, now: Now = utc_now) -> None:
        self.path = Path(path)
        self._now = now
        if str(path) != ":memory:":
            self.path.touch(mode=0o600)  # it holds citizens' data
        self._connection = sqlite3.connect(str(path), isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)
        self._inside = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction it joins that one."""
        if self._inside:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        self._inside = True
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        else:
            self._connection.execute("COMMIT")
        finally:
            self._inside = False

    # --- what has come ---------------------------------------------------------------------

    def seen(self, message: Message) -> str | None:
        """The id of the message that was handled under this id or number before, or None."""
        row = self._one(
            "SELECT id FROM messages WHERE id = ? OR sequence = ? ORDER BY id <> ? LIMIT 1",
            message.id,
            message.sequence,
            message.id,
        )
        return None if row is None else str(row[0])

    def highest(self) -> int:
        """The highest number that has come, 0 before the first."""
        return int(self._one("SELECT coalesce(max(sequence), 0) FROM messages")[0])

    def missing(self) -> list[int]:
        """Numbers that were passed over and have not come yet, in order."""
        rows = self._connection.execute("SELECT sequence FROM missing ORDER BY sequence")
        return [int(number) for (number,) in rows]

    def keep(self, message: Message) -> range:
        """Note a message as handled; the numbers that it shows to be missing (mostly none)."""
        highest = self.highest()
        gap = range(highest + 1, message.sequence)
        with self.transaction():
            self._connection.execute(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)",
                (
                    message.id,
                    message.sequence,
                    message.task,
                    message.kind,
                    message.body,
                    self._when(),
                ),
            )
            self._connection.execute("DELETE FROM missing WHERE sequence = ?", (message.sequence,))
            self._connection.executemany("INSERT INTO missing VALUES (?)", ((n,) for n in gap))
        return gap

    def apply(self, message: Message) -> None:
        """Bring the task of a message up to date; an older message never undoes a newer one."""
        with self.transaction():
            known = self.find(message.task)
            if message.kind == "assigned":
                self._assign(message, known)
            elif known is not None and message.sequence > known.sequence:
                self._change(message, known)

    def keep_unreadable(self, body: bytes, reason: str) -> None:
        """Put aside what cannot be read; a person must look at it."""
        with self.transaction():
            self._connection.execute(
                "INSERT INTO unreadable (body, reason, came_at) VALUES (?, ?, ?)",
                (body, reason, self._when()),
            )

    def unreadable(self) -> int:
        """How many messages were put aside."""
        return int(self._one("SELECT count(*) FROM unreadable")[0])

    def _assign(self, message: Message, known: Task | None) -> None:
        if known is None:
            self._connection.execute(
                "INSERT INTO tasks VALUES (?, ?, 'open', ?, ?, ?)",
                (
                    message.task,
                    message.sequence,
                    message.dossier,
                    message.data.get("due_at"),
                    json.dumps(message.data, ensure_ascii=False),
                ),
            )
            self._catch_up_with_later(message)

    def _catch_up_with_later(self, message: Message) -> None:
        """Apply what overtook the assignment of this task."""
        rows = self._connection.execute(
            "SELECT body FROM messages WHERE task = ? AND sequence > ? ORDER BY sequence",
            (message.task, message.sequence),
        ).fetchall()
        for (body,) in rows:
            self._change(read_message(body), self.task(message.task))

    def _change(self, message: Message, known: Task) -> None:
        data = dict(known.data)
        state, due_at = known.state, known.due_at
        if message.kind == "cancelled" and known.open:
            state = "cancelled"
        elif message.kind == "changed":
            if known.open:
                state = _CHANGES.get(str(message.data.get("change")), state)
            due_at = message.data.get("due_at")
            data["due_at"] = due_at
            form = {**(data.get("form") or {}), **(message.data.get("form") or {})}
            data["form"] = {name: value for name, value in form.items() if value is not None}
            data["papers"] = message.data.get("papers_after") or _joined(
                data.get("papers"), message.data.get("papers")
            )
        self._connection.execute(
            "UPDATE tasks SET sequence = ?, state = ?, due_at = ?, assigned = ? WHERE task = ?",
            (message.sequence, state, due_at, json.dumps(data, ensure_ascii=False), known.id),
        )

    # --- tasks -----------------------------------------------------------------------------

    def find(self, task: str) -> Task | None:
        """One task, or None."""
        row = self._one(f"{_SELECT} WHERE task = ?", task)
        return None if row is None else _task(row)

    def task(self, task: str) -> Task:
        """One task; UnknownTask where it never came."""
        found = self.find(task)
        if found is None:
            raise UnknownTask(f"no task {task} has come here")
        return found

    def tasks(self, *, closed: bool = False) -> list[Task]:
        """Open tasks by their due instant; `closed` adds the others."""
        rows = self._connection.execute(f"{_SELECT} ORDER BY due_at IS NULL, due_at, task")
        return [task for row in rows if (task := _task(row)).open or closed]

    # --- answers ---------------------------------------------------------------------------

    def add(self, answer: Answer) -> None:
        """Keep an answer that is to be sent, and what it makes of its task."""
        with self.transaction():
            self._connection.execute(
                "INSERT INTO answers (id, task, kind, body, made_at) VALUES (?, ?, ?, ?, ?)",
                (answer.id, answer.task, answer.kind, answer.body, self._when()),
            )
            self._connection.execute(
                "UPDATE tasks SET state = ? WHERE task = ? AND state <> 'cancelled'",
                (KINDS[answer.kind], answer.task),
            )

    def unsent(self, limit: int = 100) -> list[Answer]:
        """Answers that no one has confirmed yet, in the order of their making."""
        rows = self._connection.execute(
            "SELECT id, task, kind, body FROM answers "
            "WHERE sent_at IS NULL AND refused IS NULL ORDER BY position LIMIT ?",
            (limit,),
        )
        return [Answer(*row) for row in rows]

    def sent(self, answer: Answer) -> None:
        """Note that the city has confirmed an answer."""
        with self.transaction():
            self._connection.execute(
                "UPDATE answers SET sent_at = ? WHERE id = ?", (self._when(), answer.id)
            )

    def send_again(self, task: str) -> None:
        """Let the answers to a task be sent once more; their ids make that harmless."""
        with self.transaction():
            self._connection.execute(
                "UPDATE answers SET sent_at = NULL WHERE task = ? AND refused IS NULL", (task,)
            )

    def refused(self, answer: Answer, said: str) -> None:
        """Note that the city will not have an answer, so that it is not sent for ever."""
        with self.transaction():
            self._connection.execute(
                "UPDATE answers SET refused = ? WHERE id = ?", (said, answer.id)
            )

    def refusals(self) -> list[tuple[str, str, str]]:
        """Answers that the city refused: (task, kind, what it said)."""
        rows = self._connection.execute(
            "SELECT task, kind, refused FROM answers WHERE refused IS NOT NULL ORDER BY position"
        )
        return [(task, kind, said) for task, kind, said in rows]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _when(self) -> str:
        return self._now().isoformat(timespec="seconds")

    def _one(self, query: str, *values: object) -> Any:
        return self._connection.execute(query, values).fetchone()


_SELECT = "SELECT task, state, dossier, due_at, sequence, assigned FROM tasks"


def _task(row: tuple[Any, ...]) -> Task:
    task, state, dossier, due_at, sequence, assigned = row
    return Task(task, state, dossier, due_at, sequence, json.loads(assigned))


def _joined(had: Any, came: Any) -> list[Any]:
    """The papers with the later ones in the place of those of the same code."""
    papers = {paper.get("code"): paper for paper in had or []}
    papers |= {paper.get("code"): paper for paper in came or []}
    return list(papers.values())
