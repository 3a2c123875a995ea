"""What the driver does and when: drawn from the seed alone, so that a seed repeats the whole sequence.

Pure. What is chosen here never depends on how the city fares; whom a rude agency answers about and
which letter meets which temper is settled by what has come by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

#: Each line that leads through a proxy of the driver, and each process, by name.
LINES: Final = (
    "intake database", "routing database", "notify database",
    "intake broker", "routing broker", "notify broker",
    "agencies broker", "mail", "intake door", "routing door",
)  # fmt: skip
PROCESSES: Final = (
    "intake web", "routing web", "notify web",
    "intake work", "routing work", "notify work 1", "notify work 2",
)  # fmt: skip
CLOCKED: Final = ("intake work", "routing work", "notify work 1", "notify work 2")
FAULTS: Final = ("hole", "cut", "stall", "delay", "crumble", "cut_after")
RUDE: Final = (
    "odd headers", "no user_id", "unreadable bytes", "huge body", "unknown kind", "no time",
    "another's name", "another's key", "id used again", "stale answer", "said again", "purge",
)  # fmt: skip
MALFORMED: Final = (
    "no JSON", "no object", "empty", "unknown procedure", "NUL in a text", "too deep",
    "too large", "no key", "wrong key", "no such dossier", "odd query", "another method",
    "odd Idempotency-Key", "not UTF-8",
)  # fmt: skip
FILINGS: Final = ("birth", "land", "copy")
#: Seconds that a clock is put forward or back: little, or more than any pause that is stored.
STEPS: Final = (-7200, -90, -5, 5, 90, 7200)
LONGEST_DOWN: Final = 6.0
_WEIGHTS: Final[Mapping[str, int]] = {
    "file": 36, "file twice": 5, "malformed": 13, "rude": 20,
    "fault": 13, "kill": 7, "stop": 3, "clock": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """One act at so many seconds after the beginning."""

    at: float
    act: str
    what: Mapping[str, Any] = field(default_factory=dict)


def plan(seed: int, seconds: float) -> Sequence[Planned]:
    """All acts of a run of this length, in their order."""
    return _Drawing(Random(f"chaos {seed}"), seconds).all()


class _Drawing:
    def __init__(self, rng: Random, seconds: float) -> None:
        self._rng = rng
        self._seconds = seconds
        self._busy: dict[str, float] = {}  # line or process -> until when something befalls it
        self._longest = 8.0 if seconds < 300 else 25.0

    def all(self) -> list[Planned]:
        found: list[Planned] = []
        at = 0.0
        while (at := at + self._rng.uniform(0.1, 1.5)) < self._seconds:
            (act,) = self._rng.choices([*_WEIGHTS], [*_WEIGHTS.values()])
            what = self._what(act, at)
            found.append(
                Planned(round(at, 3), "file" if what is None else act, what or self._file())
            )
        return found

    def _what(self, act: str, at: float) -> dict[str, Any] | None:
        """The details; None where everything that it could befall is in trouble already."""
        if act.startswith("file"):
            return self._file()
        if act == "malformed":
            return {"kind": self._rng.choice(MALFORMED)}
        if act == "rude":
            return {"kind": self._rng.choice(RUDE), "pick": self._rng.randrange(1 << 30)}
        if act == "fault":
            return self._fault(at)
        if act == "clock":
            return self._clock(at)
        return self._ending(at)

    def _file(self) -> dict[str, Any]:
        return {"procedure": self._rng.choices(FILINGS, (5, 2, 4))[0]}

    def _free(self, names: Sequence[str], at: float) -> str | None:
        free = [name for name in names if self._busy.get(name, 0.0) < at]
        return self._rng.choice(free) if free else None

    def _fault(self, at: float) -> dict[str, Any] | None:
        line = self._free(LINES, at)
        if line is None:
            return None
        kind = self._rng.choice(FAULTS)
        seconds = round(min(self._rng.expovariate(1 / 3.0) + 0.3, self._longest), 2)
        self._busy[line] = at + seconds + 1.0
        much = {
            "delay": round(self._rng.uniform(0.01, 0.1), 3),
            "crumble": self._rng.choice((1, 7, 100)),
            "cut_after": self._rng.randrange(1, 20_000),
        }
        return {"line": line, "kind": kind, "seconds": seconds, "much": much.get(kind)}

    def _ending(self, at: float) -> dict[str, Any] | None:
        process = self._free(PROCESSES, at)
        if process is None:
            return None
        down = round(self._rng.uniform(0.0, LONGEST_DOWN), 2)
        self._busy[process] = at + down + 6.0  # it shall have a chance to do something
        return {"process": process, "seconds": down}

    def _clock(self, at: float) -> dict[str, Any] | None:
        process = self._free([f"clock of {each}" for each in CLOCKED], at)
        if process is None:
            return None
        seconds = round(self._rng.uniform(2.0, 15.0), 2)
        self._busy[process] = at + seconds
        by = self._rng.choice(STEPS)
        return {"process": process.removeprefix("clock of "), "by": by, "seconds": seconds}
