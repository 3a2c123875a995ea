"""A city in this process on a settable clock, with all who work with it; everything at rest by one call.

Lives here: opening it, its clock, its people. Nothing runs in a thread: the city moves when it is
told to, so that a test repeats to the letter. Must not: processes (processes.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import partner
from services.embedded.city import City as BuiltCity
from services.embedded.city import open_city as build_city
from shared.catalogue import Catalogue
from shared.kernel.clock import Clock, FixedClock
from shared.kernel.errors import LienThongError
from shared.kernel.ids import SeededIds
from simulation.agenda import Agenda, Clockwork
from simulation.kit.clients import Agency
from simulation.kit.doors import Door
from simulation.kit.people import People, Way
from simulation.links import AgencyLink, Handed, client_of
from simulation.manners import AtOnce
from simulation.players import Agencies, Manner
from simulation.resting import Rest

# 08:30 in Cao Lãnh, a Monday without a holiday near.
MORNING: Final = datetime(2022, 3, 14, 1, 30, tzinfo=UTC)
UNTIL_SECONDS: Final = 60.0
OPENINGS: Final = "openings.txt"


class City(People):
    """A built and migrated city in hand: move it with `rest`, its clock with `advance` or `set`.

    `built` is the city as the product builds it, for those who must look inside; what is in there
    may change from one version to the next, unlike the names of this class.
    """

    def __init__(self, built: BuiltCity, *, seed: int = 1) -> None:
        """`seed` draws the ids of agencies' answers, apart from the city's own ids and words."""
        super().__init__(built)
        self.clock: Clock = built.clock
        self._ids = SeededIds(seed)
        self._at_work: list[Agency | AgencyLink] = []
        self._agenda = Agenda()
        self._played: Agencies | None = None
        self._rest = Rest(built, lambda: sum(each.given for each in self._at_work))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything; what was taken in is on disk."""
        for each in self._at_work:
            each.close()
        self.built.close()

    # --- moving ---------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The present instant of this city, UTC."""
        return self.clock.now()

    def rest(self) -> int:
        """Carry everything to rest with the clock standing; the number of things done."""
        moved = 0
        while step := self._rest() + self._look():
            moved += step
            for act in self._agenda.take_due(self.clock.now()):
                act()
        return moved

    def advance(self, by: timedelta) -> datetime:
        """Let time pass: whatever falls due on the way happens at its own instant; the new now."""
        end = self.clock.now() + by
        self.run(self._agenda, self._look, end)
        return end

    def run(self, agenda: Agenda, look: Callable[[], int], until: datetime) -> None:
        """Let time pass until then with an agenda of one's own; `look` sees what came to rest."""
        Clockwork(self._settable(), agenda, self.built.loops, self._rest, look).run(until)

    def set(self, at: datetime) -> None:
        """Put the clock to an aware instant, forward or back; nothing happens until it is moved."""
        self._settable().set(at)

    def _settable(self) -> FixedClock:
        if not isinstance(self.clock, FixedClock):
            raise LienThongError("the clock of this city is not ours to set")
        return self.clock

    def until(self, done: Callable[[], bool], *, seconds: float = UNTIL_SECONDS) -> None:
        """Carry on until it is so, servers that are away waited out; the clock stands."""
        give_up = time.monotonic() + seconds
        while True:
            moved = self.built.pump(tolerant=True) + self._look()
            if done():
                return
            if time.monotonic() > give_up:
                raise LienThongError(f"the city did not come so far in {seconds:.0f} s")
            if not moved:
                time.sleep(0.005)

    def _look(self) -> int:
        if self._played is None:
            return 0
        seen = self._played.look()
        for act in self._agenda.take_due(self.clock.now()):
            act()
        return seen

    # --- people -----------------------------------------------------------------------------------

    def play(
        self, manner: Manner | None = None, *, agencies: Collection[str] | None = None
    ) -> None:
        """Have agencies answer by themselves whenever the city moves: all, or these.

        As the catalogue says each is reached; `manner` says what they answer: at once, granted.
        """
        links = self.links(agencies)
        self._played = Agencies(links, self._agenda, manner or AtOnce(self.clock), self.clock)

    def links(self, agencies: Collection[str] | None = None) -> list[AgencyLink]:
        """The programs of all agencies, or of these, each by the way that the catalogue says."""
        self._rest.begin()
        made = Handed(self.built.routing.store)
        found = [
            AgencyLink(
                self._client(each.code, "door" if each.reach == "web" else "queue"),
                made.last,
                behind=self.built.bus.volatile and each.reach != "web",
            )
            for each in self.catalogue.agencies(self._today())
            if agencies is None or each.code in agencies
        ]
        self._at_work.extend(found)
        return found

    def agency(self, code: str, *, way: Way = "door") -> Agency:
        """An agency with the partner kit: by the HTTPS door, or by its queue."""
        agency = super().agency(code, way=way)
        self._rest.begin()
        self._at_work.append(agency)
        return agency

    def _door(self, service: str) -> Door:
        return Door.inside(self.built.services[service].web)

    def _client(self, code: str, way: Way) -> partner.Client:
        key = self.key("routing", "agency", code) if way == "door" else None
        return client_of(code, self.built, now=self.clock.now, new_id=self._ids.new, door_key=key)


def open_city(
    folder: Path,
    *,
    at: datetime = MORNING,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    database: str | Mapping[str, str] = "sqlite",
    broker: str | None = None,
    **settings: Any,
) -> City:
    """A migrated city whose files lie in `folder`; opened again there, it goes on where it was.

    `database`: "sqlite", a URL with `{service}` in it, or a URL per service. `broker`: an AMQP URL;
    without one messages stay in this process, on a bus of their own. `settings`: fields of Settings;
    `courtesy` is off unless it is given: messages go at once, by night too.
    """
    settings = {"courtesy": "off", **settings}
    clock, seed = FixedClock(at), seed + 2 * _openings(folder)
    built = build_city(
        folder,
        clock=clock,
        ids=SeededIds(seed),
        bus_url=broker or "memory://",
        database=database,
        catalogue=catalogue,
        **settings,
    )
    try:
        built.migrate()
        return City(built, seed=seed + 1)
    except BaseException:
        built.close()
        raise


def _openings(folder: Path) -> int:
    """How often a city was opened in this folder before: each opening must draw other ids."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / OPENINGS).open("a+", encoding="utf-8") as file:
        file.seek(0)
        before = len(file.readlines())
        file.write("opened\n")
    return before
