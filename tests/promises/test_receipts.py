"""Promise 1: a 201 means that the dossier and its facts are on disk; without a commit there is none."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from shared.events.names import wire
from shared.kernel.clock import RealClock, to_vn
from simulation.keys import issue_keys
from simulation.kit import Desk, Reply, filing, service_process
from tests.backends import Backend
from tests.embedded.townsfolk import INTERLINKED, TODAYS_OFFICE, desk_of
from tests.promises.town import Town

FACTS = {wire("dossier.received"), wire("contact.given")}


def on_disk(backend: Backend, query: str) -> list[Any]:
    """What a stranger's connection sees in intake's database: nothing of ours is asked."""
    url = sa.make_url(backend.settings("intake").database_url)
    if backend.embedded:
        stranger = sqlite3.connect(str(url.database))
        try:
            return stranger.execute(query).fetchall()
        finally:
            stranger.close()
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        return connection.execute(query).fetchall()


def facts_on_disk(backend: Backend, code: str) -> set[str]:
    rows = on_disk(backend, f"SELECT type FROM outbox WHERE subject = '{code}'")
    return {row[0] for row in rows}


def file(desk: Desk, body: Any, key: str) -> str:
    """File a dossier, which must succeed; its code."""
    return desk.file(body, key=key).code


def ask(desk: Desk, body: Any, key: str) -> Reply:
    """File a dossier, whatever the answer may be."""
    return desk.ask("POST", "/dossiers", body=body, key=key)


def a_filing(town: Town, number: int = 1) -> dict[str, Any]:
    today = to_vn(town.clock.now()).date()
    return filing(town.catalogue.procedure(INTERLINKED, today), number, today=today)


@contextmanager
def commits_failing(town: Town) -> Iterator[None]:
    """The database says no when intake commits, as a full disk or a lost line would."""

    def refuse(_connection: Any) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, Exception("no space left on device"))

    sa.event.listen(town.city.intake.store.engine, "commit", refuse)
    try:
        yield
    finally:
        sa.event.remove(town.city.intake.store.engine, "commit", refuse)


def test_at_the_moment_of_the_answer_a_stranger_finds_dossier_and_facts_on_disk(town: Town):
    code = town.desk().submit(INTERLINKED).code
    assert on_disk(town.backend, f"SELECT code FROM dossiers WHERE code = '{code}'") == [(code,)]
    assert facts_on_disk(town.backend, code) == FACTS


def test_a_commit_that_fails_gives_no_receipt_and_leaves_nothing(town: Town):
    desk = town.desk()
    with commits_failing(town):
        reply = ask(desk, a_filing(town), "the first")
    assert reply.status == 503
    assert reply.json()["code"] == "database_away"
    assert "lookup_word" not in reply.json()
    assert on_disk(town.backend, "SELECT count(*) FROM dossiers")[0][0] == 0
    assert on_disk(town.backend, "SELECT count(*) FROM outbox")[0][0] == 0

    again = ask(desk, a_filing(town), "the first")
    assert again.status == 201
    assert again.json()["code"].endswith("-0001"), "the failed one used up no number"


def test_asked_again_under_the_same_key_the_receipt_is_the_same_for_ever(town: Town):
    first = ask(town.desk(), a_filing(town), "the first").json()
    town.die()
    again = ask(town.desk(), a_filing(town), "the first")
    assert (again.status, again.json()) == (201, first)
    assert ask(town.desk(), a_filing(town, 2), "the first").status == 409
    assert on_disk(town.backend, "SELECT count(*) FROM dossiers")[0][0] == 1


@pytest.mark.slow
def test_what_a_killed_process_had_answered_is_on_disk(town: Town):
    today = to_vn(RealClock().now()).date()
    body = filing(town.catalogue.procedure(INTERLINKED, today), 1, today=today)
    key = issue_keys(town.city.intake.store, "desk", [TODAYS_OFFICE])[TODAYS_OFFICE]
    settings = town.backend.settings("intake")
    with service_process(settings, "web", "--server", "waitress") as web:
        web.wait_until_ready()
        desk = Desk(web.door, key, TODAYS_OFFICE, town.procedure)
        codes = [desk.file(body).code for _ in range(3)]
        web.send(signal.SIGKILL)
        web.wait()
    for code in codes:
        assert facts_on_disk(town.backend, code) == FACTS
        assert desk_of(town.city, TODAYS_OFFICE).status(code) == 2
