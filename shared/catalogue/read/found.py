"""A record together with the entry it was read from, so that later faults can name the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.catalogue.source import Entry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """`value` and where it stands; `parts` are the entries of its lists, e.g. "steps"."""

    value: T
    entry: Entry
    parts: dict[str, tuple[Entry, ...]]
