"""Writing over REST: file a dossier and everything a desk does with it afterwards.

Each write may carry an Idempotency-Key: the same request under it gets the same answer for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from services.intake.domain.contacts import ContactInput
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import PaperCount
from services.intake.domain.reception import SubmitDossier
from services.intake.usecases import desk
from services.intake.usecases.once import Answer, answer_once, digest
from services.intake.web import views
from services.intake.web.api.read import storable
from services.intake.web.api.routes import poster
from services.intake.web.api.schemas import (
    ContactSchema,
    ExtendSupplementSchema,
    PaymentSchema,
    ReceiveSchema,
    RefuseSchema,
    RequestSupplementSchema,
    ReturnSchema,
    SubmitSchema,
    SupplementSchema,
    WithdrawSchema,
)
from services.intake.web.deps import deps, own_office
from shared.store import UnitOfWork

Do = Callable[[UnitOfWork], Dossier]


def blueprint() -> Blueprint:
    """POST routes under /api/v1."""
    blp = Blueprint("write", __name__, url_prefix="/api/v1", description="Nộp và xử lý hồ sơ")
    _submit(blp)
    _reception(blp)
    _afterwards(blp)
    return blp


def _submit(blp: Blueprint) -> None:
    @poster(blp, "/dossiers", SubmitSchema, status=201)
    def submit(body: dict[str, Any]) -> Response:
        """File a dossier; 201 means that it and its facts are on disk."""
        command = submission(own_office(), body)
        return _answer(lambda uow: desk.submit(uow, deps().catalogue, command), 201)


def _reception(blp: Blueprint) -> None:
    @poster(blp, "/dossiers/<string:code>/receive", ReceiveSchema)
    def receive(body: dict[str, Any], code: str) -> Response:
        """Receive what was filed online or by post: the promised date is set."""
        papers = None if body["papers"] is None else paper_counts(body["papers"])
        known, office = deps(), own_office()
        return _answer(
            lambda uow: desk.receive(uow, known.catalogue, office, storable(code), papers=papers)
        )

    @poster(blp, "/dossiers/<string:code>/refuse", RefuseSchema)
    def refuse(body: dict[str, Any], code: str) -> Response:
        """Do not receive it, with a reason and a next step."""
        known, office = deps(), own_office()
        return _answer(
            lambda uow: desk.refuse(uow, known.catalogue, office, storable(code), **body)
        )

    @poster(blp, "/dossiers/<string:code>/request-supplement", RequestSupplementSchema)
    def request_supplement(body: dict[str, Any], code: str) -> Response:
        """Ask for what is missing, before reception."""
        known, office = deps(), own_office()
        return _answer(
            lambda uow: desk.request_supplement(
                uow, known.catalogue, office, storable(code), **body
            )
        )


    @poster(blp, "/dossiers/<string:code>/extend-supplement", ExtendSupplementSchema)
    def extend_supplement(body: dict[str, Any], code: str) -> Response:
        """Give more time for papers that this desk asked for; a later date only."""
        known, office = deps(), own_office()
        return _answer(
            lambda uow: desk.extend_supplement(uow, known.catalogue, office, storable(code), **body)
        )


def _afterwards(blp: Blueprint) -> None:
    @poster(blp, "/dossiers/<string:code>/supplement", SupplementSchema)
    def supplement(body: dict[str, Any], code: str) -> Response:
        """Take in what the desk or an agency asked for: the clock runs again."""
        known, office = deps(), own_office()
        return _answer(
            lambda uow: desk.supplement(
                uow,
                known.catalogue,
                office,
                storable(code),
                papers=paper_counts(body["papers"]),
                form=body["form"],
                round_=body["round"],
            )
        )

    @poster(blp, "/dossiers/<string:code>/payment", PaymentSchema)
    def payment(body: dict[str, Any], code: str) -> Response:
        """Take down that the citizen has paid."""
        known, office = deps(), own_office()
        return _answer(lambda uow: desk.pay(uow, known.catalogue, office, storable(code), **body))

    @poster(blp, "/dossiers/<string:code>/withdraw", WithdrawSchema)
    def withdraw(body: dict[str, Any], code: str) -> Response:
        """Give it back to the citizen, before there is a result."""
        known, office = deps(), own_office()
        return _answer(
            lambda uow: desk.withdraw(uow, known.catalogue, office, storable(code), **body)
        )

    @poster(blp, "/dossiers/<string:code>/contact", ContactSchema)
    def contact(body: dict[str, Any], code: str) -> Response:
        """Mend how the citizen can be reached; messages from now on go there."""
        office, typed = own_office(), contact_input(body)
        return _answer(lambda uow: desk.correct_contact(uow, office, storable(code), typed))

    @poster(blp, "/dossiers/<string:code>/return-result", ReturnSchema)
    def return_result(body: dict[str, Any], code: str) -> Response:
        """Hand the result over."""
        office = own_office()
        return _answer(lambda uow: desk.return_result(uow, office, storable(code), **body))


def submission(office: str, body: dict[str, Any]) -> SubmitDossier:
    """The command that a request body is."""
    return SubmitDossier(
        office=office,
        procedure=body["procedure"],
        channel=body["channel"],
        form=body["form"],
        papers=paper_counts(body["papers"]),
        branches=None if body["branches"] is None else tuple(body["branches"]),
        contact=contact_input(body["contact"]),
    )


def contact_input(contact: dict[str, Any]) -> ContactInput:
    """The contact of a request body."""
    consent = contact["consent"] or {"sms": False, "email": False}
    return ContactInput(
        name=contact["name"],
        phone=contact["phone"],
        email=contact["email"],
        language=contact["language"],
        sms=consent["sms"],
        mail=consent["email"],
    )


def paper_counts(papers: Sequence[dict[str, Any]]) -> tuple[PaperCount, ...]:
    """Papers of a request body."""
    return tuple(PaperCount(p["code"], p["original"], p["copy"], p["name"]) for p in papers)


def _answer(do: Do, status: int = 200) -> Response:
    known = deps()

    def act(uow: UnitOfWork) -> tuple[int, dict[str, Any]]:
        dossier = do(uow)
        return status, views.summary(dossier, known.catalogue, uow.now)

    given = answer_once(
        known.store,
        f"desk:{own_office()}",
        request.headers.get("Idempotency-Key"),
        digest(request.method, request.path, request.get_json()),
        act,
    )
    return as_response(given)


def as_response(given: Answer) -> Response:
    """An answer as it was kept, to the letter."""
    response = Response(given.body, given.status, content_type="application/json")
    if given.kept:
        response.headers["Idempotency-Replayed"] = "true"
    return response
