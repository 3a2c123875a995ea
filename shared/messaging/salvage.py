"""What bytes that no reader can decode say of themselves: whose fact they are, and which number.

Only hints, for a person who decides: whoever sent them may have written anything.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_HEAD: Final = (
    4096  # attributes stand before the data; of a body that was too large no more is kept
)
_ATTRIBUTES: Final = {
    "source": re.compile(rb'"source"\s*:\s*"(/[A-Za-z0-9/._-]{1,199})"'),
    "subject": re.compile(rb'"subject"\s*:\s*"([A-Za-z0-9][A-Za-z0-9._:-]{0,119})"'),
    "sequence": re.compile(rb'"sequence"\s*:\s*"0*([1-9][0-9]{0,17})"'),
}


class Place(NamedTuple):
    """A fact's place among the others: the `sequence`-th that `source` stated about `subject`."""

    source: str
    subject: str
    sequence: int

    @property
    def stream(self) -> str:
        """The stream in which it is numbered."""
        return f"{self.source} {self.subject}"

    def __str__(self) -> str:
        return f"{self.stream} #{self.sequence}"


def place_in(body: bytes) -> Place | None:
    """The place that these bytes claim; None where they name none."""
    found = {name: pattern.search(body[:_HEAD]) for name, pattern in _ATTRIBUTES.items()}
    words = {name: match[1].decode() for name, match in found.items() if match is not None}
    if len(words) < len(found):
        return None
    return Place(words["source"], words["subject"], int(words["sequence"]))
