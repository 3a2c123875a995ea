"""Writing over REST: file a dossier and everything a desk does with it afterwards.

Each write may carry an Idempotency-Key: the same request under it gets the same answer for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import marshmallow as ma
from flask import Response

from services.intake.domain.dossier import Dossier
from services.intake.usecases import desk
from services.intake.web.api import submit
from services.intake.web.api.answering import answer
from services.intake.web.api.body import contact_input, paper_counts, party_inputs
from services.intake.web.api.correcting import CorrectSchema
from services.intake.web.api.routes import poster
from services.intake.web.api.schemas import (
    ApologiseSchema,
    CalledSchema,
    CorrectWaybillSchema,
    ExtendSupplementSchema,
    GrantExtensionSchema,
    MendedContactSchema,
    PaymentSchema,
    ReceiveSchema,
    RefuseExtensionSchema,
    RefuseSchema,
    RequestSupplementSchema,
    ReturnSchema,
    SupplementSchema,
    WithdrawSchema,
)
from services.intake.web.deps import deps, must_be_allowed, own_office
from shared.web.api import Blueprint

Body = dict[str, Any]
Verb = Callable[..., Dossier]


def blueprint() -> Blueprint:
    """POST routes under /api/v1."""
    blp = Blueprint("write", __name__, url_prefix="/api/v1", description="Nộp và xử lý hồ sơ")
    submit.routes(blp)
    for name, (words, schema, verb) in ACTS.items():
        _route(blp, name, words, schema, verb)
    return blp


def _route(blp: Blueprint, name: str, words: str, schema: type[ma.Schema], verb: Verb) -> None:
    """POST /dossiers/<code>/<name>."""
    arguments, also = _ARGUMENTS.get(name, dict), _ALSO.get(name)

    def act(body: Body, code: str) -> Response:
        must_be_allowed(name)
        known, office, told = deps(), own_office(), arguments(body)
        return answer(lambda uow: verb(uow, known.catalogue, office, code, **told))

    act.__name__, act.__doc__ = name, words
    poster(blp, f"/dossiers/<string:code>/{name}", schema, also=also)(act)


def _received(body: Body) -> Body:
    return {"papers": None if body["papers"] is None else paper_counts(body["papers"])}


def _brought(body: Body) -> Body:
    papers = paper_counts(body["papers"])
    return {"papers": papers, "form": body["form"], "round_": body["round"]}


#: Name of the path -> what it does in words, its body, the verb.
ACTS: Final[Mapping[str, tuple[str, type[ma.Schema], Verb]]] = {
    "receive": (
        "Receive what was filed online or by post: the promised date is set.",
        ReceiveSchema,
        desk.receive,
    ),
    "refuse": (
        "Do not receive it, with a reason and a next step.",
        RefuseSchema,
        desk.refuse,
    ),
    "request-supplement": (
        "Ask for what is missing; after reception the clock stands until it is here.",
        RequestSupplementSchema,
        desk.request_supplement,
    ),
    "extend-supplement": (
        "Give more time for papers that this desk asked for; a later date only.",
        ExtendSupplementSchema,
        desk.extend_supplement,
    ),
    "supplement": (
        "Take in what the desk or an agency asked for: the clock runs again.",
        SupplementSchema,
        desk.supplement,
    ),
    "payment": (
        "Take down that the citizen has paid.",
        PaymentSchema,
        desk.pay,
    ),
    "withdraw": (
        "Give it back to the citizen, before there is a result.",
        WithdrawSchema,
        desk.withdraw,
    ),
    "contact": (
        "Mend how the citizen can be reached; messages from now on go there.",
        MendedContactSchema,
        desk.correct_contact,
    ),
    "correct": (
        "Put right what the desk wrote down wrongly, before an agency has answered.",
        CorrectSchema,
        desk.correct,
    ),
    "called": (
        "Take down that the citizen, whom no message reached, was called.",
        CalledSchema,
        desk.called,
    ),
    "grant-extension": (
        "Give an agency the time that it asks for; an act of the head.",
        GrantExtensionSchema,
        desk.grant_extension,
    ),
    "refuse-extension": (
        "Give an agency no more time, with the reason; an act of the head.",
        RefuseExtensionSchema,
        desk.refuse_extension,
    ),
    "correct-waybill": (
        "Put right the number of a parcel that went by post; the citizen is told.",
        CorrectWaybillSchema,
        desk.correct_waybill,
    ),
    "apologise": (
        "Apologise for a date that was missed and name a new one; an act of the head.",
        ApologiseSchema,
        desk.apologise,
    ),
    "return-result": (
        "Hand the result over.",
        ReturnSchema,
        desk.return_result,
    ),
}
#: How a body is told to the verb, where its names are not the verb's own.
_ARGUMENTS: Final[Mapping[str, Callable[[Body], Body]]] = {
    "receive": _received,
    "supplement": _brought,
    "contact": lambda body: {
        "typed": contact_input(body),
        "parties": party_inputs(body["parties"]),
    },
}
_ALSO: Final = {"supplement": submit.of_supplement}
