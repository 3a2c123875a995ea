"""A notify of the version before is brought up in place: who is reached and who wants nothing stays so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from services.notify.app import MIGRATIONS, open_store
from services.notify.storage import heard, stops
from services.notify.storage.tables import metadata
from services.notify.usecases.personal import of_address
from services.notify.usecases.prune import prune
from shared.database.migrate import upgrade
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from shared.messaging import resealing
from tests.backends import Backend

AT = datetime(2022, 3, 14, 1, 30, tzinfo=UTC)
CODE, PHONE, MAILBOX = "000.00.15.H20-220314-0001", "+84907123456", "sau@example.vn"
ROWS = {
    "contacts": {
        "dossier": CODE, "name": "Nguyễn Thị Sáu", "phone": PHONE, "email": MAILBOX,
        "language": "vi", "consent_sms": True, "consent_email": True, "lookup_word": "ABC234",
        "given_at": AT,
    },
    "cases": {
        "dossier": CODE, "procedure": "1", "procedure_name": "P", "short_name": "P", "office": "o",
        "office_name": "O", "ended": False,
    },
    "messages": {
        "id": "m1", "fact_id": "f1", "moment": "received", "person": "applicant", "channel": "sms",
        "dossier": CODE, "state": "sent", "made_at": AT, "changed_at": AT, "language": "vi",
        "recipient": PHONE, "subject": "", "body": "HS da nhan", "encoding": "gsm7", "parts": 1,
        "template_version": "1", "tries": 1, "sent_at": AT, "told_unreachable": False,
    },
    "stops": {"address": MAILBOX, "channel": "email", "at": AT, "asked_by": "email"},
    "heard": {
        "id": "h1", "provider": "sms", "sender": PHONE, "text": "TU CHOI", "reference": "",
        "parts": 1, "part": 1, "heard_at": AT, "kind": "", "tries": 0, "answer": "help",
    },
}  # fmt: skip


@pytest.fixture
def store(backend: Backend):
    made = open_store(backend.settings("notify"), clock=FixedClock(AT), ids=SeededIds(1))
    upgrade(made.engine, MIGRATIONS, "0013")
    then = sa.MetaData()
    then.reflect(made.engine)
    with made.engine.begin() as connection:
        for name, row in ROWS.items():
            plain = {
                k: v.replace(tzinfo=None) if v == AT and _sqlite(made) else v
                for k, v in row.items()
            }
            connection.execute(sa.insert(then.tables[name]), plain)
    upgrade(made.engine, MIGRATIONS)
    yield made
    made.close()


def _sqlite(store) -> bool:
    return store.engine.dialect.name == "sqlite"


def lying(store, *tables: str) -> str:
    with store.read() as connection:
        rows = [connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in tables]
    return str(rows)


def test_stops_and_contacts_hold_from_the_first_moment_and_the_night_seals_the_rest(
    store, backend: Backend, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(resealing, "SETTLED", 0.0)  # the keys were drawn just now
    few = lying(store, "contacts", "stops", "heard")
    assert not [word for word in (PHONE, MAILBOX, "Sáu", "ABC234", "TU CHOI") if word in few]
    with store.read() as connection:
        assert stops.is_stopped(connection, MAILBOX)
        assert [each.address for each in stops.newest(connection, 5)] == [MAILBOX]
        assert of_address(connection, PHONE) == of_address(connection, MAILBOX) == [CODE]
        assert stops.dossiers_of(connection, "sms", PHONE) == [CODE]
        assert [each.to for each in heard.sent_to(connection, PHONE)] == [PHONE]
        assert heard.answers_since(connection, PHONE, AT) == ["help"]
    assert PHONE in lying(store, "messages")
    done = sum(
        each.count for each in prune(store, backend.settings("notify")) if each.what == "sealed"
    )
    assert done == 1
    assert not [word for word in (PHONE, "HS da nhan") if word in lying(store, *metadata.tables)]
    with store.read() as connection:
        assert stops.dossiers_of(connection, "sms", PHONE) == [CODE]
        assert [each.body for each in heard.sent_to(connection, PHONE)] == ["HS da nhan"]
    assert [
        each for each in prune(store, backend.settings("notify")) if each.what == "sealed"
    ] == []
