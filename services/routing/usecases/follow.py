"""What intake says about a dossier, taken into its journey.

Every verb returns None, or a note in Vietnamese when what came changed nothing (it came twice, or
too late); the note is kept beside the fact. What happens at the desk before reception, when there
is no case yet, is no business of routing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from services.routing.domain import words
from services.routing.domain.case import Case, Received
from services.routing.domain.journey import open_case, withdraw
from services.routing.domain.move import Change
from services.routing.domain.standstill import dated, desk_asked, paid, supplemented
from services.routing.storage.cases import Cases
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork


def keep(uow: UnitOfWork, change: Change) -> str | None:
    """Save a change and say what it came to; the note if it came to nothing."""
    if not change.changed:
        return change.note
    uow.get(Cases).put(change.case)
    for fact in change.facts:
        uow.record(fact)
    for order in change.orders:
        uow.record(order)
    return None


def warm(uow: UnitOfWork, dossiers: Iterable[str]) -> None:
    """Load the cases of a whole batch at once."""
    uow.get(Cases).warm(dossiers)


def receive(uow: UnitOfWork, rules: Rules, received: Received) -> str | None:
    """Open the journey of a received dossier; once only."""
    if uow.get(Cases).get(received.dossier) is not None:
        return words.ALREADY_OPEN
    setting = rules.for_received(received, uow.now, uow.ids.new)
    return keep(uow, open_case(received, setting, uow.now))


def supplement(
    uow: UnitOfWork,
    rules: Rules,
    dossier: str,
    *,
    form: Mapping[str, Any],
    papers: tuple[Mapping[str, Any], ...],
    due_at: datetime | None,
) -> str | None:
    """The citizen brought papers or data."""
    case = uow.get(Cases).get(dossier)
    if case is None:
        return None
    setting = rules.for_case(case, uow.now, uow.ids.new)
    change = supplemented(case, setting, uow.now, form=form, papers=papers, due_at=due_at)
    return keep(uow, change)


def pay(
    uow: UnitOfWork, rules: Rules, dossier: str, *, step: str, amount_vnd: int, due_at: datetime
) -> str | None:
    """The citizen paid what a payment step asked for."""
    case = uow.get(Cases).get(dossier)
    if case is None:
        return None
    setting = rules.for_case(case, uow.now, uow.ids.new)
    change = paid(case, setting, uow.now, step=step, amount_vnd=amount_vnd, due_at=due_at)
    return keep(uow, change)


def take_date(
    uow: UnitOfWork, rules: Rules, dossier: str, *, due_at: datetime, owed: bool
) -> str | None:
    """Intake stated the date in force anew; `owed` where that answers what routing told it."""
    case = uow.get(Cases).get(dossier)
    if case is None:
        return None
    setting = rules.for_case(case, uow.now, uow.ids.new)
    return keep(uow, dated(case, setting, uow.now, due_at=due_at, owed=owed))


def stand_still(
    uow: UnitOfWork, rules: Rules, dossier: str, *, round_number: int, respond_by: datetime | None
) -> str | None:
    """The desk asked the citizen for papers; before reception there is nothing to stop."""
    case = uow.get(Cases).get(dossier)
    if case is None:
        return None
    setting = rules.for_case(case, uow.now, uow.ids.new)
    return keep(uow, desk_asked(case, setting, round_number, respond_by, uow.now))


def give_up(uow: UnitOfWork, rules: Rules, dossier: str, *, reason: str) -> str | None:
    """The citizen withdrew the dossier."""
    case: Case | None = uow.get(Cases).get(dossier)
    if case is None:
        return None
    setting = rules.for_case(case, uow.now, uow.ids.new)
    return keep(uow, withdraw(case, setting, reason, uow.now))
