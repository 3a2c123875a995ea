"""What intake's web doors are given once, and how a view gets at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from flask import current_app

from services.intake.domain.circumstances import Circumstances
from services.intake.storage.search import Index
from services.intake.usecases.files import FileRoom
from shared.catalogue import Agency, Catalogue, Procedure
from shared.database import Store
from shared.identity.guard import current
from shared.kernel.clock import to_vn
from shared.kernel.errors import Forbidden
from shared.kernel.text import unaccent

KEY: Final = "lienthong.intake"


@dataclass(frozen=True, slots=True)
class Deps:
    """Store and catalogue; time comes from the store's clock."""

    store: Store
    catalogue: Catalogue

    @property
    def index(self) -> Index:
        """What dossiers are found by."""
        found: Index = self.store.given[Index]
        return found

    @property
    def files(self) -> FileRoom:
        """Where files are kept and judged."""
        found: FileRoom = self.store.given[FileRoom]
        return found

    def around(self) -> Circumstances:
        """The city's rules at the present instant."""
        return Circumstances(self.catalogue, self.now())

    def now(self) -> datetime:
        """The present instant, UTC."""
        return self.store.clock.now()

    def today(self) -> date:
        """The local day in Việt Nam."""
        return to_vn(self.now()).date()

    def procedures_of(self, office: str) -> list[Procedure]:
        """What an office takes in today, by field and name."""
        today = self.today()
        offered = (
            p
            for p in self.catalogue.procedures(today, check=self.catalogue.agency(office).check)
            if self.catalogue.office_handles(office, p, today)
        )
        return sorted(offered, key=lambda p: (unaccent(p.field), unaccent(p.name), p.code))


def deps() -> Deps:
    """The dependencies of the app that is answering."""
    found: Deps = current_app.extensions[KEY]
    return found


def agency_name(code: str | None) -> str:
    """An agency's name; the code itself for one that the catalogue no longer knows."""
    return deps().around().agency(code or "").name


def own_office() -> str:
    """The office whose key is calling."""
    return current().bound_to


def officer() -> str | None:
    """The name of who stands at the desk, for the papers; None where a key is not a person's."""
    return current().name or None


#: Acts that are the head's own; a programme with the office's key acts for the office.
OF_THE_HEAD: Final = frozenset({"apologise", "grant-extension", "refuse-extension"})


def may(act: str) -> bool:
    """Whether whoever calls may do this act of a desk at all."""
    return act not in OF_THE_HEAD or current().role in ("", "head")


def must_be_allowed(act: str) -> None:
    """Forbidden where an act is the head's own and an officer asks for it."""
    if not may(act):
        raise Forbidden(
            "only the head of an office may do this", vi="Việc này dành cho trưởng bộ phận."
        )


def office_agency() -> Agency:
    """The catalogue's record of the calling office."""
    return deps().catalogue.agency(own_office())
