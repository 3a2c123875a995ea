"""What a procedure costs and takes, and what was declared, in the language of the page.

On papers of state the same is written by services/intake/domain/papers/words.py, in Vietnamese.
"""

from __future__ import annotations

from typing import Any

from services.intake.domain.dossier import CHANNELS_VI
from services.intake.domain.papers import words
from shared.catalogue import FormField, OtherTime, Procedure
from shared.web.filters import vn_money, vn_number
from shared.web.words import gettext


def legal_time(procedure: Procedure) -> str:
    """The legal time, `5 ngày làm việc`, and for whom it is another."""
    usual = words.duration(procedure.duration, gettext)
    others = "; ".join(_other_time(other, procedure) for other in procedure.other_times)
    return f"{usual} ({others})" if others else usual


def _other_time(other: OtherTime, procedure: Procedure) -> str:
    branches = {branch.code: branch.name for branch in procedure.branches}
    whose = (
        gettext(CHANNELS_VI[other.channel]) if other.channel else "",
        other.value or "",
        branches.get(other.branch or "", ""),
    )
    return f"{', '.join(filter(None, whose))}: {words.duration(other.time, gettext)}"


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
