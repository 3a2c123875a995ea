"""The city's own catalogue: every procedure in it comes to an end through competent agencies."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from services.routing.domain import facts as f
from services.routing.domain.answers import Completed, apply_answer
from services.routing.domain.case import Office, Received
from services.routing.domain.journey import open_case
from services.routing.domain.standstill import paid
from services.routing.usecases.rules import NoSuchRules, Rules
from shared.catalogue import Catalogue, load
from shared.catalogue.model import Procedure
from shared.kernel.calendar import due
from shared.kernel.ids import SeededIds
from tests.routing.worlds import NOW

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
    received = _received(rules.catalogue, version, now)
    setting = rules.for_received(received, now, SeededIds(3).new)
    change = open_case(received, setting, now)
    case, said = change.case, [*change.facts, *change.orders]
    while open_tasks := [t for t in case.tasks.values() if t.is_open]:
        task = open_tasks[0]
        if task.kind == "payment":
            due_at = received.due_at
            change = paid(case, setting, now, step=task.step, amount_vnd=1, due_at=due_at)
        else:
            change = apply_answer(case, Completed(task.id, "granted"), setting, now)
        case = change.case
        said += [*change.facts, *change.orders]
    assert case.state == "resolved", (version.code, version.version)
    (resolved,) = [x for x in said if isinstance(x, f.DossierResolved)]
    assert resolved.results, (version.code, "somebody hears of a result")
    unheld = [x for x in said if isinstance(x, f.TaskChanged) and x.change == "due"]
    assert not unheld, (version.code, "every role is held by somebody")


def _received(city: Catalogue, version: Procedure, now: datetime) -> Received:
    day = now.date()
    office = next(o for o in city.offices(day) if city.office_handles(o.code, version, day))
    due_at = due(now, version.duration, city.calendar(office.code))
    return Received(
        dossier="000.00.01.H20-220301-0001",
        procedure=version.code,
        version=version.version,
        procedure_name=version.name,
        office=Office(office.code, office.name, office.territory),
        branches=tuple(branch.code for branch in version.branches),
        received_at=now,
        promised_at=due_at,
        due_at=due_at,
    )


def test_an_unknown_procedure_or_office_is_for_a_person_to_look_at(city: Catalogue) -> None:
    rules = Rules(city)
    with pytest.raises(NoSuchRules):
        rules.route("9.999999", 1, ())
    office = Office("khong-co", "Không có", "*")
    code = city.procedure_codes()[0]
    version = city.versions(code)[0].version
    received = Received("000.00.01.H20-220301-0001", code, version, "x", office, (), NOW, NOW, NOW)
    with pytest.raises(NoSuchRules):
        rules.for_received(received, NOW, SeededIds(1).new)
