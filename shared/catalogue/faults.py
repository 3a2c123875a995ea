"""Faults of the catalogue while it is read and checked, and the words that mend them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from shared.kernel.errors import Fault


@dataclass(slots=True)
class Faults:
    """All that was found wrong so far; reading goes on so that one run tells everything."""

    found: list[Fault] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def add(self, place: str, *, en: str, vi: str) -> None:
        """Note one fault; both texts say what is wrong and how to mend it.

        What a later version only inherits stands at the same line and is told once.
        """
        line = place.rpartition(": ")[0] or place
        if (line, en) not in self._told:
            self._told.add((line, en))
            self.found.append(Fault(place=place, vi=vi, en=en))

    def __len__(self) -> int:
        return len(self.found)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, None when nothing is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return near[0] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> tuple[str, str]:
    """The mend in English and Vietnamese for a word that is not one of the known ones."""
    words = sorted(known)
    near = nearest(word, words)
    if near is not None:
        return f"did you mean '{near}'?", f"có phải là '{near}'?"
    listed = ", ".join(words) if words else "-"
    return f"use one of: {listed}", f"hãy dùng một trong: {listed}"
