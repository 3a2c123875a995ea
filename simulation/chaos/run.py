"""A run from start to end: the city and its peers come up, the plan is done, all is healed, all is judged.

Bounded in time whatever happens. Must not: decide anything by chance (plan.py has), or judge
(verdict.py does).
"""

from __future__ import annotations

import heapq
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shared.catalogue import Catalogue
from shared.identity.keys import Kind
from shared.kernel.clock import RealClock, to_vn
from simulation.chaos import agencies, desks, plan
from simulation.chaos.evidence import Inquiry
from simulation.chaos.journal import Journal
from simulation.chaos.mail import Post
from simulation.chaos.place import Place
from simulation.chaos.rest import OPERATOR, Rest, Say
from simulation.chaos.stranger import Stranger
from simulation.chaos.town import open_town
from simulation.chaos.verdict import Evidence, Finding
from simulation.keys import issue_keys
from simulation.kit.filings import filing

_SENDERS: Final = ("notify work 1", "notify work 2")
#: Troubles of a line after which nobody knows what came through; the others only slow it down.
_BREAKING: Final = frozenset({"hole", "cut", "cut_after"})


@dataclass(slots=True)
class Outcome:
    """What a run came to."""

    seed: int
    seconds: float
    evidence: Evidence
    findings: Sequence[Finding]
    rested: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether everything that must hold held."""
        return not self.findings


class Run:
    """One run in a folder of its own; `go` does it."""

    def __init__(
        self, folder: Path, place: Place, catalogue: Catalogue, seed: int, seconds: float, say: Say
    ) -> None:
        self._folder = folder
        self._place = place
        self._catalogue = catalogue
        self._seed = seed
        self._seconds = seconds
        self._say = say
        self._reasons = 0
        self._stopping = threading.Event()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._asides: list[threading.Thread] = []
        self._filings = 0
        self._troubled: set[str] = set()
        self._killed: Counter[str] = Counter()

    def go(self) -> Outcome:
        """All of it."""
        with ExitStack() as stack:
            stack.callback(self._stopping.set)
            self._journal = Journal(self._folder / "journal.jsonl")
            stack.callback(self._journal.close)
            self._post = stack.enter_context(Post(self._folder / "mail.jsonl", self._seed))
            self._town = stack.enter_context(
                open_town(self._folder / "city", self._place, self._catalogue, self._post.address)
            )
            self._people(stack)
            self._say(f"the city is up; {self._seconds:.0f} s of acts begin")
            self._act()
            began = time.monotonic()
            self._say("everything is healed; waiting for rest")
            rest = Rest(
                Inquiry(self._town, self._place, self._keys), self._town, self._journal, self._post,
                self._desks, self._agencies, self._stranger, self._say,
            )  # fmt: skip
            evidence, findings = rest.come(self._offices, self._reasons)
            return Outcome(
                self._seed, self._seconds, evidence, findings,
                rested=time.monotonic() - began, counts=rest.counts(evidence),
            )  # fmt: skip

    # --- who is there ---------------------------------------------------------------------------

    def _people(self, stack: ExitStack) -> None:
        town, place = self._town, self._place
        self._offices = sorted({office for _, office in desks.PROCEDURES.values()})
        codes = self._reached()
        self._issue_keys(codes)
        port = town.lines["agencies broker"].port

        def url(agency: str) -> str:
            return place.amqp_url(agency, port)

        self._agencies = agencies.opened(
            codes, self._folder / "agencies", self._seed, url=url, door=town.door("routing"),
            key=lambda code: self._keys["routing", code],
        )  # fmt: skip
        for program in self._agencies.values():
            program.start()
            stack.callback(program.stop)
        by_queue = {code: each for code, each in self._agencies.items() if codes[code]}
        self._stranger = Stranger(self._journal, by_queue, self._seed, url)
        self._desks = desks.Desks(
            self._journal, town.door("intake"),
            {office: self._keys["intake", office] for office in self._offices}, self._filing,
        )  # fmt: skip
        for each in (self._stranger, self._desks):
            each.start()
            stack.callback(each.stop)

    def _reached(self) -> dict[str, bool]:
        """The agencies that act on what is filed; whether each has a queue."""
        today = to_vn(RealClock().now()).date()
        codes: dict[str, bool] = {}
        for procedure, office in desks.PROCEDURES.values():
            territory = self._catalogue.agency(office).territory
            for step in self._catalogue.procedure(procedure, today).steps:
                agency = self._catalogue.agency_for(step.role, territory, today)
                codes[agency.code] = agency.reach != "web"
        return codes

    def _issue_keys(self, codes: Iterable[str]) -> None:
        known: Mapping[tuple[str, Kind], Iterable[str]] = {
            ("intake", "desk"): self._offices,
            ("routing", "agency"): sorted(codes),
            ("notify", "operator"): [OPERATOR],
        }
        self._keys: dict[tuple[str, str], str] = {}
        for (service, kind), holders in known.items():
            made = issue_keys(self._town.built.services[service].store, kind, holders)
            self._keys |= {(service, holder): key for holder, key in made.items()}

    def _filing(self, procedure: str, _office: str, email: str) -> dict[str, Any]:
        today = to_vn(RealClock().now()).date()
        contact = {
            "name": "Nguyễn Thị Sáu",
            "email": email,
            "consent": {"sms": False, "email": True},
        }
        version = self._catalogue.procedure(procedure, today)
        return filing(version, today=today, contact=contact)

    # --- acts -----------------------------------------------------------------------------------

    def _act(self) -> None:
        """Do the plan, each act at its time, then end whatever befalls the city."""
        began = time.monotonic()
        planned = list(plan.plan(self._seed, self._seconds))
        for number, each in enumerate(planned):
            heapq.heappush(self._later, (each.at, number, lambda each=each: self._do(each)))  # type: ignore[misc]
        while self._later:
            at, _, act = heapq.heappop(self._later)
            if (left := began + at - time.monotonic()) > 0:
                time.sleep(left)
            self._now = at
            act()
        for aside in self._asides:
            aside.join(60.0)
        self._post.calm_down()
        self._town.heal()

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        order = len(self._later) + 1_000_000 + len(self._journal.entries)
        heapq.heappush(self._later, (self._now + seconds, order, act))

    def _do(self, planned: plan.Planned) -> None:
        what = planned.what
        if planned.act in ("file", "file twice"):
            self._filings += 1
            twice = planned.act == "file twice"
            self._desks.file(self._filings, what["procedure"], twice=twice)
        elif planned.act == "rude":
            self._stranger.ask(what["kind"], what["pick"])
        else:
            {
                "malformed": self._malformed,
                "fault": self._fault,
                "kill": self._kill,
                "stop": self._stop,
                "clock": self._clock,
            }[planned.act](what)

    def _malformed(self, what: Any) -> None:
        entry = self._journal.note("malformed", what, "refused in words (4xx)")
        office = self._offices[0]
        body = self._filing("2.000986", office, "nobody@example.vn")
        request = desks.malformed(what["kind"], body, self._keys["intake", office])
        url = self._town.door("intake")
        self._desks.put(
            lambda: desks.send_malformed(self._journal, entry, url, request, self._stopping)
        )

    def _fault(self, what: Any) -> None:
        self._journal.note("fault", what, "healed alone", recovers=True)
        line = what["line"]
        if line == "mail" and what["kind"] in _BREAKING:
            self._reasons += len(_SENDERS)  # each may have one letter on the line
        self._troubled.add(line)
        self._town.trouble(line, what["kind"], what["much"])

        def heal() -> None:
            self._town.lines[line].heal()
            self._troubled.discard(line)

        self._after(what["seconds"], heal)

    def _kill(self, what: Any) -> None:
        name = what["process"]
        self._journal.note("kill", what, "started again, it goes on", recovers=True)
        self._reasons += name in _SENDERS
        self._killed[name] += 1
        if self._town.processes[name].alive:
            self._town.kill(name)
        self._after(what["seconds"], lambda: self._town.start(name))

    def _stop(self, what: Any) -> None:
        name = what["process"]
        entry = self._journal.note("stop", what, "ends in time by itself, goes on when started")
        self._reasons += name in _SENDERS

        def stop() -> None:
            troubled, begun = self._in_trouble(name), self._town.begun(name)
            kills = self._killed[name]
            status = self._town.stop(name) if self._town.processes[name].alive else 0
            # A step that hangs on a silent line is rolled back at the stop, and told by a 1; the
            # interpreter that has not begun our program yet ends by the signal itself.
            hung = status == 1 and (troubled or self._in_trouble(name))
            early = status == -signal.SIGTERM and not begun
            killed = status == -signal.SIGKILL and self._killed[name] > kills
            well = status == 0 or hung or early or killed
            self._journal.settle(entry, f"exit {status}", ok=well)
            if not self._stopping.wait(what["seconds"]):
                self._town.start(name)

        self._asides.append(threading.Thread(target=stop, daemon=True))
        self._asides[-1].start()

    def _in_trouble(self, process: str) -> bool:
        """Whether a line that a process hangs on misbehaves now."""
        service = process.partition(" ")[0]
        lines = {f"{service} database", f"{service} broker"}
        return bool(self._troubled & (lines | {"mail"} if process in _SENDERS else lines))

    def _clock(self, what: Any) -> None:
        name = what["process"]
        self._journal.note("clock", what, "order, pauses and letters stay right", recovers=True)
        self._town.step_clock(name, what["by"])
        self._after(what["seconds"], lambda: self._town.step_clock(name, 0))
