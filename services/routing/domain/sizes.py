"""How long an agency may write: as long as a person does, and no longer than its facts can carry.

A schema lets more through, since what was once written is read for ever. What is too long is
refused and the agency is told; it never becomes a fact that some reader could not take.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from services.routing.domain import refusals
from services.routing.domain.refusals import Refusal
from shared.events.agencies import Answer
from shared.events.types import WRITTEN_ITEM, WRITTEN_ITEMS, WRITTEN_TEXT

_UNITS: Final = 3  # bytes of a letter as JSON: Vietnamese has none with more

_size = msgspec.json.Encoder().encode


def overlong(answer: Answer) -> Refusal | None:
    """The refusal of the first field that is too long; None where all fit."""
    items: tuple[str, ...] = getattr(answer, "items", ())
    if len(items) > WRITTEN_ITEMS:
        return refusals.TOO_MANY_ITEMS.said(count=len(items), most=WRITTEN_ITEMS)
    texts = [(f"items.{n}", item, WRITTEN_ITEM) for n, item in enumerate(items)]
    texts.append(("reason", getattr(answer, "reason", None) or "", WRITTEN_TEXT))
    for place, text, most in texts:
        if (length := _length(text)) > most:
            return replace(refusals.TOO_LONG.said(length=length, most=most), place=place)
    return None


def _length(text: str) -> int:
    """Characters; those that take more room than a letter count as several."""
    return max(len(text), len(_size(text)) // _UNITS)
