"""What time alone brings about: reminders, and requests for papers that nobody answered."""

from __future__ import annotations

from typing import Final

from services.intake.domain import expiry
from services.intake.domain.circumstances import Circumstances
from services.intake.storage.alarms import due_dossiers, put_off
from services.intake.storage.dossiers import Dossiers
from shared import log
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.kernel.errors import Refused
from shared.messaging.handling import keep

BATCH: Final = 100
_log = log.get("intake")


def pass_time(uow: UnitOfWork, catalogue: Catalogue) -> int:
    """Take in what has fallen due by now for up to `BATCH` dossiers; returns how many.

    The dossiers are locked before they are judged, so of several processes one acts and the others
    find nothing left to do. One that cannot be judged is put off and told in the log.
    """
    due = due_dossiers(uow.connection, uow.now, BATCH)
    around = Circumstances(catalogue, uow.now)
    dossiers = uow.get(Dossiers)
    dossiers.load(due)
    for code in due:
        dossier = dossiers.get(code)
        if dossier is None:
            continue
        try:
            decision = expiry.pass_time(dossier, around)
        except Refused as error:
            _log.error("intake.due_put_off", dossier=code, reason=str(error))
            put_off(uow.connection, code, uow.now)
            continue
        keep(uow, dossiers, decision)
    return len(due)
