"""What the journeys look at: the two ledgers of a dossier, and an agency's one task. No test here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import partner
from services.intake.domain.dossier import Dossier
from services.intake.storage.queries import find_dossier
from services.routing.domain.case import Case
from services.routing.storage.cases import Cases
from shared.kernel.clock import VN, to_vn
from simulation.kit import Agency, City, Desk, filing

WARD = "ubnd-phuong-cao-lanh"  # since 2025-07-01, one desk for everything
WARD_BEFORE, CITY_DESK_BEFORE = "ubnd-phuong-1", "mot-cua-thanh-pho"
LAND_OFFICE, TAX = "vpdk-dat-dai-cao-lanh", "chi-cuc-thue-cao-lanh"
BIRTH, LAND, PERMIT = "1.001193", "1.013831", "1.009994"


def vn(*parts: int) -> datetime:
    """An instant on the wall clock of Việt Nam, in UTC."""
    return datetime(*parts, tzinfo=VN).astimezone(UTC)  # type: ignore[arg-type,misc]


def filed(
    city: City, procedure: str, form: Mapping[str, Any] | None = None, **changes: Any
) -> tuple[Desk, str]:
    """File for an invented citizen, these fields filled in besides; the desk and the code."""
    today = to_vn(city.now()).date()
    found = city.built.catalogue.procedure(procedure, today)
    before = CITY_DESK_BEFORE if found.level == "city" else WARD_BEFORE
    desk = city.desk(WARD if today >= date(2025, 7, 1) else before)
    body = filing(found, **changes)
    return desk, desk.file({**body, "form": {**body["form"], **(form or {})}}).code


def dossier_of(city: City, code: str) -> Dossier:
    """The dossier as intake holds it."""
    with city.built.intake.store.read() as connection:
        found = find_dossier(connection, code)
    assert found is not None
    return found


def case_of(city: City, code: str) -> Case:
    """The case as routing holds it."""
    with city.built.routing.store.begin() as uow:
        found = uow.get(Cases).get(code)
    assert found is not None
    return found


def the_task(agency: Agency, dossier: str) -> partner.Task:
    """The agency's one open task of a dossier, with all that was told of it since."""
    (task,) = agency.tasks(dossier)
    return task
