"""The run: file dossiers, let the agencies work, watch each one to its end, see what was told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from shared.events.event import kind_of
from shared.events.routing import StepAnswered
from shared.kernel.ids import RandomIds
from simulation.smoke.access import Access, SmokeFailed
from simulation.smoke.agencies import Crew
from simulation.smoke.door import Door

# An address that belongs to nobody (RFC 2606); there is no phone number, so no SMS is ever sent.
EMAIL: Final = "kiem-tra@example.com"
BY: Final = "Kiểm tra hệ thống"
MOMENTS: Final = ("received", "resolved", "returned")
RESOLVED, RETURNED = 9, 10  # official statuses
LOST_BY_LAW: Final = (3, 7, 8)  # refused, withdrawn, stopped: none of them was asked for
# A person decides; for a check we are that person. What is held for a decent hour goes now.
RESENT: Final = ("uncertain", "undeliverable", "held")
TOLD: Final = ("sent", "delivered")
OVERTAKEN: Final = "cancelled"  # what a result or more has made untrue
ANSWERED: Final = kind_of(StepAnswered).name
PAUSE: Final = 0.3


@dataclass(slots=True)
class Carried:
    """One dossier on its way; instants as the city stated them."""

    code: str
    submitted_at: str
    status: int = 0
    status_name: str = ""
    finished_at: str | None = None
    answered: frozenset[str] = frozenset()  # agencies, as they know it themselves
    answers: int = 0  # as the city's timeline tells it
    told: dict[str, str] = field(default_factory=dict)  # moment -> state of the message

    @property
    def overtaken(self) -> bool:
        """Whether the result came before the receipt was sent (a service was away): it is said no more."""
        return [self.told.get(moment) for moment in MOMENTS[:2]] == [OVERTAKEN, TOLD[0]]

    def was_told(self, moment: str) -> bool:
        """Whether the citizen knows of it."""
        return self.told.get(moment) == TOLD[0] or (moment == MOMENTS[0] and self.overtaken)


@dataclass(slots=True)
class Outcome:
    """What the run came to."""

    wanted: int
    agencies: tuple[str, ...]
    ways: dict[str, str]
    dossiers: list[Carried] = field(default_factory=list)
    seconds: float = 0.0
    waited: int = 0
    resent: int = 0
    failure: str = ""

    def whole(self, dossier: Carried) -> bool:
        """Whether a dossier came through, every stop of the way."""
        return (
            dossier.status == RETURNED
            and dossier.answered >= set(self.agencies)
            and dossier.answers >= len(self.agencies)
            and all(map(dossier.was_told, MOMENTS))
        )

    @property
    def good(self) -> bool:
        """Whether everything came through."""
        return len(self.dossiers) == self.wanted and all(map(self.whole, self.dossiers))


class Run:
    """One smoke run through the doors of an installation."""

    def __init__(
        self,
        access: Access,
        *,
        dossiers: int,
        timeout: float,
        email: str = EMAIL,
        progress: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self._access = access
        self._give_up = time.monotonic() + timeout
        self._email = email
        self._progress = progress
        self._name = f"smoke-{RandomIds().new()}"
        self._resent: set[str] = set()
        self._crew = Crew(access, self._give_up)
        self.outcome = Outcome(dossiers, self._crew.agencies, dict(self._crew.ways))

    def carry(self) -> Outcome:
        """Carry everything; what did not arrive within the time is left as it is and seen."""
        begun = time.monotonic()
        with ExitStack() as stack:
            self._intake, self._notify = (
                stack.enter_context(Door(name, url, key, self._give_up))
                for name, url, key in (
                    ("intake", self._access.intake, self._access.desk_key),
                    ("notify", self._access.notify, self._access.operator_key),
                )
            )
            procedure = self._procedure()
            self._notify.get("/messages", limit=1)  # a wrong key is told before anything is filed
            stack.enter_context(self._crew.at_work())
            try:
                self._file(procedure)
                self._watch()
            except SmokeFailed as failed:
                self.outcome.failure = failed.en
        self.outcome.seconds = time.monotonic() - begun
        self.outcome.waited = self._intake.waited + self._notify.waited
        return self.outcome

    # --- the desk -------------------------------------------------------------------------------

    def _procedure(self) -> dict[str, Any]:
        items = self._intake.get("/procedures")["items"]
        if len(items) != 1 or not items[0]["code"].startswith("0."):
            raise SmokeFailed(
                "the desk's key is not that of the office that checks the installation; "
                "nothing was filed",
                vi="Khóa không phải của nơi kiểm tra hệ thống; chưa nộp hồ sơ nào.",
            )
        procedure: dict[str, Any] = items[0]
        return procedure

    def _file(self, procedure: dict[str, Any]) -> None:
        for number in range(1, self.outcome.wanted + 1):
            made = self._intake.post(
                "/dossiers",
                {
                    "procedure": procedure["code"],
                    "channel": "direct",
                    "form": _form(procedure["form"], self._name, number),
                    "papers": [
                        {"code": paper["code"], "original": paper["original"]}
                        for paper in procedure["papers"]
                    ],
                    "contact": {
                        "name": "Kiểm tra hệ thống",
                        "email": self._email,
                        "consent": {"sms": False, "email": True},
                    },
                },
                once=f"{self._name}-{number}",
            )
            self.outcome.dossiers.append(Carried(made["code"], made["submitted_at"]))
            self._crew.check()
            self._progress(self.outcome)

    # --- watching -------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self.outcome.good and time.monotonic() < self._give_up:
            self._crew.check()
            self._look()
            self._progress(self.outcome)
            time.sleep(PAUSE)
        if not self.outcome.good:
            self.outcome.failure = "the time is over" + "".join(
                f"; {code}: {why}" for code, why in sorted(self._crew.failing.items())
            )

    def _look(self) -> None:
        known = {dossier.code: dossier for dossier in self.outcome.dossiers}
        for line in self._lines(known):
            dossier = known[line["code"]]
            dossier.status = line["status"]["number"]
            dossier.status_name = line["status"]["name"]
            dossier.finished_at = line["finished_at"]
            if dossier.status in LOST_BY_LAW:
                raise SmokeFailed(f"{dossier.code} ended as '{dossier.status_name}'")
        for dossier in known.values():
            dossier.answered = frozenset(self._crew.answered(dossier.code))
            if dossier.status >= RESOLVED and not self.outcome.whole(dossier):
                self._count_answers(dossier)
                self._see_messages(dossier)
            # As citizens come: once they were told to. Before, the letter would be outdated.
            if dossier.status == RESOLVED and dossier.told.get("resolved") == TOLD[0]:
                self._hand_over(dossier)

    def _lines(self, known: dict[str, Carried]) -> Iterable[dict[str, Any]]:
        """The lines of our dossiers in the office's list, the newest first."""
        missing = set(known)
        cursor: dict[str, str] = {}
        since = min(dossier.submitted_at for dossier in known.values())
        while missing:
            page = self._intake.get("/dossiers", size=200, received_from=since, **cursor)
            for line in page["items"]:
                if line["code"] in missing:
                    missing.discard(line["code"])
                    yield line
            if page["next"] is None:
                return
            cursor = {"cursor": page["next"]}

    def _hand_over(self, dossier: Carried) -> None:
        """Give the result to the citizen: the last stop of every dossier."""
        path = f"/dossiers/{dossier.code}/return-result"
        # To a representative: whoever takes it in person is not told so.
        taken = {"method": "desk", "taker": "representative", "taker_name": BY, "id_checked": True}
        made = self._intake.post(path, taken, once=f"{self._name}-{dossier.code}")
        dossier.status = made["status"]["number"]

    def _count_answers(self, dossier: Carried) -> None:
        if dossier.answers < len(self.outcome.agencies):
            items = self._intake.get(f"/dossiers/{dossier.code}/timeline")["items"]
            dossier.answers = sum(ANSWERED in item["type"] for item in items)

    def _see_messages(self, dossier: Carried) -> None:
        for message in self._notify.get("/messages", dossier=dossier.code, limit=50)["messages"]:
            if dossier.told.get(message["moment"]) != TOLD[0]:
                told = message["state"] in TOLD
                dossier.told[message["moment"]] = TOLD[0] if told else message["state"]
            # A mail server that broke off in the middle: nobody is harmed by a second check mail.
            if message["state"] in RESENT and message["id"] not in self._resent:
                self._resent.add(message["id"])
                self._notify.post(f"/messages/{message['id']}/resend", {})
                self.outcome.resent += 1


def _form(fields: Iterable[dict[str, Any]], run: str, number: int) -> dict[str, Any]:
    """The declaration filled in by type, so that the check procedure may change."""
    values = {"number": number, "text": run, "bool": True, "date": "2000-01-01"}
    return {
        each["name"]: each["choices"][0] if each["choices"] else values.get(each["type"], run)
        for each in fields
        if each["required"]
    }
