"""No service can state what the contract does not know: it is refused before anything is written."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from shared.database import Store, make_engine
from shared.events.errors import ContractBroken
from shared.events.event import Event
from shared.events.intake import DossierReturned
from shared.events.notify import CitizenNotified
from shared.events.parts import ProcedureName
from shared.events.routing import DossierStarted
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from shared.messaging.outbox import Outbox, stated_by
from shared.messaging.tables import LEDGERS

NOON = datetime(2022, 3, 1, 5, tzinfo=UTC)
RETURNED = DossierReturned(dossier="H1", method="desk", returned_at=NOON)
STARTED = DossierStarted(
    dossier="H1", procedure=ProcedureName(code="1.0", name="Thường trú"), started_at=NOON
)
NOTIFIED = CitizenNotified(
    dossier="H1", moment="received", channel="sms", message="m-1", sent_at=NOON
)
SECRET = "0912345678 Sáu"


def store_of(service: str) -> Store:
    engine = make_engine("sqlite://")
    importlib.import_module(f"services.{service}.storage.tables").metadata.create_all(engine)
    outbox = Outbox(stated_by(service))
    return Store(engine, outbox, clock=FixedClock(NOON), ids=SeededIds(1))


def rows(store: Store, table: sa.Table) -> Any:
    with store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table))


@pytest.mark.parametrize(
    ("service", "spoiled"),
    [
        ("intake", replace(RETURNED, method=SECRET)),
        ("intake", replace(RETURNED, returned_at=datetime(2022, 3, 1))),
        ("intake", STARTED),
        ("routing", replace(STARTED, procedure=ProcedureName(code=SECRET, name="n"))),
        ("routing", replace(STARTED, started_at=None)),
        ("routing", NOTIFIED),
        ("notify", replace(NOTIFIED, channel=SECRET)),
        ("notify", RETURNED),
    ],
    ids=repr,
)
def test_what_breaks_the_contract_or_is_anothers_to_state_is_never_written(
    service: str, spoiled: Event
) -> None:
    store = store_of(service)
    statements: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with pytest.raises(ContractBroken) as refused, store.begin() as uow:
        uow.record(spoiled)
    assert SECRET not in str(refused.value)
    assert statements == []
    assert rows(store, LEDGERS.outbox) == rows(store, LEDGERS.streams) == 0


@pytest.mark.parametrize(
    ("service", "event"), [("intake", RETURNED), ("routing", STARTED), ("notify", NOTIFIED)]
)
def test_what_keeps_it_is_written(service: str, event: Event) -> None:
    store = store_of(service)
    with store.begin() as uow:
        uow.record(event)
    assert rows(store, LEDGERS.outbox) == 1
