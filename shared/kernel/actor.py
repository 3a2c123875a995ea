"""Who does something: a kind and an opaque id, never a name.

It stands on every unit of work and on every event that leaves. Who is behind an id is known to
the room that gave it out alone (shared/identity).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

Kind = Literal["officer", "agency", "citizen", "clock", "operator", "service"]
_SHAPE: Final = re.compile(
    rf"({'|'.join(get_args(Kind))})(?::([A-Za-z0-9._-]{{1,120}}))?"
).fullmatch


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is what the kind tells apart: an officer's or key's id, an agency's code; else None."""

    kind: Kind
    id: str | None = None

    def __str__(self) -> str:
        return self.kind if self.id is None else f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str | None) -> Actor | None:
        """The actor as an event names it; None where it names none, or one that we do not know."""
        shape = _SHAPE(text) if text else None
        return None if shape is None else cls(cast("Kind", shape.group(1)), shape.group(2))


CLOCK: Final = Actor("clock")
#: Whoever types the city's own commands; the machine knows who that is, we do not.
SHELL: Final = Actor("operator")
