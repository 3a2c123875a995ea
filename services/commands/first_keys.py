"""The keys of a city that is tried out: made at the first start, shown once, kept as hashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from services.embedded.city import City
from shared.catalogue import Agency, Catalogue
from shared.identity.keys import Kind, issue, list_keys
from shared.kernel.actor import SHELL
from shared.kernel.clock import to_vn
from shared.kernel.errors import NotFound
from simulation.keys import PLAYED

LABEL: Final = "khóa của thành phố thử"
OPERATOR: Final = "van-hanh"


@dataclass(frozen=True, slots=True)
class CityKey:
    """One key as it is shown once; `service` is whose door it opens."""

    service: str
    kind: Kind
    bound_to: str
    holder: str
    text: str = field(repr=False)


def first_keys(city: City) -> list[CityKey]:
    """Make keys for every desk, every agency and the operators, unless there are some already."""
    today = to_vn(city.clock.now()).date()
    offices = city.catalogue.offices(today)
    agencies = city.catalogue.agencies(today)
    operator = [(OPERATOR, "Người vận hành")]
    return [
        *_issue(city, "intake", "desk", _named(offices)),
        *_issue(city, "routing", "agency", _named(agencies)),
        *_issue(city, "notify", "operator", operator),
    ]


def _named(agencies: Sequence[Agency]) -> list[tuple[str, str]]:
    return [(agency.code, agency.name) for agency in agencies]


def _issue(
    city: City, service: str, kind: Kind, holders: Sequence[tuple[str, str]]
) -> list[CityKey]:
    store = city.services[service].store
    with store.begin(SHELL) as uow:
        if any(key.label != PLAYED for key in list_keys(uow.connection)):
            return []
        return [
            CityKey(service, kind, code, name, issue(uow, kind=kind, bound_to=code, label=LABEL)[1])
            for code, name in holders
        ]


def busiest(catalogue: Catalogue, office: Agency, on: date) -> list[str]:
    """Codes of the agencies that act on what this office takes in, those with most steps first."""
    steps: Counter[str] = Counter()
    for procedure in catalogue.procedures(on):
        if not catalogue.office_handles(office.code, procedure, on):
            continue
        for step in procedure.steps:
            try:
                steps[catalogue.agency_for(step.role, office.territory, on).code] += 1
            except NotFound:
                continue  # a step of a branch that this ward has nobody for
    return [code for code, _ in steps.most_common()]
