"""Dossiers that may be about the same matter: the same person, the same child, the same parcel.

Which fields tell whom is the catalogue's (`identifies`). Names are compared without marks and with
some tolerance (rapidfuzz); an officer decides what it means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from rapidfuzz import fuzz

from services.intake.domain.finding import folded, parcel_of, words_of
from services.intake.domain.statuses import Status
from shared.catalogue import Procedure
from shared.kernel.text import msgid

Why = Literal["id_number", "name_and_birth", "parcel"]
WHY_VI: Final[Mapping[Why, str]] = {
    "id_number": msgid("cùng số định danh"),
    "name_and_birth": msgid("cùng họ tên và ngày sinh"),
    "parcel": msgid("cùng thửa đất, cùng thủ tục"),
}
#: A dossier that came to its end is still told of for so long after it was filed.
LATELY: Final = timedelta(days=30)
#: So many are told at once.
MOST_TOLD: Final = 10
#: From this likeness on (of 100) two names may be one: a letter or two apart.
_ONE_NAME: Final = 88


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom and what one declaration tells of; personal."""

    procedure: str
    id_numbers: frozenset[str] = field(repr=False)
    births: frozenset[tuple[str, str]] = field(repr=False)  # folded name, ISO day
    parcel: tuple[str, ...] | None = field(repr=False)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to compare."""
        return not (self.id_numbers or self.births or self.parcel)


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A dossier that may be about the same matter, and why; nobody's data. `mark` is opaque."""

    code: str
    office: str
    procedure: str
    procedure_version: int
    status: Status
    submitted_at: datetime
    why: tuple[Why, ...]
    mark: str


def identity(procedure: Procedure, form: Mapping[str, Any]) -> Identity:
    """Whom and what a declaration tells of, as far as it is filled in."""
    people: dict[str, dict[str, str]] = {}
    for each in procedure.form:
        value = form.get(each.name)
        if each.identifies and each.identifies != "parcel" and isinstance(value, str) and value:
            people.setdefault(each.identifies, {})[each.type] = value
    return Identity(
        procedure=procedure.code,
        id_numbers=frozenset(p["id_number"] for p in people.values() if "id_number" in p),
        births=frozenset(
            (" ".join(words_of(p["name"])), p["date"])
            for p in people.values()
            if "name" in p and "date" in p
        ),
        parcel=_parcel(procedure, form),
    )


def alike(one: Identity, other: Identity) -> tuple[Why, ...]:
    """Why both may be about the same matter; empty where nothing says so."""
    why: list[Why] = []
    if one.id_numbers & other.id_numbers:
        why.append("id_number")
    if any(_one_birth(a, b) for a in one.births for b in other.births):
        why.append("name_and_birth")
    same_parcel = one.parcel is not None and one.parcel == other.parcel
    if same_parcel and one.procedure == other.procedure:
        why.append("parcel")
    return tuple(why)


def recent(status: Status, submitted_at: datetime, now: datetime) -> bool:
    """Whether a dossier is still told of: open, or filed lately."""
    return not status.final or submitted_at >= now - LATELY


def unseen(found: Collection[LookAlike], seen: Collection[str]) -> bool:
    """Whether one of these has not been shown yet; `seen` are marks."""
    return any(each.mark not in seen for each in found)


def _one_birth(one: tuple[str, str], other: tuple[str, str]) -> bool:
    same_day = one[1] == other[1]
    return same_day and fuzz.token_sort_ratio(one[0], other[0]) >= _ONE_NAME


def _parcel(procedure: Procedure, form: Mapping[str, Any]) -> tuple[str, ...] | None:
    """All that is said of a parcel, its place too, so that two wards' parcels are two."""
    numbers = parcel_of(procedure, form)
    if numbers is None:
        return None
    places = [f for f in procedure.form if f.identifies == "parcel" and f.type == "text"]
    told = ("".join(words_of(folded(str(form.get(f.name, ""))))) for f in places)
    return (numbers, *told)
