"""A fresh city for a play: on its own clock, its ids drawn from a seed, its log lines in a file.

Lives here: opening it and letting it go. Must not: playing in it, or saying anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from services.embedded.city import open_city
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from simulation.kit import City
from simulation.telling import logs_into

# The ids of agencies' answers are drawn from this much more than the seed: nobody else's are.
AGENCIES: Final = 3


@contextmanager
def staged(folder: Path, at: datetime, seed: int, **where: Any) -> Iterator[City]:
    """A migrated city in `folder` at an aware instant; `where` as `open_city` of the product."""
    with logs_into(folder):
        built = open_city(folder, clock=FixedClock(at), ids=SeededIds(seed), **where)
        with City(built, seed=seed + AGENCIES) as city:
            built.migrate()
            yield city
