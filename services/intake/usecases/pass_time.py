"""What time alone brings about: reminders, and requests for papers that nobody answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from services.intake.domain import expiry
from services.intake.domain.circumstances import Circumstances
from services.intake.storage.alarms import due_dossiers
from services.intake.storage.dossiers import Dossiers
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.messaging.handling import keep

BATCH: Final = 100


def due(uow: UnitOfWork, put_off: Collection[str]) -> list[str]:
    """Up to `BATCH` dossiers for which something has fallen due by now, without those put off."""
    return due_dossiers(uow.connection, uow.now, BATCH, put_off)


def pass_time(uow: UnitOfWork, codes: Sequence[str], catalogue: Catalogue) -> int:
    """Take in what has fallen due for these dossiers; returns how many they are.

    The dossiers are locked before they are judged, so of several processes one acts and the others
    find nothing left to do. Whatever is raised for one that cannot be judged is raised: who called
    tries the others without it.
    """
    around = Circumstances(catalogue, uow.now)
    dossiers = uow.get(Dossiers)
    dossiers.load(codes)
    for code in codes:
        dossier = dossiers.get(code)
        if dossier is not None:
            keep(uow, dossiers, expiry.pass_time(dossier, around))
    return len(codes)
