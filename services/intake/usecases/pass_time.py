"""What time alone brings about: reminders, and requests for papers that nobody answered."""

from __future__ import annotations

from typing import Final

from services.intake.domain import patience
from services.intake.domain.dossier import Dossier
from services.intake.storage.alarms import due_dossiers, put_off
from services.intake.storage.dossiers import Dossiers
from services.intake.usecases.desk import procedure_of
from shared import log
from shared.catalogue import Catalogue, PapersRule
from shared.database import UnitOfWork
from shared.kernel.clock import to_vn
from shared.kernel.errors import NotFound, Refused

BATCH: Final = 100
_log = log.get("intake")


def pass_time(uow: UnitOfWork, catalogue: Catalogue) -> int:
    """Take in what has fallen due by now for up to `BATCH` dossiers; returns how many.

    The dossiers are locked before they are judged, so of several processes one acts and the others
    find nothing left to do. One that cannot be judged is put off and told in the log.
    """
    due = due_dossiers(uow.connection, uow.now, BATCH)
    dossiers = uow.get(Dossiers)
    dossiers.warm(due)
    for code in due:
        dossier = dossiers.find(code)
        if dossier is None:
            continue
        try:
            after, facts = _after(uow, catalogue, dossier)
        except Refused as trouble:
            _log.error("intake.due_put_off", dossier=code, reason=str(trouble))
            put_off(uow.connection, code, uow.now)
            continue
        dossiers.save(after)
        for fact in facts:
            uow.record(fact)
    return len(due)


def _after(uow: UnitOfWork, catalogue: Catalogue, dossier: Dossier) -> patience.Outcome:
    return patience.pass_time(
        dossier,
        procedure_of(catalogue, dossier),
        catalogue.agency(dossier.office),
        _rule(uow, catalogue, dossier),
        {wait.agency: _name(catalogue, wait.agency) for wait in dossier.open_waits if wait.agency},
        uow.now,
    )


def _rule(uow: UnitOfWork, catalogue: Catalogue, dossier: Dossier) -> PapersRule | None:
    lapsed = patience.lapsing(dossier, uow.now)
    if lapsed is None:
        return None
    rule = catalogue.papers_rule(to_vn(lapsed.asked_at).date())
    if rule is None:
        raise NotFound("the rule under which papers were asked for is gone from the catalogue")
    return rule


def _name(catalogue: Catalogue, code: str) -> str:
    try:
        return catalogue.agency(code).name
    except NotFound:  # a dossier outlives the agencies of the catalogue
        return code
