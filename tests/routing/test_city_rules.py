"""The city's own catalogue: every procedure in it comes to an end through competent agencies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import msgspec
import pytest

from services.routing.domain.answers import apply_answer
from services.routing.domain.deadlines import time_passed
from services.routing.domain.journey import open_case
from services.routing.domain.waiting import paid
from services.routing.usecases.rules import NoSuchRules, Rules
from shared.catalogue import Catalogue, load
from shared.catalogue.model import Procedure
from shared.events.agencies import AnswerCompleted, TaskChanged
from shared.events.intake import DossierPaid, DossierReceived
from shared.events.parts import Office, ProcedureVersion
from shared.events.routing import DossierResolved
from shared.kernel.calendar import due
from shared.kernel.ids import SeededIds
from tests.routing.worlds import NOW, received

CATALOGUE = Path(__file__).parents[2] / "catalogue"


@pytest.fixture(scope="module")
def city() -> Catalogue:
    return load(CATALOGUE)


def test_every_procedure_of_the_city_resolves_when_everybody_grants(city: Catalogue) -> None:
    rules = Rules(city)
    tried = [
        _grant_all(rules, version)
        for code in city.procedure_codes()
        for version in city.versions(code)
    ]
    assert len(tried) >= 24


def _grant_all(rules: Rules, version: Procedure) -> None:
    start = datetime.combine(version.valid_from, time(2, 0), tzinfo=UTC)
    now = max(NOW, start + timedelta(days=3))
    dossier = _received(rules.catalogue, version, now)
    around = rules.for_received(dossier, now, SeededIds(3).new)
    decision = open_case(dossier, around)
    case, said = decision.state, [*decision.events]
    assert case is not None
    while open_tasks := [t for t in case.tasks.values() if t.is_open]:
        task = open_tasks[0]
        if task.kind == "payment":
            decision = paid(case, _payment(dossier, task.step), around)
        elif task.kind == "wait" and task.due_at is not None:
            around = replace(around, now=task.due_at)
            decision = time_passed(case, around)
        else:
            granted = AnswerCompleted(task=task.id, outcome="granted")
            decision = apply_answer(case, granted, around)
        assert decision.state is not None
        case = decision.state
        said += decision.events
    assert case.state == "resolved", (version.code, version.version)
    (resolved,) = [x for x in said if isinstance(x, DossierResolved)]
    assert resolved.results, (version.code, "somebody hears of a result")
    unheld = [x for x in said if isinstance(x, TaskChanged) and x.change == "due"]
    assert not unheld, (version.code, "every role is held by somebody")


def _payment(dossier: DossierReceived, step: str) -> DossierPaid:
    return DossierPaid(
        dossier=dossier.dossier,
        step=step,
        reference="x",
        amount_vnd=1,
        paid_at=dossier.received_at,
        promised_at=dossier.promised_at,
        due_at=dossier.due_at,
    )


def _received(city: Catalogue, version: Procedure, now: datetime) -> DossierReceived:
    day = now.date()
    office = next(o for o in city.offices(day) if city.office_handles(o.code, version, day))
    due_at = due(now, version.duration, city.calendar(office.code))
    return msgspec.structs.replace(
        received(now=now),
        procedure=ProcedureVersion(
            code=version.code,
            version=version.version,
            name=version.name,
            short_name=version.short_name,
        ),
        office=Office(code=office.code, name=office.name, territory=office.territory),
        branches=tuple(branch.code for branch in version.branches),
        promised_at=due_at,
        due_at=due_at,
    )


def test_an_unknown_procedure_or_office_is_for_a_person_to_look_at(city: Catalogue) -> None:
    rules = Rules(city)
    with pytest.raises(NoSuchRules):
        rules.route("9.999999", 1, (), "direct", {})
    known = _received(city, city.versions(city.procedure_codes()[0])[0], NOW)
    office = Office(code="khong-co", name="Không có", territory="*")
    nowhere = msgspec.structs.replace(known, office=office)
    with pytest.raises(NoSuchRules):
        rules.for_received(nowhere, NOW, SeededIds(1).new)
