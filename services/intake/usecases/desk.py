"""The desk's verbs. Each runs inside the caller's unit of work and returns the dossier afterwards.

What a verb does is decided by the domain function that it names; a dossier of another office is
NotFound, as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from services.intake.domain import (
    apologies,
    calling,
    citizen,
    correcting,
    expiry,
    extensions,
    reception,
    returning,
)
from services.intake.domain.circumstances import Circumstances
from services.intake.domain.dossier import Dossier
from services.intake.storage import postings
from services.intake.storage.dossiers import Dossiers
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.events.decision import Decision
from shared.messaging.handling import keep

P = ParamSpec("P")


def _verb(
    decide: Callable[Concatenate[Dossier, Circumstances, P], Decision[Dossier]],
) -> Callable[Concatenate[UnitOfWork, Catalogue, str, str, P], Dossier]:
    """Load the office's dossier, decide, save, record."""

    @wraps(decide)
    def act(
        uow: UnitOfWork,
        catalogue: Catalogue,
        office: str,
        code: str,
        /,
        *told: P.args,
        **named: P.kwargs,
    ) -> Dossier:
        dossiers = uow.get(Dossiers)
        dossier = dossiers.of_office(code, office)
        keep(uow, dossiers, decide(dossier, Circumstances(catalogue, uow.now), *told, **named))
        return dossiers.of_office(code, office)

    return act


receive: Final = _verb(reception.receive)
refuse: Final = _verb(reception.refuse)
request_supplement: Final = _verb(reception.request_supplement)
extend_supplement: Final = _verb(expiry.extend_supplement)
supplement: Final = _verb(citizen.supplement)
pay: Final = _verb(citizen.pay)
withdraw: Final = _verb(citizen.withdraw)
correct_contact: Final = _verb(citizen.correct_contact)
correct: Final = _verb(correcting.correct)
called: Final = _verb(calling.called)
grant_extension: Final = _verb(extensions.grant)
refuse_extension: Final = _verb(extensions.refuse)
apologise: Final = _verb(apologies.apologise)
_hand_over: Final = _verb(returning.return_result)
_correct_waybill: Final = _verb(returning.correct_waybill)


def return_result(
    uow: UnitOfWork, catalogue: Catalogue, office: str, code: str, /, **told: Any
) -> Dossier:
    """Hand results over; what goes by post is put on the day's list for the post office."""
    dossier = _hand_over(uow, catalogue, office, code, **told)
    if dossier.handed[-1].method == "post":
        postings.note(uow.connection, dossier)
    return dossier


def correct_waybill(
    uow: UnitOfWork, catalogue: Catalogue, office: str, code: str, /, **told: Any
) -> Dossier:
    """Mend what was written of a parcel, here and in the list of its day."""
    dossier = _correct_waybill(uow, catalogue, office, code, **told)
    postings.note(uow.connection, dossier)
    return dossier
