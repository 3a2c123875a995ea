"""Writing over REST: file a dossier and everything a desk does with it afterwards.

Each write may carry an Idempotency-Key: the same request under it gets the same answer for ever.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from services.intake.usecases import desk
from services.intake.web.api import submit
from services.intake.web.api.answering import answer
from services.intake.web.api.body import contact_input, paper_counts
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
    SupplementSchema,
    WithdrawSchema,
)
from services.intake.web.deps import deps, own_office


def blueprint() -> Blueprint:
    """POST routes under /api/v1."""
    blp = Blueprint("write", __name__, url_prefix="/api/v1", description="Nộp và xử lý hồ sơ")
    submit.routes(blp)
    _reception(blp)
    _afterwards(blp)
    return blp


def _reception(blp: Blueprint) -> None:
    @poster(blp, "/dossiers/<string:code>/receive", ReceiveSchema)
    def receive(body: dict[str, Any], code: str) -> Response:
        """Receive what was filed online or by post: the promised date is set."""
        papers = None if body["papers"] is None else paper_counts(body["papers"])
        known, office = deps(), own_office()
        return answer(
            lambda uow: desk.receive(uow, known.catalogue, office, storable(code), papers=papers)
        )

    @poster(blp, "/dossiers/<string:code>/refuse", RefuseSchema)
    def refuse(body: dict[str, Any], code: str) -> Response:
        """Do not receive it, with a reason and a next step."""
        known, office = deps(), own_office()
        return answer(lambda uow: desk.refuse(uow, known.catalogue, office, storable(code), **body))

    @poster(blp, "/dossiers/<string:code>/request-supplement", RequestSupplementSchema)
    def request_supplement(body: dict[str, Any], code: str) -> Response:
        """Ask for what is missing, before reception."""
        known, office = deps(), own_office()
        return answer(
            lambda uow: desk.request_supplement(
                uow, known.catalogue, office, storable(code), **body
            )
        )

    @poster(blp, "/dossiers/<string:code>/extend-supplement", ExtendSupplementSchema)
    def extend_supplement(body: dict[str, Any], code: str) -> Response:
        """Give more time for papers that this desk asked for; a later date only."""
        known, office = deps(), own_office()
        return answer(
            lambda uow: desk.extend_supplement(uow, known.catalogue, office, storable(code), **body)
        )


def _afterwards(blp: Blueprint) -> None:
    @poster(blp, "/dossiers/<string:code>/supplement", SupplementSchema, also=submit.of_supplement)
    def supplement(body: dict[str, Any], code: str) -> Response:
        """Take in what the desk or an agency asked for: the clock runs again."""
        known, office = deps(), own_office()
        return answer(
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
        return answer(lambda uow: desk.pay(uow, known.catalogue, office, storable(code), **body))

    @poster(blp, "/dossiers/<string:code>/withdraw", WithdrawSchema)
    def withdraw(body: dict[str, Any], code: str) -> Response:
        """Give it back to the citizen, before there is a result."""
        known, office = deps(), own_office()
        return answer(
            lambda uow: desk.withdraw(uow, known.catalogue, office, storable(code), **body)
        )

    @poster(blp, "/dossiers/<string:code>/contact", ContactSchema)
    def contact(body: dict[str, Any], code: str) -> Response:
        """Mend how the citizen can be reached; messages from now on go there."""
        known, office, typed = deps(), own_office(), contact_input(body)
        return answer(
            lambda uow: desk.correct_contact(uow, known.catalogue, office, storable(code), typed)
        )

    @poster(blp, "/dossiers/<string:code>/return-result", ReturnSchema)
    def return_result(body: dict[str, Any], code: str) -> Response:
        """Hand the result over."""
        known, office = deps(), own_office()
        return answer(
            lambda uow: desk.return_result(uow, known.catalogue, office, storable(code), **body)
        )
