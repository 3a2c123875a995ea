"""What has come: kept first, then handled, tried again with growing pauses, put aside at last.

The messages of one task are handled one after the other; one that fails holds back the later ones
of its own task and no others.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from partner.errors import UnreadableMessage
from partner.gaps import Gaps
from partner.messages import Message
from partner.reading import read_message
from partner.store import Store


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a message is tried, and the pauses in between in seconds: doubled each time."""

    tries: int = 8
    first: float = 5.0
    longest: float = 600.0

    def pause(self, tried: int) -> float:
        """The rest after so many tries, drawn from its upper half."""
        doubled = self.first * 2.0 ** min(tried - 1, 30)
        return min(doubled, self.longest) * random.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A message whose turn it is; `tried` counts the tries that were begun before."""

    position: int
    message: Message
    tried: int


@dataclass(frozen=True, slots=True)
class Aside:
    """A message whose handling failed: `waiting` for another try, or else put aside.

    `behind` counts the later messages of its task, which wait for it.
    """

    task: str
    kind: str
    sequence: int
    waiting: bool
    tries: int
    reason: str
    came_at: str
    behind: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no message of the contract, kept as they came."""

    position: int
    reason: str
    came_at: str
    body: bytes = field(repr=False)


class Inbox:
    """The messages of the store."""

    def __init__(self, store: Store, retry: Retry) -> None:
        self._store = store
        self._retry = retry
        self.gaps = Gaps(store)

    # --- what has come ---------------------------------------------------------------------

    def seen(self, message: Message) -> str | None:
        """The id of the message that came under this id or number before, or None."""
        row = self._store.one(
            "SELECT id FROM messages WHERE id = ? OR sequence = ? ORDER BY id <> ? LIMIT 1",
            message.id,
            message.sequence or None,
            message.id,
        )
        return None if row is None else str(row[0])

    def keep(self, message: Message, *, known: bool = False) -> range:
        """Keep a message until its turn; the numbers that it shows to be missing (mostly none).

        One that says what is `known` has no turn.
        """
        gap = self.gaps.note(message.sequence, message.follows) if message.sequence else range(0)
        self._store.do(
            "INSERT INTO messages (id, sequence, task, kind, body, came_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            message.id,
            message.sequence or None,
            message.task,
            message.kind,
            message.body,
            self._store.when(),
            "done" if known else "waiting",
        )
        return gap

    def came_since(self, number: int) -> datetime | None:
        """The earliest that what came after this number can be of; None where nothing came before."""
        row = self._store.one(
            "SELECT body, came_at FROM messages WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1",
            number,
        )
        if row is None:
            return None
        made, came = read_message(bytes(row[0])).time, datetime.fromisoformat(row[1])
        try:
            return min(came, datetime.fromisoformat(made))
        except (TypeError, ValueError):  # an odd time: who sends too much does no harm
            return None

    def came(self, first: int, last: int) -> int:
        """How many of these numbers have come, readable or not."""
        (count,) = self._store.one(
            "SELECT count(*) FROM (SELECT sequence FROM messages WHERE sequence BETWEEN ? AND ?"
            " UNION SELECT sequence FROM unreadable WHERE sequence BETWEEN ? AND ?)",
            *(first, last) * 2,
        )
        return int(count)

    def newest(self, kind: str) -> Iterator[Message]:
        """The last message of this kind, and those of it whose number came before under another id.

        The latter come from a city that was restored and does not know it yet.
        """
        kept = "SELECT body FROM messages WHERE kind = ? ORDER BY position DESC LIMIT 1"
        odd = "SELECT body FROM unreadable ORDER BY position DESC LIMIT 20"
        for (body,) in (*self._store.all(kept, kind), *self._store.all(odd)):
            with suppress(UnreadableMessage):
                if (message := read_message(bytes(body))).kind == kind:
                    yield message

    def keep_unreadable(self, body: bytes, reason: str, number: int | None) -> bool:
        """Put aside what cannot be read; its number has come. False where it was there before."""
        known = "SELECT 1 FROM unreadable WHERE body = ? AND reason = ?"
        if self._store.one(known, body, reason) is not None:
            return False
        if number is not None:
            self.gaps.note(number)
        self._store.do(
            "INSERT INTO unreadable (sequence, body, reason, came_at) VALUES (?, ?, ?, ?)",
            number,
            body,
            reason,
            self._store.when(),
        )
        return True

    def unreadable(self) -> list[Unreadable]:
        """What was put aside because it cannot be read, oldest first."""
        rows = "SELECT position, reason, came_at, body FROM unreadable ORDER BY position"
        return [Unreadable(*row) for row in self._store.all(rows)]

    # --- whose turn it is ------------------------------------------------------------------

    def due(self, *, patience: float = 0.0, most: int = 50) -> list[Entry]:
        """The messages whose turn it is: the first of each task, unless it rests or is aside.

        `patience`: for so many seconds a message waits for missing ones that may be of its task.
        A rest longer than any that is given means that the clock was put back: it is over.
        """
        now = self._store.now().timestamp()
        since = self._store.now() - timedelta(seconds=patience)
        rows = self._store.all(
            f"{_FIRST} AND m.state = 'waiting' AND {_COMPLETE}"
            " AND (m.next_at IS NULL OR m.next_at <= ? OR m.next_at > ?)"
            " ORDER BY ifnull(m.sequence, 1 << 62), m.position LIMIT ?",
            self._store.when(since),
            now,
            now + self._retry.longest,
            most,
        )
        return [
            Entry(position, read_message(bytes(body), numbered=bool(numbered)), tried)
            for position, body, tried, numbered in rows
        ]

    @contextmanager
    def turn(self, entry: Entry) -> Iterator[bool]:
        """Handle it within the block, all or nothing; False where another process has.

        The try is counted before it begins: one that ends the whole program counts as well.
        """
        counted = (
            "UPDATE messages SET tries = tries + 1 WHERE position = ? AND state = 'waiting'"
            " AND tries = ?"
        )
        with self._store.transaction():
            mine = self._store.do(counted, entry.position, entry.tried).rowcount == 1
        if not mine:
            yield False
            return
        with self._store.transaction():
            yield True
            self._store.do(
                "UPDATE messages SET state = 'done', handled_at = ?, reason = NULL, next_at = NULL"
                " WHERE position = ?",
                self._store.when(),
                entry.position,
            )

    def failed(self, entry: Entry, reason: str) -> float | None:
        """A try has failed; the seconds until the next, None where it is put aside now."""
        tried = entry.tried + 1
        pause = None if tried >= self._retry.tries else self._retry.pause(tried)
        next_at = None if pause is None else self._store.now().timestamp() + pause
        with self._store.transaction():
            self._store.do(
                "UPDATE messages SET state = ?, reason = ?, next_at = ? WHERE position = ?",
                "aside" if pause is None else "waiting",
                reason,
                next_at,
                entry.position,
            )
        return pause

    def spent(self, entry: Entry) -> bool:
        """Whether all its tries were begun, the last of which ended the program."""
        return entry.tried >= self._retry.tries

    # --- what went wrong -------------------------------------------------------------------

    def aside(self) -> list[Aside]:
        """The messages whose handling failed, those that are tried again and those put aside."""
        rows = self._store.all(
            "SELECT m.task, m.kind, coalesce(m.sequence, 0), m.state = 'waiting', m.tries,"
            " m.reason, m.came_at, (SELECT count(*) FROM messages l WHERE l.task = m.task"
            " AND l.state = 'waiting' AND l.position <> m.position)"
            " FROM messages m WHERE m.state IN ('waiting', 'aside') AND m.reason IS NOT NULL"
            " ORDER BY m.position"
        )
        return [Aside(*row) for row in rows]

    def again(self, task: str) -> int:
        """Let what failed of a task be tried anew, now; the number of messages."""
        return self._store.do(
            "UPDATE messages SET state = 'waiting', tries = 0, next_at = NULL"
            " WHERE task = ? AND reason IS NOT NULL AND state IN ('waiting', 'aside')",
            task,
        ).rowcount

    def settle(self, task: str) -> int:
        """A person has seen to what failed of a task: go on with what came after it."""
        return self._store.do(
            "UPDATE messages SET state = 'settled'"
            " WHERE task = ? AND reason IS NOT NULL AND state IN ('waiting', 'aside')",
            task,
        ).rowcount


# Refusals that came without a number are handled after what has one.
_FIRST = (
    "SELECT m.position, m.body, m.tries, m.sequence IS NOT NULL FROM messages m"
    " WHERE m.state IN ('waiting', 'aside') AND NOT EXISTS ("  # as the index has it
    " SELECT 1 FROM messages e WHERE e.task = m.task AND e.position <> m.position"
    " AND e.state IN ('waiting', 'aside') AND (ifnull(e.sequence, 1 << 62), e.position)"
    " < (ifnull(m.sequence, 1 << 62), m.position))"
)
# No number is missing between it and what came before it of its task (an assignment is the first).
_COMPLETE = (
    "(m.kind = 'assigned' OR m.sequence IS NULL OR m.came_at <= ? OR NOT EXISTS ("
    " SELECT 1 FROM gaps g WHERE NOT g.asked AND g.first < m.sequence"
    " AND g.first > (SELECT min(sequence) FROM messages) AND g.last > ifnull((SELECT"
    " max(b.sequence) FROM messages b WHERE b.task = m.task AND b.sequence < m.sequence), 0)))"
)
