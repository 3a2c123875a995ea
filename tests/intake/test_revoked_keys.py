"""A revoked key stops at once and leaves nothing behind."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shared.database import make_engine
from shared.database.store import Store
from shared.events.envelope import decode
from shared.identity import keys
from shared.messaging.tables import LEDGERS
from tests.intake.test_api import BODY, count


@pytest.fixture
def revoked(desk):
    """A key that was used, then revoked by another process."""
    assert desk.http("POST", "/dossiers", BODY, Idempotency_Key="before").status_code == 201
    elsewhere = Store(
        make_engine(desk.store.engine.url.render_as_string(hide_password=False)),
        desk.store.log,
        clock=desk.clock,
        ids=desk.store.ids,
    )
    with elsewhere.begin() as uow:
        keys.revoke(uow, desk.key.split("_")[1])
    elsewhere.close()
    return desk


def test_it_files_nothing_and_uses_up_no_number(revoked):
    answer = revoked.http("POST", "/dossiers", BODY)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "default-src" in answer.headers["Content-Security-Policy"]
    assert count(revoked) == 1
    with revoked.store.begin() as uow:
        fresh = keys.issue(uow, kind="desk", bound_to="ubnd-phuong-1", label="new")[1]
    filed = revoked.http("POST", "/dossiers", BODY, key=fresh)
    assert filed.get_json()["code"].endswith("-0002")


def test_it_is_told_nothing_of_what_is_wrong_and_gets_no_kept_answer(revoked):
    assert revoked.http("POST", "/dossiers", {"x": 1}).status_code == 401
    assert revoked.http("POST", "/dossiers", {**BODY, "form": {}}).status_code == 401
    kept = revoked.http("POST", "/dossiers", BODY, Idempotency_Key="before")
    assert kept.status_code == 401
    assert "000.01.15" not in kept.text


def test_a_key_of_another_kind_or_unknown_is_refused_as_ever(desk):
    for key in (desk.agency, desk.operator):
        for _ in range(2):
            assert desk.http("POST", "/dossiers", BODY, key=key).status_code == 403
    for key in ("lt_nonsense", desk.key[:-1] + ("a" if desk.key[-1] != "a" else "b"), "ĩ"):
        assert desk.http("POST", "/dossiers", BODY, key=key).status_code == 401
    assert count(desk) == 0


def test_who_filed_stands_on_every_event_and_never_a_name(desk):
    assert desk.http("POST", "/dossiers", BODY).status_code == 201
    with desk.store.read() as connection:
        bodies = connection.scalars(sa.select(LEDGERS.outbox.c.body)).all()
    actors = {decode(bytes(body)).actor for body in bodies}
    assert actors == {f"officer:{desk.key.split('_')[1]}"}
