"""What routing tells of a dossier, applied at its desk; each verb returns a note if it came too late.

Times are those of the facts, not of their arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.intake.domain import progress
from services.intake.domain.dossier import Dossier, Extension, Standstill, Wait
from services.intake.domain.facts import Because, DeadlineStated
from services.intake.domain.patience import planned
from services.intake.domain.progress import TooLate
from services.intake.storage.dossiers import Dossiers
from services.intake.usecases.desk import patience_of, procedure_of, rules_of
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.kernel.errors import ParkNow


def warm(uow: UnitOfWork, codes: Iterable[str]) -> None:
    """Load the dossiers of a whole batch in one query."""
    uow.get(Dossiers).warm(codes)


def start(uow: UnitOfWork, code: str) -> TooLate | None:
    """The agencies have begun."""
    return _keep(uow, progress.started(_load(uow, code)))


def ask_for_papers(
    uow: UnitOfWork,
    catalogue: Catalogue,
    code: str,
    *,
    round_: int,
    step: str | None,
    agency: str,
    items: Sequence[str],
    reason: str,
    respond_by: datetime | None,
    at: datetime,
) -> TooLate | None:
    """An agency asks the citizen for papers; the clock stops."""
    dossier = _load(uow, code)
    wait = Wait(
        kind="supplement",
        asked_by="routing",
        asked_at=at,
        stops_clock=True,
        round=round_,
        step=step,
        agency=agency,
        items=tuple(items),
        reason=reason,
        respond_by=respond_by,
    )
    wait = planned(wait, at, patience_of(catalogue, dossier, at))
    return _keep(uow, progress.asked(dossier, wait, rules_of(catalogue, dossier)))


def ask_for_payment(
    uow: UnitOfWork,
    catalogue: Catalogue,
    code: str,
    *,
    step: str,
    agency: str,
    amount_vnd: int | None,
    reference: str,
    at: datetime,
) -> TooLate | None:
    """An agency asks for money; the clock stops where the procedure's step says so."""
    dossier = _load(uow, code)
    known = procedure_of(catalogue, dossier).step(step)
    wait = Wait(
        kind="payment",
        asked_by="routing",
        asked_at=at,
        stops_clock=known is None or known.pauses_clock,
        step=step,
        agency=agency,
        reference=reference,
        amount_vnd=amount_vnd,
    )
    return _keep(uow, progress.asked(dossier, wait, rules_of(catalogue, dossier)))


def drop_request(
    uow: UnitOfWork, catalogue: Catalogue, code: str, *, round_: int, reason: str, at: datetime
) -> TooLate | None:
    """Nobody waits for the papers of that round any more; answers with the date that follows."""
    dossier = _load(uow, code)
    rules = rules_of(catalogue, dossier)
    outcome = progress.request_dropped(dossier, round_, at, rules, reason=reason)
    return _keep(uow, outcome, because="supplement_dropped")


def stop_clock(uow: UnitOfWork, code: str, standstill: Standstill) -> TooLate | None:
    """A step that the law does not count has begun."""
    return _keep(uow, progress.clock_stopped(_load(uow, code), standstill))


def resume_clock(
    uow: UnitOfWork, catalogue: Catalogue, code: str, *, at: datetime
) -> TooLate | None:
    """The last such step has ended; answers with the date that follows."""
    dossier = _load(uow, code)
    outcome = progress.clock_resumed(dossier, at, rules_of(catalogue, dossier))
    return _keep(uow, outcome, because="clock_resumed")


def stop(
    uow: UnitOfWork,
    catalogue: Catalogue,
    code: str,
    *,
    reason: str,
    next_step: str | None,
    at: datetime,
) -> TooLate | None:
    """The agencies cannot go on."""
    dossier = _load(uow, code)
    rules = rules_of(catalogue, dossier)
    return _keep(uow, progress.stopped(dossier, at, rules, reason=reason, next_step=next_step))


def resolve(
    uow: UnitOfWork,
    catalogue: Catalogue,
    code: str,
    *,
    results: Sequence[Mapping[str, Any]],
    at: datetime,
) -> TooLate | None:
    """Every branch has its result."""
    dossier = _load(uow, code)
    return _keep(uow, progress.resolved(dossier, at, rules_of(catalogue, dossier), results))


def extend(uow: UnitOfWork, code: str, extension: Extension) -> TooLate | None:
    """An agency apologises and names a new date; stated anew, so that the last word is intake's."""
    outcome = progress.extended(_load(uow, code), extension)
    return _keep(uow, outcome, because="extended")


def _load(uow: UnitOfWork, code: str) -> Dossier:
    dossier = uow.get(Dossiers).find(code)
    if dossier is None:
        raise ParkNow(
            "a fact names a dossier that was never filed here",
            vi="Bản tin nói về một hồ sơ chưa từng được nộp ở đây.",
        )
    return dossier


def _keep(
    uow: UnitOfWork, outcome: Dossier | TooLate, *, because: Because | None = None
) -> TooLate | None:
    if isinstance(outcome, TooLate):
        return outcome
    uow.get(Dossiers).save(outcome)
    if because is not None:
        uow.record(DeadlineStated(outcome, because, uow.now))
    return None
