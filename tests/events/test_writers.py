"""No service can write what the contract does not know: it is refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from services.intake.domain.facts import DossierReturned
from services.intake.messaging import outgoing as intake
from services.intake.storage import tables as intake_tables
from services.notify.domain.facts import CitizenNotified
from services.notify.messaging import outgoing as notify
from services.notify.storage import tables as notify_tables
from services.routing.domain.facts import DossierStarted
from services.routing.domain.plan import Ref
from services.routing.messaging import outgoing as routing
from services.routing.storage import tables as routing_tables
from shared.database import Store, make_engine
from shared.events.errors import ContractBroken
from shared.events.facts import FACTS
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from shared.messaging.outbox import Outbox
from shared.messaging.tables import LEDGERS

NOON = datetime(2022, 3, 1, 5, tzinfo=UTC)
Maker = Callable[[Any], dict[str, Any]]


class Paid(NamedTuple):
    """As much of intake's fact as a maker of a test needs."""

    dossier: Any


class Code(NamedTuple):
    code: str


def surplus(make: Maker) -> Maker:
    return lambda fact: {**make(fact), "phone": "0912345678"}


def break_intake(patch: pytest.MonkeyPatch) -> Any:
    name, source, _ = intake.TABLE[DossierReturned]
    good = {"dossier": "H1", "method": "desk", "returned_at": "2022-03-01T05:00:00Z"}
    patch.setitem(intake.TABLE, Paid, (name, source, surplus(lambda _: good)))
    return Paid(Code("H1"))


def break_routing(patch: pytest.MonkeyPatch) -> Any:
    name, make = routing.OUTGOING[DossierStarted]
    patch.setitem(routing.OUTGOING, DossierStarted, (name, surplus(make)))
    return DossierStarted("H1", Ref("1.0", "Thường trú"), NOON)


def break_notify(patch: pytest.MonkeyPatch) -> Any:
    patch.setattr(notify, "_notified", surplus(notify._notified))
    return CitizenNotified("H1", "received", "sms", "m-1", NOON)


def record(store: Store, fact: Any) -> None:
    with store.begin() as uow:
        uow.record(fact)


@pytest.mark.parametrize(
    ("tables", "translate", "spoil"),
    [
        (intake_tables, intake.translate, break_intake),
        (routing_tables, routing.translate, break_routing),
        (notify_tables, notify.translate, break_notify),
    ],
    ids=["intake", "routing", "notify"],
)
def test_a_fact_with_a_field_that_the_contract_does_not_know_is_never_written(
    tables: Any, translate: Any, spoil: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine("sqlite://")
    tables.metadata.create_all(engine)
    store = Store(engine, Outbox(translate), clock=FixedClock(NOON), ids=SeededIds(1))
    fact = spoil(monkeypatch)
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    with pytest.raises(ContractBroken) as refused:
        record(store, fact)
    assert "phone" in str(refused.value)
    assert "0912345678" not in str(refused.value)
    assert statements == []
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(LEDGERS.outbox)) == 0
        streams = sa.select(sa.func.count()).select_from(tables.LEDGERS.streams)
        assert connection.scalar(streams) == 0


def test_every_fact_that_a_service_writes_is_in_the_contract() -> None:
    written = {name for name, _, _ in intake.TABLE.values()} | set(routing._WIRE.values())
    assert written <= FACTS.keys()
