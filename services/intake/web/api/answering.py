"""How a write over REST is carried out: once per Idempotency-Key, and answered to the letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from services.intake.domain.dossier import Dossier
from services.intake.usecases.once import Answer, answer_once, digest
from services.intake.web import views
from services.intake.web.deps import deps
from shared.database import UnitOfWork
from shared.identity.audit import saw
from shared.identity.guard import current

Do = Callable[[UnitOfWork], Dossier]


def answer(do: Do, status: int = 200, *, beside: Mapping[str, Any] | None = None) -> Response:
    """Do it in a unit of work and answer with a summary, or give the answer kept.

    `beside` is what the answer holds beside it, as `do` has left it.
    """
    known = deps()

    def act(uow: UnitOfWork) -> tuple[int, dict[str, Any]]:
        dossier = do(uow)
        saw([dossier.code])
        return status, {**views.summary(dossier, known.catalogue, uow.now), **(beside or {})}

    given = answer_once(
        known.store,
        f"desk:{current().bound_to}",
        request.headers.get("Idempotency-Key"),
        digest(request.method, request.path, request.get_json()),
        act,
        actor=current().actor,
    )
    return as_response(given)


def as_response(given: Answer) -> Response:
    """An answer as it was kept, to the letter."""
    response = Response(given.body, given.status, content_type="application/json")
    if given.kept:
        response.headers["Idempotency-Replayed"] = "true"
    return response
