"""Filing a dossier over REST; every fault of the body is told at once, of its shape and contents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Response

from services.intake.domain.circumstances import procedure_of
from services.intake.domain.dossier import Dossier
from services.intake.domain.submission import together
from services.intake.usecases import look
from services.intake.usecases.similar import SimilarFound
from services.intake.usecases.submit import (
    faults_of,
    faults_of_supplement,
    submit,
    submit_beside,
)
from services.intake.usecases.unreached import unreached
from services.intake.web import views
from services.intake.web.api import body as bodies
from services.intake.web.api.answering import answer
from services.intake.web.api.routes import poster
from services.intake.web.api.schemas import SubmitSchema
from services.intake.web.deps import deps, own_office
from services.intake.web.views import Json
from shared.database import UnitOfWork
from shared.identity.guard import current
from shared.kernel.errors import Fault
from shared.web.api import Blueprint, linked

_ONE: Final = "/api/v1/dossiers/{code}"
#: What can be asked and done about the dossier that was filed.
_NEXT: Final = linked(
    201,
    "code",
    "$response.body#/code",
    *(f"get {_ONE}{rest}" for rest in ("", "/timeline", "/attachments")),
    *(
        f"post {_ONE}/{act}"
        for act in ("receive", "refuse", "correct", "contact", "request-supplement", "supplement",
                    "payment", "apologise", "withdraw", "return-result", "correct-waybill")
    ),
)  # fmt: skip


def routes(blp: Blueprint) -> None:
    """POST /dossiers."""

    @poster(blp, "/dossiers", SubmitSchema, status=201, also=of_submission, leads_to=_NEXT)
    def submit_dossier(body: dict[str, Any]) -> Response:
        """File a dossier; 201 means that it and its facts are on disk."""
        known = deps()
        command = bodies.submission(current().bound_to, body)
        check = body["check_similar"]
        seen = body["similar_seen"] if check == "ask" else None
        told: Json = {}

        def act(uow: UnitOfWork) -> Dossier:
            if lost := unreached(uow.connection, command.contact):
                told["unreached"] = [{"place": e.place, "since": views.at(e.since)} for e in lost]
            if check == "no":
                return submit(uow, known.catalogue, command)
            dossier, found = submit_beside(uow, known.catalogue, command, seen=seen)
            told["similar"] = views.similar(found, known.catalogue, dossier.office)
            return dossier

        try:
            return answer(act, 201, beside=told)
        except SimilarFound as found:
            found.extra = {"similar": views.similar(found.similar, known.catalogue, command.office)}
            raise


def of_submission(raw: Any, known: Sequence[Fault]) -> list[Fault]:
    """What the procedure says of a body whose shape is wrong in places."""
    city = deps()
    found = faults_of(city.around(), bodies.readable(own_office(), raw))
    uncounted = bodies.uncounted(bodies.mapping(raw).get("papers"))
    return together(known, found, uncounted=uncounted)


def of_supplement(raw: Any, known: Sequence[Fault], code: str) -> list[Fault]:
    """The same for what is brought later; NotFound for a dossier of another office."""
    city, body = deps(), bodies.mapping(raw)
    with city.store.read() as connection:
        dossier = look.one(connection, own_office(), code)
    found = faults_of_supplement(
        procedure_of(city.catalogue, dossier),
        dossier,
        bodies.readable_papers(body.get("papers")),
        bodies.mapping(body.get("form")),
        city.today(),
    )
    return together(known, found, uncounted=bodies.uncounted(body.get("papers")))
