"""The public look-up for programs: a dossier by its code and look-up word, as on the page.

The same limits, the same answer for a wrong code and a wrong word, and no personal data.
"""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView
from marshmallow import fields

from services.intake.domain.circumstances import told_date
from services.intake.domain.statuses import Status
from services.intake.usecases import look
from services.intake.web.deps import deps
from services.intake.web.pages.lookup import DOOR, count_try
from shared.identity.audit import saw
from shared.identity.callers import place_of
from shared.identity.guard import guard_of, public
from shared.kernel.errors import NotFound
from shared.log import get
from shared.web.api import Blueprint
from shared.web.schemas import Instant, Schema, StrictText

_log = get("web")


class LookUpSchema(Schema):
    """What stands on the appointment paper."""

    code = StrictText(required=True, longest=100)
    word = StrictText(required=True, longest=100)


class FoundSchema(Schema):
    """Where the dossier stands; nothing of its citizen but the language in which they are told."""

    code = fields.String(required=True)
    status = fields.Integer(required=True, metadata={"description": "Official number, 1 to 10"})
    status_vi = fields.String(required=True, metadata={"description": "Its official name"})
    status_en = fields.String(required=True)
    due_at = Instant(required=True, allow_none=True, metadata={"description": "As it was told"})
    hotline = fields.String(required=True)
    language = fields.String(required=True)


def blueprint() -> Blueprint:
    """POST /api/v1/look-up."""
    blue = Blueprint("lookup-api", __name__, url_prefix="/api/v1", description="Tra cứu công khai")

    @blue.route("/look-up")
    class LookUp(MethodView):
        """For everybody who has code and look-up word."""

        @public
        @blue.doc(security=[])  # type: ignore[untyped-decorator]
        @blue.arguments(LookUpSchema)  # type: ignore[untyped-decorator]
        @blue.response(200, FoundSchema)  # type: ignore[untyped-decorator]
        @blue.alt_response(404, description="No dossier has this code and word")  # type: ignore[untyped-decorator]
        @blue.alt_response(429, description="Tried too often")  # type: ignore[untyped-decorator]
        def post(self, asked: dict[str, Any]) -> dict[str, Any]:
            """Say where a dossier stands."""
            return _find(asked["code"], asked["word"])

    return blue


def _find(code: str, word: str) -> dict[str, Any]:
    known = deps()
    count_try(code)
    try:
        with known.store.read() as connection:
            dossier = look.for_citizen(connection, code, word)
    except NotFound:
        guard_of().metrics.tried(DOOR, "not_found")
        _log.info("web.look_up_refused", place=place_of(request.remote_addr))
        raise
    saw([dossier.code])
    guard_of().metrics.tried(DOOR, "found")
    runs = dossier.status in (Status.RECEIVED, Status.PROCESSING) and dossier.paused_since is None
    dated = runs and not dossier.overdue(known.now())
    return {
        "code": dossier.code,
        "status": int(dossier.status),
        "status_vi": dossier.status.vi,
        "status_en": dossier.status.en,
        "due_at": told_date(known.catalogue, dossier) if dated else None,
        "hotline": known.catalogue.agency(dossier.office).hotline,
        "language": dossier.contact.language,
    }
