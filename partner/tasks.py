"""The tasks as this agency knows them, brought up to date by what came and what was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from partner.errors import UnknownTask
from partner.messages import Message
from partner.reading import read_message
from partner.store import Store

_CLOSED = ("completed", "refused", "handed_on", "cancelled")
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

    @property
    def may(self) -> list[str]:
        """Answers that it allows beside the usual: sent_back, verification_needed."""
        return list(self.data.get("may") or ())

    @property
    def branches(self) -> list[str]:
        """The ways on, of which a granted completion must choose one; empty where there are none."""
        return [branch["code"] for branch in self.data.get("branches") or ()]


class Tasks:
    """The tasks of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, task: str) -> Task | None:
        """One task, or None."""
        row = self._store.one(f"{_SELECT} WHERE task = ?", task)
        return None if row is None else _task(row)

    def task(self, task: str) -> Task:
        """One task; UnknownTask where it never came."""
        found = self.find(task)
        if found is None:
            raise UnknownTask(
                f"no task {task} has come here", f"chưa có nhiệm vụ {task} nào tới đây"
            )
        return found

    def all(self, *, closed: bool = False) -> list[Task]:
        """Open tasks by their due instant; `closed` adds the others."""
        rows = self._store.all(f"{_SELECT} ORDER BY due_at IS NULL, due_at, task")
        return [task for row in rows if (task := _task(row)).open or closed]

    def apply(self, message: Message) -> None:
        """Bring the task of a message up to date; an older message never undoes a newer one."""
        known = self.find(message.task)
        if message.kind == "assigned":
            if known is None:
                self._assign(message)
        elif known is not None and message.sequence > known.sequence:
            self._change(message, known)

    def put(self, task: str, state: str) -> None:
        """Note what the agency's own answer, or its refusal, makes of a task."""
        self._store.do(
            "UPDATE tasks SET state = ? WHERE task = ? AND state <> 'cancelled'", state, task
        )

    def _assign(self, message: Message) -> None:
        self._store.do(
            "INSERT INTO tasks VALUES (?, ?, 'open', ?, ?, ?)",
            message.task,
            message.sequence,
            message.dossier,
            message.data.get("due_at"),
            json.dumps(message.data, ensure_ascii=False),
        )
        # What overtook the assignment of this task.
        rows = self._store.all(
            "SELECT body FROM messages WHERE task = ? AND sequence > ? ORDER BY sequence",
            message.task,
            message.sequence,
        )
        for (body,) in rows:
            self._change(read_message(bytes(body)), self.task(message.task))

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
        self._store.do(
            "UPDATE tasks SET sequence = ?, state = ?, due_at = ?, assigned = ? WHERE task = ?",
            message.sequence,
            state,
            due_at,
            json.dumps(data, ensure_ascii=False),
            known.id,
        )


_SELECT = "SELECT task, state, dossier, due_at, sequence, assigned FROM tasks"


def _task(row: tuple[Any, ...]) -> Task:
    task, state, dossier, due_at, sequence, assigned = row
    return Task(task, state, dossier, due_at, sequence, json.loads(assigned))


def _joined(had: Any, came: Any) -> list[Any]:
    """The papers with the later ones in the place of those of the same code."""
    papers = {paper.get("code"): paper for paper in had or []}
    papers |= {paper.get("code"): paper for paper in came or []}
    return list(papers.values())
