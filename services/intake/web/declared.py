"""What a procedure costs and takes, and what was declared, in the language of the page.

On papers of state the same is written by services/intake/domain/papers/words.py, in Vietnamese.
"""

from __future__ import annotations

from typing import Any

from services.intake.domain.papers import words
from shared.catalogue import FormField, Procedure
from shared.web.filters import vn_money, vn_number
from shared.web.words import gettext


def legal_time(procedure: Procedure) -> str:
    """The legal time, `5 ngày làm việc`."""
    return words.duration(procedure, gettext)


def cost(procedure: Procedure) -> str:
    """What it costs."""
    return words.fee(procedure, gettext, vn_money)


def declared(value: Any, asked: FormField) -> str:
    """An answer of the declaration as people read it."""
    if isinstance(value, bool):
        return gettext("Có") if value else gettext("Không")
    if isinstance(value, int | float):
        return vn_number(value, asked.unit)
    return words.declared(asked, value)
