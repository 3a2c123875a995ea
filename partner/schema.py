"""The tables of the agency's file, by version, and how a file of an older kit is brought forward.

The version stands in the file itself (`PRAGMA user_version`). A step is one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from partner.errors import BadSettings

VERSION = 2  # 1 had no number: a message was kept when it had been handled

_TABLES = (
    # state: waiting, done, aside (tried too often) or settled (a person has seen to it)
    """CREATE TABLE messages (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sequence INTEGER UNIQUE,
        task TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, came_at TEXT NOT NULL,
        state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_at REAL, reason TEXT,
        handled_at TEXT)""",
    "CREATE INDEX messages_of_task ON messages (task, sequence)",
    """CREATE INDEX messages_open ON messages (task, position)
        WHERE state IN ('waiting', 'aside')""",
    """CREATE TABLE tasks (
        task TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state TEXT NOT NULL,
        dossier TEXT NOT NULL, due_at TEXT, assigned TEXT NOT NULL)""",
    """CREATE TABLE answers (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, task TEXT NOT NULL,
        kind TEXT NOT NULL, body BLOB NOT NULL, made_at TEXT NOT NULL, sent_at TEXT,
        refused TEXT, state_before TEXT NOT NULL DEFAULT 'open')""",
    """CREATE INDEX answers_unsent ON answers (position)
        WHERE sent_at IS NULL AND refused IS NULL""",
    "CREATE INDEX answers_of_task ON answers (task, position)",
    """CREATE TABLE refusals (
        position INTEGER PRIMARY KEY, answer TEXT NOT NULL UNIQUE, task TEXT NOT NULL,
        kind TEXT NOT NULL, rule TEXT NOT NULL, place TEXT NOT NULL, en TEXT NOT NULL,
        vi TEXT NOT NULL, said_at TEXT NOT NULL)""",
    # asked: the door was asked for these numbers and does not have them
    """CREATE TABLE gaps (
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, asked INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE unreadable (
        position INTEGER PRIMARY KEY, sequence INTEGER, body BLOB NOT NULL, reason TEXT NOT NULL,
        came_at TEXT NOT NULL)""",
)
_OLD = ("messages", "tasks", "answers", "missing", "unreadable")
_FROM_1 = (
    """INSERT INTO messages (id, sequence, task, kind, body, came_at, state, handled_at)
        SELECT id, sequence, task, kind, body, handled_at, 'done', handled_at
        FROM old_messages ORDER BY sequence""",
    "INSERT INTO tasks SELECT task, sequence, state, dossier, due_at, assigned FROM old_tasks",
    """INSERT INTO answers (position, id, task, kind, body, made_at, sent_at, refused)
        SELECT position, id, task, kind, body, made_at, sent_at, refused FROM old_answers""",
    """INSERT INTO refusals (answer, task, kind, rule, place, en, vi, said_at)
        SELECT id, task, kind, 'refused', '', refused, '', made_at FROM old_answers
        WHERE refused IS NOT NULL ORDER BY position""",
    # numbers that follow each other become one gap
    """INSERT INTO gaps (first, last) SELECT min(sequence), max(sequence) FROM (
        SELECT sequence, sequence - row_number() OVER (ORDER BY sequence) AS run FROM old_missing)
        GROUP BY run""",
    """INSERT INTO unreadable (position, body, reason, came_at)
        SELECT position, body, reason, came_at FROM old_unreadable""",
)


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables, or bring an older file forward; BadSettings for one of a newer kit."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version < VERSION:
            _make(connection, _columns(connection, "messages"))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    if version > VERSION:
        raise BadSettings(
            "the store was made by a newer kit: install that one, or give another --store",
            "tệp lưu do bản kit mới hơn tạo ra: hãy cài bản mới, hoặc dùng --store khác",
        )


def _make(connection: sqlite3.Connection, old: Sequence[str]) -> None:
    if old:
        if "refused" not in _columns(connection, "answers"):  # the very first files
            connection.execute("ALTER TABLE answers ADD COLUMN refused TEXT")
        connection.execute("DROP INDEX IF EXISTS answers_unsent")
        for name in _OLD:
            connection.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
    for statement in (*_TABLES, *(_FROM_1 if old else ())):
        connection.execute(statement)
    for name in _OLD if old else ():
        connection.execute(f"DROP TABLE old_{name}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _columns(connection: sqlite3.Connection, table: str) -> Sequence[str]:
    return [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
