"""Keys for the people of a simulation: made as `lienthong keys` makes them, shown to nobody.

Lives here: issuing them and the label by which they are told from those of real people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shared.database import Store
from shared.identity.keys import MOST_DAYS, Kind, issue
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
