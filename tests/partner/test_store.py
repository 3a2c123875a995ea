"""The agency's own file: files of older kits, a file that cannot be written, gaps, whose turn it is."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from partner import BadSettings, Client, Message, StoreTrouble
from tests.partner.conftest import envelope
from tests.partner.test_seams import AGENCY, City, Queue, client

# What kits made before files had a version, word for word: files with these tables lie at agencies.
OLDEST = """
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE, task TEXT NOT NULL, kind TEXT NOT NULL,
    body BLOB NOT NULL, handled_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    task TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state TEXT NOT NULL, dossier TEXT NOT NULL,
    due_at TEXT, assigned TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, task TEXT NOT NULL, kind TEXT NOT NULL,
    body BLOB NOT NULL, made_at TEXT NOT NULL, sent_at TEXT);
CREATE INDEX IF NOT EXISTS answers_unsent ON answers (position) WHERE sent_at IS NULL;
CREATE TABLE IF NOT EXISTS missing (sequence INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS unreadable (
    position INTEGER PRIMARY KEY, body BLOB NOT NULL, reason TEXT NOT NULL, came_at TEXT NOT NULL);
"""
OLDER = OLDEST.replace("sent_at TEXT);", "sent_at TEXT, refused TEXT);").replace(
    "WHERE sent_at IS NULL;", "WHERE sent_at IS NULL AND refused IS NULL;"
)


def old_file(path: Path, tables: str) -> None:
    """A file in use: two tasks, one answer sent and one not, gaps 3-5 and 7, one odd message."""
    at = "2022-03-01T02:00:00+00:00"
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.executescript(tables)
        for number in (1, 2, 6, 8):
            body = json.dumps(envelope(AGENCY, number))
            row = (f"m-{AGENCY}-{number}", number, f"task-{number}", "assigned", body.encode(), at)
            made.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)", row)
            task = (f"task-{number}", number, "taken" if number == 1 else "open", "D", None)
            data = json.dumps(envelope(AGENCY, number)["data"])
            made.execute("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?)", (*task, data))
        for name, task, sent_at in (("a-1", "task-1", at), ("a-2", "task-2", None)):
            values = (name, task, "taken", b'{"data": {}}', at, sent_at)
            made.execute(
                "INSERT INTO answers (id, task, kind, body, made_at, sent_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
        made.executemany("INSERT INTO missing VALUES (?)", [(3,), (4,), (5,), (7,)])
        made.execute("INSERT INTO unreadable VALUES (1, x'ff', 'not JSON in UTF-8', ?)", (at,))
    made.close()


@pytest.mark.parametrize("tables", [OLDEST, OLDER], ids=["the first", "with refusals"])
def test_a_file_of_an_older_kit_is_brought_forward_and_nothing_is_lost(tmp_path: Path, tables: str):
    path = tmp_path / "agency.db"
    old_file(path, tables)
    queue = Queue(1, 7)
    handled: list[int] = []
    for _ in range(2):  # the second time nothing is left to do
        with client(queue, path) as agency:
            agency.poll(lambda message: handled.append(message.sequence))
            assert sorted((task.id, task.state) for task in agency.tasks()) == [
                ("task-1", "taken"), ("task-2", "open"), ("task-6", "open"),
                ("task-7", "open"), ("task-8", "open"),
            ]  # fmt: skip
            assert agency.missing() == [range(3, 6)]
            assert [each.body for each in agency.unreadable()] == [b"\xff"]
            assert agency.unsent() == 0
    assert handled == [7], "1 and 2 were handled by the older kit"
    assert [answer.id for answer in queue.answers] == ["a-2", "a-1"], "1 came anew: given again"
    with sqlite3.connect(path) as file:
        names = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    assert not {name for name in names if name.startswith("old_")}


def test_what_an_older_kit_noted_as_refused_is_still_told(tmp_path: Path):
    path = tmp_path / "agency.db"
    old_file(path, OLDER)
    with sqlite3.connect(path) as made:
        made.execute("UPDATE answers SET refused = 'the door answered 409' WHERE id = 'a-2'")
    with client(Queue(), path) as agency:
        (refusal,) = agency.refusals()
        assert (refusal.answer, refusal.said) == ("a-2", "the door answered 409")
        assert agency.unsent() == 0


def test_a_step_forward_that_breaks_off_leaves_the_old_file(tmp_path: Path, monkeypatch):
    path = tmp_path / "agency.db"
    old_file(path, OLDER)
    monkeypatch.setattr("partner.schema._FROM_1", ("INSERT INTO gaps SELECT * FROM nothing",))
    with pytest.raises(StoreTrouble):
        client(Queue(), path)
    monkeypatch.undo()
    with client(Queue(), path) as agency:
        assert len(agency.tasks()) == 4


def test_a_file_of_a_newer_kit_is_left_alone(tmp_path: Path):
    path = tmp_path / "agency.db"
    client(Queue(), path).close()
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(BadSettings, match="newer kit") as refused:
        client(Queue(), path)
    assert refused.value.vi


def test_while_the_file_cannot_be_written_nothing_is_acknowledged_or_given_back_again(
    tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("partner.store.PATIENCE", 0.05)
    path = tmp_path / "agency.db"
    queue = Queue(1, 2)
    with client(queue, path) as agency:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        for _ in range(5):
            with pytest.raises(StoreTrouble, match="locked"):
                agency.poll(lambda message: None)
        assert queue.breaks == 1, "given back once, and not fetched again before there is room"
        assert len(queue.waiting) == 2
        holder.execute("ROLLBACK")
        assert agency.poll(lambda message: None) == 2
    assert queue.taken == {}


def test_a_number_far_ahead_costs_one_row(tmp_path: Path):
    path = tmp_path / "agency.db"
    far = 10**17
    with client(Queue(1, far, far - 2), path) as agency:
        assert agency.poll(lambda message: None) == 3
        assert agency.missing() == [range(2, far - 2), range(far - 1, far)]
    assert path.stat().st_size < 200_000


def by_door(city: City) -> Client:
    return Client(AGENCY, store=":memory:", http=city, door_key="lt_1_secret")


def test_one_odd_entry_at_the_door_is_put_aside_and_the_rest_comes():
    city = City(1, 2, 3, 4, 5)
    city.items[1]["data"]["form"] = ["no form"]
    city.items[2]["sequence"] = "3"
    city.items[3] = {"sequence": "0000000004", "data": {"name": "\ud800"}}
    came: list[int] = []
    with by_door(city) as agency:
        assert agency.catch_up(lambda message: came.append(message.sequence)) == 3
        assert came == [1, 3, 5]
        assert len(agency.unreadable()) == 2
        assert agency.catch_up(lambda message: None) == 0
        assert len(agency.unreadable()) == 2


def test_entries_that_name_no_number_end_no_catching_up_and_no_program():
    pages: dict[int, list[Any]] = {
        0: [envelope(AGENCY, 1), envelope(AGENCY, 2)],
        2: [{"odd": 1}, "odder", None],
        5: [envelope(AGENCY, 6)],
    }
    asked: list[int] = []

    def http(method: str, path: str, *_: object) -> tuple[int, bytes]:
        asked.append(int(path.rpartition("=")[2]))
        assert len(asked) < 20, asked
        return 200, json.dumps({"items": pages.get(asked[-1], [])}).encode()

    with Client(AGENCY, store=":memory:", http=http) as agency:
        assert agency.catch_up(lambda message: None) == 3
        assert len(agency.unreadable()) == 3


def test_what_the_door_does_not_have_is_asked_for_once():
    city = City(1, 2, 6)
    with by_door(city) as agency:
        assert agency.catch_up(lambda message: None) == 3
        assert agency.missing() == [range(3, 6)]
        city.asked.clear()
        assert agency.catch_up(lambda message: None) == 0
        assert city.asked == [("GET", "/api/v1/tasks?after=6")]


def test_a_number_beyond_all_measure_does_not_hide_the_page_it_stands_on():
    page = json.dumps({"items": [envelope(AGENCY, 1), envelope(AGENCY, 2)]})
    page = page.replace('"original": 1', '"original": ' + "1" * 6000, 1)
    pages = [page, '{"items": []}']
    came: list[Message] = []
    with Client(AGENCY, store=":memory:", http=lambda *_: (200, pages.pop(0).encode())) as agency:
        assert agency.catch_up(came.append) == 2
