"""Keys and accounts for a simulation: made as `lienthong keys` and `staff` make them, shown to nobody.

Lives here: issuing them and the label by which keys are told from those of real programmes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.intake.usecases import staff
from shared.catalogue import Catalogue
from shared.database import Store
from shared.identity.keys import MOST_DAYS, Kind, issue
from shared.identity.passes import Place
from shared.kernel.actor import SHELL

PLAYED: Final = "demo"


def issue_keys(store: Store, kind: Kind, codes: Iterable[str]) -> dict[str, str]:
    """A new key for each of these holders, by the holder's code."""
    with store.begin(SHELL) as uow:
        made = {
            # A played city may see years go by.
            code: issue(uow, kind=kind, bound_to=code, label=PLAYED, days=MOST_DAYS)
            for code in codes
        }
    return {code: text for code, (_, text) in made.items()}


def issue_account(store: Store, catalogue: Catalogue, place: Place) -> tuple[str, str]:
    """A new person of this place, in intake's store: sign-in name and password."""
    where = "" if place.code == staff.EVERYWHERE else f".{place.code}"
    login = f"{PLAYED}.{place.role}{where}"[:40].rstrip(".-")
    with store.begin(SHELL) as uow:
        _, password = staff.add(
            uow,
            catalogue,
            login=login,
            name=f"Người thử ({place.role})",
            places=[place],
            must_change=False,
        )
    return login, password
