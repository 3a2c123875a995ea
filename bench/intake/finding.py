"""What a desk asks for, by kind; and how long one waits for it inside this process, on any database."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from bench.contest import percentile
from services.intake.domain.dossier import Dossier
from services.intake.storage.queries import count_lists
from services.intake.storage.search import Index
from services.intake.usecases import lists
from services.intake.web.pages import listing
from shared.catalogue import Agency

#: Kinds of searches by a name.
NAMES = ("name, whole", "name, first and last word", "two common words", "one common word")


def searches(draw: random.Random, sample: Sequence[Dossier]) -> Mapping[str, Callable[[], str]]:
    """What is typed into the search, by kind; each time for another dossier of the sample."""

    def one() -> Dossier:
        return draw.choice(sample)

    def parcel() -> str:
        form = one().form
        return f"{form['map_sheet']}/{form['parcel_number']}"

    def ends() -> str:
        words = one().contact.name.split()
        return f"{words[0]} {words[-1]}"

    kinds = {
        "code": lambda: one().code.replace(".", "").replace("-", ""),
        "ID number": lambda: str(one().form["user_id"]),
        "phone": lambda: str(one().contact.phone),
        "parcel": parcel,
    }
    named = (lambda: one().contact.name, ends, lambda: "nguyen van", lambda: "nguyen")
    return {**kinds, **dict(zip(NAMES, named, strict=True))}


@dataclass
class Waits:
    """Milliseconds of the same thing done many times: by the clock, and of CPU in this thread."""

    clock: list[float] = field(default_factory=list, repr=False)
    cpu: list[float] = field(default_factory=list, repr=False)

    def as_json(self) -> dict[str, float]:
        """The middle and the end of both."""
        return {
            f"{name}_{word}_ms": round(percentile(sorted(values), share), 1)
            for name, values in (("clock", self.clock), ("cpu", self.cpu))
            for word, share in (("p50", 0.5), ("p99", 0.99))
        }


@dataclass(frozen=True)
class Desk:
    """One office of a filled database."""

    engine: sa.Engine
    index: Index
    office: Agency
    sample: Sequence[Dossier]
    now: datetime

    def waits(self, times: int) -> Iterator[tuple[str, Waits]]:
        """How long each search and list takes, asked so many times, one after the other."""
        everything = listing.read({"xem": "tat-ca"}, self.office.code, self.now)
        for name, text in searches(random.Random(3), self.sample).items():
            yield f"search: {name}", _timed(partial(self._search, everything, text), times)
        for each in listing.LISTS.values():
            asked = listing.read({"xem": each.name}, self.office.code, self.now)
            yield f"list: {each.title}", _timed(partial(self._page, asked), times)

    def _search(self, asked: listing.Asked, typed: Callable[[], str]) -> None:
        self._page(asked, typed())

    def _page(self, asked: listing.Asked, words: str | None = None) -> None:
        """As the page of a list does it: what was found, the 25 rows shown, the counts of all tabs."""
        with self.engine.connect() as connection:
            filters = asked.filters
            if words is not None:
                office = self.office
                found = lists.searched(
                    connection, self.index, office.code, office.official_id, words
                )
                filters = lists.within(filters, found)
                asked = replace(asked, filters=filters)
            lists.one_page(connection, filters, self.now, asked.sort, 25, None)
            count_lists(connection, listing.of_lists(asked, self.now), self.now)


def _timed(act: Callable[[], None], times: int) -> Waits:
    waits = Waits()
    act()  # the first reads the statements
    for _ in range(times):
        began, used = time.perf_counter(), time.thread_time()
        act()
        waits.clock.append((time.perf_counter() - began) * 1000)
        waits.cpu.append((time.thread_time() - used) * 1000)
    return waits
