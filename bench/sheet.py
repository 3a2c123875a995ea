"""What happened to which dossier when, kept small: a log must not be what a process grows by."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Sheet:
    """Lines of (dossier code, monotonic seconds), some 35 bytes each; cheap to send as it is."""

    _codes: bytearray = field(default_factory=bytearray)
    _ends: array[int] = field(default_factory=lambda: array("q"))
    _times: array[float] = field(default_factory=lambda: array("d"))

    def note(self, code: str, at: float) -> None:
        """Add a line; one thread at a time."""
        self._codes += code.encode()
        self._times.append(at)
        self._ends.append(len(self._codes))

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[tuple[str, float]]:
        begin = 0
        for end, at in zip(self._ends, self._times, strict=True):
            yield self._codes[begin:end].decode(), at
            begin = end

    def since(self, start: int) -> Sheet:
        """The lines from number `start` on."""
        found = Sheet()
        begin = self._ends[start - 1] if start else 0
        found._codes = self._codes[begin:]
        found._times = self._times[start:]
        found._ends = array("q", (end - begin for end in self._ends[start:]))
        return found
