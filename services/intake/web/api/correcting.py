"""What the REST door takes of a correction."""

from __future__ import annotations

from marshmallow import fields, validate

from services.intake.domain.contacts import FIRST
from services.intake.web.api.schemas import FORM_WORDS, FormData, Text
from shared.web.schemas import Schema, StrictBool


class CorrectedContactSchema(Schema):
    """The parts of the contact that are wrong; what is left out stays."""

    name = Text(allow_none=True)
    phone = Text(allow_none=True)
    email = Text(allow_none=True)
    address = Text(allow_none=True)
    language = fields.String(validate=validate.OneOf(("vi", "en")))
    sms = StrictBool(metadata={"description": "consent to text messages"})
    mail = StrictBool(metadata={"description": "consent to e-mail"})
    first = fields.String(allow_none=True, validate=validate.OneOf(FIRST))
    rep_name = Text(
        allow_none=True, metadata={"description": "the representative; all empty: none"}
    )
    rep_phone = Text(allow_none=True)
    rep_email = Text(allow_none=True)
    rep_authority = Text(allow_none=True)


class CorrectSchema(Schema):
    """What the desk wrote down wrongly. Another's change since `version` was read: 409 with both."""

    version = Text(
        required=True, metadata={"description": "`version` of GET /dossiers/{code} as you saw it"}
    )
    reason = Text(load_default="", metadata={"description": "required"})
    form = FormData(
        load_default=dict, metadata={"description": f"The wrong fields alone. {FORM_WORDS}"}
    )
    contact = fields.Nested(CorrectedContactSchema, load_default=dict)
