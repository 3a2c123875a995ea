"""How the simulated agencies decide, drawn by chance: on time, late, asking, refusing or silent.

Lives here: the demonstration's `Manner`, and the simplest one. Durations follow the derived shape of step durations, in the
agency's own working time; the shares of each behaviour are `Habits`. Must not: hand anything in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shared.catalogue import Catalogue
from shared.catalogue.book import DESK
from shared.kernel.clock import Clock, format_instant, parse_instant, to_vn
from simulation.figures import Figures, Habits
from simulation.players import Planned

REASONS = (
    "Thông tin trong tờ khai chưa khớp với giấy tờ gốc",
    "Thiếu chữ ký của một người có liên quan",
    "Bản chụp không đọc được rõ",
)
REFUSALS = ("Không đủ điều kiện theo quy định của thủ tục", "Hồ sơ trùng với hồ sơ đã giải quyết")
NOT_OURS = "Địa chỉ trong hồ sơ thuộc địa bàn cơ quan khác quản lý"
MORE_TIME = "Cần xác minh thêm tại cơ quan khác"
VERIFIES = "Cần đối chiếu với sổ gốc ở nơi cư trú trước đây"
SENDS_BACK = "Dưới một nửa số người dự họp đồng ý"
MINUTE = timedelta(minutes=1)
OFFICERS = ("Cán bộ trực", "Tổ một cửa", "Chuyên viên thụ lý")


class AtOnce:
    """Every agency takes its task and grants what is asked, after `delay`; for trying things out."""

    def __init__(self, clock: Clock, delay: timedelta = timedelta(0)) -> None:
        self._clock = clock
        self._delay = delay

    def answers(self, _agency: str, task: Mapping[str, Any]) -> Sequence[Planned]:
        now = self._clock.now()
        done = {"outcome": "granted", "result_code": next(iter(task["results"]), None)}
        if branches := task.get("branches"):
            done["branch"] = branches[0]["code"]
        return [
            Planned(now, "taken", {"officer": OFFICERS[0]}),
            Planned(now + self._delay, "completed", done),
        ]

    def after_papers(self, agency: str, task: Mapping[str, Any]) -> Sequence[Planned]:
        return self.answers(agency, task)[1:]


class ByChance:
    """Draws each agency's answers from the figures; the same generator gives the same city."""

    def __init__(
        self, catalogue: Catalogue, figures: Figures, habits: Habits, rng: Random, clock: Clock
    ) -> None:
        self._catalogue = catalogue
        self._figures = figures
        self._habits = habits
        self._rng = rng
        self._clock = clock

    def answers(self, agency: str, task: Mapping[str, Any]) -> Sequence[Planned]:
        luck = self._rng.random()
        taken_at = self._working(agency, self._clock.now(), self._rng.randrange(5, 90))
        taken = Planned(taken_at, "taken", {"officer": self._rng.choice(OFFICERS)})
        if luck < self._habits.agency_silent:
            return []
        luck -= self._habits.agency_silent
        for share, act in (
            (self._habits.agency_asks_papers, self._asks),
            (self._habits.agency_refuses, self._refuses),
            (self._habits.agency_wants_time, self._wants_time),
            (self._habits.agency_not_ours, self._not_ours),
        ):
            if luck < share:
                return act(agency, task, taken)
            luck -= share
        end = max(self._end(agency, task), taken.at + MINUTE)
        return [taken, *self._allowed(agency, task, taken), self._done(task, end)]

    def after_papers(self, agency: str, task: Mapping[str, Any]) -> Sequence[Planned]:
        at = self._working(agency, self._clock.now(), self._rng.randrange(30, 480))
        return [self._done(task, at)]

    def _asks(self, agency: str, task: Mapping[str, Any], taken: Planned) -> Sequence[Planned]:
        reason = self._rng.choice(REASONS)
        items = [paper["name"] for paper in task["papers"][:1]] or ["Giấy tờ chứng minh"]
        at = self._working(agency, taken.at, self._rng.randrange(10, 240))
        by = self._catalogue.calendar(agency).add_days(at, self._habits.days_for_papers)
        data = {"items": items, "reason": reason, "respond_by": format_instant(by)}
        return [taken, Planned(at, "supplement_needed", data)]

    def _refuses(self, agency: str, task: Mapping[str, Any], taken: Planned) -> Sequence[Planned]:
        data = {"reason": self._rng.choice(REFUSALS)}
        return [taken, Planned(max(taken.at, self._end(agency, task)), "refused", data)]

    def _wants_time(
        self, agency: str, task: Mapping[str, Any], taken: Planned
    ) -> Sequence[Planned]:
        due = self._due(agency, task)
        until = self._working(agency, max(due, taken.at), 2 * 480)
        asked = self._working(agency, taken.at, 30)
        wish = {"reason": MORE_TIME, "until": until.isoformat().replace("+00:00", "Z")}
        done = self._working(agency, max(due, asked), self._rng.randrange(30, 900))
        return [taken, Planned(asked, "more_time_needed", wish), self._done(task, done)]

    def _not_ours(self, agency: str, _task: Mapping[str, Any], taken: Planned) -> Sequence[Planned]:
        others = self._of_same_work(agency)
        knows = self._rng.random() < self._habits.agency_knows_whose and others
        data = {"reason": NOT_OURS, "agency": self._rng.choice(others) if knows else None}
        return [Planned(taken.at, "not_ours", data)]

    def _allowed(self, agency: str, task: Mapping[str, Any], taken: Planned) -> Sequence[Planned]:
        """What the catalogue lets this step be answered beside the usual, now and then."""
        shares = {
            "verification_needed": (self._habits.agency_verifies, VERIFIES),
            "sent_back": (self._habits.agency_sends_back, SENDS_BACK),
        }
        for kind in sorted(task.get("may") or (), reverse=True):
            share, reason = shares.get(kind, (0.0, ""))
            if self._rng.random() < share:
                at = self._working(agency, taken.at, self._rng.randrange(20, 120))
                return [Planned(at, kind, {"reason": reason})]
        return []

    def _of_same_work(self, agency: str) -> list[str]:
        roles = set(self._catalogue.agency(agency).roles) - {DESK}
        today = self._catalogue.agencies(to_vn(self._clock.now()).date())
        return [a.code for a in today if a.code != agency and roles & set(a.roles) and not a.check]

    def _due(self, agency: str, task: Mapping[str, Any]) -> datetime:
        """Its date; for what is handed over while the clock stands, a working day from now."""
        if task["due_at"] is not None:
            return parse_instant(task["due_at"])
        return self._catalogue.calendar(agency).add_days(self._clock.now(), 1)

    def _done(self, task: Mapping[str, Any], at: datetime) -> Planned:
        number = self._rng.randrange(1000, 9999)
        data: dict[str, Any] = {"outcome": "granted", "document": f"{number}/{at.year}"}
        if task["results"]:
            data["result_code"] = task["results"][0]
        if branches := task.get("branches"):
            data["branch"] = self._rng.choice(branches)["code"]
        role = task["step"]["code"]
        if self._asks_payment(task, role):
            data["amount_vnd"] = self._rng.randrange(20, 900) * 10_000
        return Planned(at, "completed", data)

    def _asks_payment(self, task: Mapping[str, Any], step_code: str) -> bool:
        """Whether a payment step of the procedure waits for this step (its notice says how much)."""
        version = self._catalogue.procedure(
            task["procedure"]["code"], parse_instant(task["assigned_at"]).date()
        )
        return any(step.kind == "payment" and step_code in step.after for step in version.steps)

    def _end(self, agency: str, task: Mapping[str, Any]) -> datetime:
        calendar = self._catalogue.calendar(agency)
        start, due = parse_instant(task["assigned_at"]), self._due(agency, task)
        budget = max(calendar.minutes_between(start, due), 60)
        share = self._figures.draw_share(self._rng)
        return self._working(agency, start, max(20, int(budget * share)))

    def _working(self, agency: str, start: datetime, minutes: int) -> datetime:
        end = self._catalogue.calendar(agency).add_minutes(start, minutes)
        # Nobody answers on the stroke: a few seconds keep simultaneous answers apart.
        return end + timedelta(seconds=self._rng.randrange(1, 50))
