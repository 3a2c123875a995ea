"""One act: who did what to which things, when, from where, and what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

#: What may stand in the log of a name that a caller gave: codes and ids, never free words.
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}", re.ASCII)
MOST_NAMED: Final = 200  # things that one act names; a page shows fewer
UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as it is kept; `at` in UTC, `things` parted by blanks.

    `actor` is a kind and an opaque id, `place` the kind of door and a network, `outcome` an HTTP
    status or a word. `reason` is what an operator gave for looking at a citizen's words.
    """

    at: datetime
    actor: str
    act: str
    things: str
    place: str
    outcome: str
    reason: str | None = None

    def row(self) -> dict[str, Any]:
        """The entry as a row of the table."""
        return {
            "at": self.at,
            "actor": self.actor,
            "act": self.act,
            "things": self.things,
            "place": self.place,
            "outcome": self.outcome,
            "reason": self.reason,
        }


def things(names: Iterable[str]) -> str:
    """The names of things as they are kept, each once."""
    told = dict.fromkeys(name if _PLAIN.fullmatch(name) else UNKNOWN for name in names)
    return " ".join(list(told)[:MOST_NAMED])


def canonical(row: Any) -> bytes:
    """A row of the table as its digest is made of: the same on every database."""
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    told = [row.position, at, row.actor, row.act, row.things, row.place, row.outcome, row.reason]
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
