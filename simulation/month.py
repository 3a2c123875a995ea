"""A simulated month of the city: who files what, where and when; drawn from a seed.

Lives here: drawing the filings and setting the players up over a built city. What is done with them
is the services' own affair. Must not: printing, or reading results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from shared.catalogue import Agency, Catalogue, Procedure
from shared.kernel.clock import to_vn
from simulation.agenda import Agenda
from simulation.callers import Callers
from simulation.citizens import Citizens
from simulation.desks import Desks, Filing, filing_body
from simulation.figures import Figures, Habits
from simulation.heads import Heads
from simulation.kit import City
from simulation.manners import ByChance
from simulation.people import People
from simulation.players import Agencies

HOUR = timedelta(hours=1)
CITY_LEVEL = 0.3  # share of filings for procedures of the city level; chosen, not measured
LINKED = 3  # how much oftener an interlinked procedure is filed than another; chosen, not measured


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is asked for; both days included, on the calendar of Việt Nam."""

    first: date
    last: date
    dossiers: int
    seed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing for the live line: when (UTC) and what, without the citizen's data."""

    at: datetime
    text: str
    number: int
    of: int


class Month:
    """Carries a plan through a city from its first to its last minute."""

    def __init__(
        self,
        city: City,
        plan: Plan,
        figures: Figures,
        habits: Habits,
        show: Callable[[Seen], None],
    ) -> None:
        self._city = city
        self._catalogue: Catalogue = city.catalogue
        self._plan = plan
        self._figures = figures
        self._habits = habits
        self._show = show
        self._rng = Random(plan.seed)
        self._people = People(self._rng, unreachable=habits.unreachable)
        self._agenda = Agenda()
        self._offered: dict[date, list[tuple[Agency, Procedure]]] = {}
        self.desks = Desks(city.desk)
        manner = ByChance(self._catalogue, figures, habits, Random(plan.seed + 1), city.clock)
        self.agencies = Agencies(city.links(), self._agenda, manner, city.clock)
        self._citizens = Citizens(
            [city.built.intake.store, city.built.routing.store],
            self.desks,
            self._agenda,
            self._catalogue,
            habits,
            Random(plan.seed + 2),
            city.clock,
        )
        rng, routing = Random(plan.seed + 3), city.built.routing.store
        self._heads = Heads(routing, self.desks, self._agenda, habits, rng, city)
        self._callers = Callers(self.desks, self._agenda, habits, Random(plan.seed + 4), city)

    def run(self, end: datetime) -> None:
        """Play until `end` (UTC)."""
        arrivals = self._figures.draw_arrivals(
            self._rng, self._plan.first, self._plan.last, self._plan.dossiers
        )
        for number, at in enumerate(arrivals, 1):
            self._enter(number, at)
        self._city.run(self._agenda, self._look, end)

    def _look(self) -> int:
        players = (self.agencies, self._citizens, self._heads, self._callers)
        return sum(player.look() for player in players)

    def _enter(self, number: int, at: datetime) -> None:
        channel = self._figures.draw_channel(self._rng)
        office, procedure = self._choose(to_vn(at).date(), channel)
        if channel == "direct":
            at = self._catalogue.reception(office.code).next_opening(at)
        citizen = self._people.citizen()
        form = self._people.fill(procedure, citizen, to_vn(at).date())
        body = filing_body(procedure, citizen, channel, form, self._branches(procedure))
        slips = self._rng.random() < self._habits.slips
        filing = Filing(office.code, _with_a_slip(body, procedure) if slips else body)
        self._agenda.at(at, lambda: self._file(filing, f"case-{number}", procedure, office, number))
        if slips:
            mended = Filing(office.code, body)
            self._agenda.at(
                at + HOUR,
                lambda: self._file(mended, f"case-{number}-again", procedure, office, number),
            )

    def _file(
        self, filing: Filing, key: str, procedure: Procedure, office: Agency, number: int
    ) -> None:
        code = self.desks.submit(filing, key)
        done = code or "bị trả lại vì tờ khai sai"
        text = f"{done} · {procedure.name} · {office.short_name}"
        self._show(Seen(self._city.clock.now(), text, number, self._plan.dossiers))

    def _choose(self, on: date, channel: str) -> tuple[Agency, Procedure]:
        level = "city" if self._rng.random() < CITY_LEVEL else "commune"
        choices = [
            (office, procedure)
            for office, procedure in self._offers(on)
            if procedure.level == level and channel in procedure.channels
        ]
        offices: Sequence[str] = sorted({office.code for office, _ in choices})
        chosen = self._rng.choice(offices)
        own = [pair for pair in choices if pair[0].code == chosen]
        weights = [LINKED if _is_linked(procedure) else 1 for _, procedure in own]
        return self._rng.choices(own, weights)[0]

    def _offers(self, on: date) -> list[tuple[Agency, Procedure]]:
        if on not in self._offered:
            self._offered[on] = [
                (office, procedure)
                for office in self._catalogue.offices(on)
                for procedure in self._catalogue.procedures(on)
                if self._catalogue.office_handles(office.code, procedure, on)
            ]
        return self._offered[on]

    def _branches(self, procedure: Procedure) -> list[str] | None:
        if not procedure.branches:
            return None
        most = len(procedure.branches)
        wanted = self._rng.randrange(min(max(procedure.min_branches, 1), most), most + 1)
        picked = self._rng.sample(procedure.branches, wanted)
        return [branch.code for branch in procedure.branches if branch in picked]


def _is_linked(procedure: Procedure) -> bool:
    """Whether several agencies each give a result."""
    return len({step.role for step in procedure.steps if step.results}) > 1


def _with_a_slip(body: dict[str, Any], procedure: Procedure) -> dict[str, Any]:
    """The same form with its first required field left empty."""
    required = next((item.name for item in procedure.form if item.required), None)
    form = {name: value for name, value in body["form"].items() if name != required}
    return {**body, "form": form}
