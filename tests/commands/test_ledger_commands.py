"""The operator's commands on the ledgers, run as a person types them, on both databases."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime

import msgspec
import pytest
from click.testing import CliRunner

from services.__main__ import cli
from services.commands.since import SINCE
from services.commands.stores import history_of
from shared.database.migrate import drift, head
from shared.events.envelope import Envelope, encode
from shared.identity import keys
from shared.kernel.clock import RealClock
from shared.kernel.errors import LienThongError
from shared.messaging.consumer import Consumer
from tests.commands.ledgers import BECAUSE, SERVICES, opened
from tests.messaging.rig import ScriptedBus

WHY = ("--reveal", "--reason", "thử nghiệm")


def park_something(backend):
    """Rubbish, and a fact under a number that was used, in the inbox of notify."""
    store = opened(backend, "notify")
    bus = ScriptedBus()

    def fact(fact_id):
        return Envelope(
            id=fact_id,
            source="/intake",
            type="vn.lienthong.x.v1",
            subject="D1",
            time=datetime.now(UTC),
            data={"name": "Đỗ Thị Ánh", "phone": "+84912345678", "dossier": "D1"},
            sequence=1,
        )

    bus.put(encode(fact("first-fact")), encode(fact("second-fact")), b"rubbish")
    consumer = Consumer("notify.facts", "notify.facts", store, bus, {}, sources=("/intake",))
    while consumer.step(0):
        pass
    store.close()


def test_migrate_brings_every_service_up_to_date_and_check_agrees(run):
    assert run("migrate", "--check", ok=False).exit_code == 1
    assert "intake: new -> " in run("migrate").output
    newest = head(history_of("intake"))
    assert f"intake: {newest}, up to date" in run("migrate", "--service", "intake").output
    assert run("migrate", "--check").exit_code == 0


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_has_drifted_from_its_history(run, migrated, backend, service):
    from importlib import import_module

    store = opened(backend, service)
    tables = import_module(f"services.{service}.storage.tables")
    assert drift(store.engine, tables.metadata) == []
    assert history_of(service).is_dir()
    store.close()


def test_a_database_that_was_never_migrated_is_told_with_the_mend(run):
    result = run("parked", "list", ok=False)
    assert isinstance(result.exception, LienThongError)
    assert "lienthong migrate" in str(result.exception)


def test_parked_facts_are_listed_shown_masked_and_discarded(run, migrated, backend):
    park_something(backend)
    listed = run("parked", "list").output
    assert "number already used" in listed
    assert "unreadable" in listed
    assert "2 bản tin" in listed
    shown = run("parked", "show", "second-fact", "--service", "notify").output
    assert "Ánh" not in shown
    assert "912345678" not in shown
    assert "D1" in shown
    revealed = run("parked", "show", "second-fact", "--service", "notify", *WHY).output
    assert "Đỗ Thị Ánh" in revealed
    run("parked", "discard", "second-fact", "--service", "notify", "--who", "lan", "--why", "lỗi")
    gone = run("parked", "list", "--state", "discarded", "--service", "notify", "--json").output
    assert json.loads(gone)["owner"] == "lan"
    assert json.loads(gone)["note"] == "lỗi"


def test_bytes_that_are_no_fact_are_shown_only_when_asked_for(run, migrated, backend):
    park_something(backend)
    rows = [json.loads(line) for line in run("parked", "list", "--json").output.splitlines()]
    (rubbish,) = [row["id"] for row in rows if not row["type"]]
    assert "7 bytes" in run("parked", "show", rubbish, "--service", "notify").output
    revealed = run("parked", "show", rubbish[:12], "--service", "notify", *WHY).output
    assert "rubbish" in revealed


def test_a_fact_that_nobody_can_read_is_told_by_its_place_and_stepped_over(run, migrated, backend):
    fact = Envelope(
        id="broken-one", source="/intake", type="vn.lienthong.x.v1", subject="D7",
        time=datetime.now(UTC), data={}, sequence=1,
    )  # fmt: skip
    store, bus = opened(backend, "notify"), ScriptedBus()
    bus.put(encode(fact).replace(b'"1.0"', b'"9.0"'))
    bus.put(encode(msgspec.structs.replace(fact, id="next-one", sequence=2)))
    consumer = Consumer("notify.facts", "notify.facts", store, bus, {}, sources=("/intake",))
    consumer.step(0)
    (row,) = [json.loads(line) for line in run("parked", "list", "--json").output.splitlines()]
    of = (row["id"][:12], "--service", "notify")
    assert "says it is: /intake D7 1" in run("parked", "show", *of).output
    why = ("--who", "lan", "--why", "hỏng")
    wrong = run("parked", "step-over", *of, *why, "/intake", "D7", "2", ok=False)
    assert "/intake D7 #2 is not the next" in str(wrong.exception)
    run("parked", "step-over", *of, *why, "/intake", "D7", "1")
    consumer.step(0)
    assert run("parked", "list", "--state", "waiting").output.startswith("0 bản tin")
    store.close()


def test_a_fact_that_is_only_discarded_says_who_may_still_wait(run, migrated, backend):
    store, bus = opened(backend, "notify"), ScriptedBus()
    bus.put(b'{"source":"/intake","subject":"D7","sequence":"0000000001"')
    Consumer("notify.facts", "notify.facts", store, bus, {}).step(0)
    store.close()
    (row,) = [json.loads(line) for line in run("parked", "list", "--json").output.splitlines()]
    why = ("--who", "lan", "--why", "hỏng")
    told = run("parked", "discard", row["id"], "--service", "notify", *why).output
    assert "step-over ID /intake D7 1" in told
    run("parked", "step-over", row["id"], "--service", "notify", *why, "/intake", "D7", "1")


def test_a_replayed_fact_is_tried_again(run, migrated, backend):
    park_something(backend)
    run("parked", "replay", "second-fact", "--service", "notify", *BECAUSE)
    waiting = run("parked", "list", "--state", "retry", "--json").output
    assert json.loads(waiting)["attempts"] == 0


def test_discarding_without_saying_who_and_why_is_refused(run, migrated, backend):
    park_something(backend)
    assert run("parked", "discard", "second-fact", "--service", "notify", ok=False).exit_code == 2


def test_a_key_is_printed_alone_once_listed_without_its_secret_and_revoked(run, migrated, backend):
    made = run(
        "keys", "create", "--service", "intake", "--for", "ubnd-phuong-1", "--label", "quầy 1"
    )
    text = made.stdout.strip()
    store = opened(backend, "intake")
    with store.read() as connection:
        principal = keys.verify(connection, text, RealClock().now())
    assert (principal.kind, principal.bound_to) == ("desk", "ubnd-phuong-1")
    listed = run("keys", "list", "--service", "intake").output
    assert principal.key_id in listed
    assert "quầy 1" in listed
    assert text not in listed
    run("keys", "revoke", principal.key_id, "--service", "intake")
    with store.read() as connection:
        assert keys.verify(connection, text, RealClock().now()) is None
    assert "revoked" in run("keys", "list", "--service", "intake").output
    store.close()


def test_a_key_is_told_of_before_its_end_and_renewed(run, migrated, backend):
    made = run(
        "keys", "create", "--service", "intake", "--for", "ubnd-phuong-1", "--days", "10"
    ).stdout
    key_id = made.split("_")[1]
    told = run("keys", "list", "--service", "intake").output
    assert "ends SOON" in told
    assert "end within 14 days: 1" in told
    run("keys", "renew", key_id, "--service", "intake", "--days", "30")
    told = run("keys", "list", "--service", "intake").output
    assert "valid until" in told
    assert "end within 14 days: 0" in told
    refused = run("keys", "renew", "nobody", "--service", "intake", ok=False)
    assert isinstance(refused.exception, LienThongError)


def test_resend_says_how_many_of_each_service(run, migrated):
    told = run("resend", "--since", "2h", *BECAUSE).output
    assert [line.split()[:2] for line in told.splitlines()] == [
        ["intake:", "0"], ["routing:", "0"], ["notify:", "0"],
    ]  # fmt: skip
    assert run("resend", "--since", "yesterday", *BECAUSE, ok=False).exit_code == 2


def test_since_is_read_as_an_instant_or_as_the_wall_clock_of_vietnam():
    since = SINCE
    eight = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert since.convert("2026-11-23T08:00:00Z", None, None) == eight
    assert since.convert("2026-11-23 15:00", None, None) == eight
    ago = datetime.now(UTC) - since.convert("90m", None, None)
    assert 89 * 60 < ago.total_seconds() < 91 * 60


def test_where_there_is_no_database_the_operator_is_told_where_was_looked(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LIENTHONG_DATABASE_URL", raising=False)
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(tmp_path / "nowhere"))
    told = CliRunner().invoke(cli, ["parked", "list"]).exception
    assert isinstance(told, LienThongError)
    assert str(tmp_path / "nowhere" / "intake.db") in told.en
    assert "LIENTHONG_DATA_DIR" in told.vi
    assert not (tmp_path / "nowhere").exists(), "looking made nothing"


def test_a_database_that_another_process_holds_is_read_all_the_same(run, migrated, backend):
    if not backend.embedded:
        pytest.skip("PostgreSQL's readers wait for no writer")
    path = backend.data_dir / "intake.db"
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "0 bản tin" in run("parked", "list", "--service", "intake").output
        other.execute("ROLLBACK")
