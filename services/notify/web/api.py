"""The REST door for operators: which messages a dossier led to, and sending one again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask.views import MethodView
from marshmallow import RAISE, fields, validate

from services.notify.domain.contacts import CHANNELS, masked
from services.notify.domain.messages import Message
from services.notify.domain.states import State
from services.notify.storage import queries
from services.notify.usecases.recalling import recall
from services.notify.usecases.resending import resend
from shared.database import Store
from shared.identity.audit import saw
from shared.identity.guard import current, require
from shared.kernel.clock import format_instant, parse_instant
from shared.kernel.errors import Fault, InvalidInput
from shared.web.api import Blueprint
from shared.web.schemas import Instant, QueryInt, Schema, StrictText


class MessageQuery(Schema):
    """Filters; `after` is `next` of the page before."""

    dossier = StrictText(longest=60)
    state = fields.String(validate=validate.OneOf([state.value for state in State]))
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    after = StrictText(longest=120)
    limit = QueryInt(load_default=50, validate=validate.Range(1, 200))


class MessageSchema(Schema):
    """A message without its text and with its address masked."""

    id = fields.String(required=True)
    dossier = fields.String(required=True)
    moment = fields.String(required=True)
    channel = fields.String(required=True, metadata={"description": "Empty without a contact"})
    state = fields.String(required=True, validate=validate.OneOf([s.value for s in State]))
    recipient = fields.String(required=True, metadata={"description": "Masked"})
    language = fields.String(required=True)
    encoding = fields.String(required=True)
    parts = fields.Integer(required=True, metadata={"description": "SMS segments"})
    template_version = fields.String(
        required=True, metadata={"description": "Of the words; empty where none was used"}
    )
    tries = fields.Integer(required=True)
    reason = fields.String(required=True, allow_none=True)
    provider = fields.String(
        required=True, metadata={"description": "Who was given it last; empty before"}
    )
    made_at = Instant(required=True)
    delivered_at = Instant(
        required=True, allow_none=True, metadata={"description": "As a receipt says"}
    )
    sent_at = Instant(required=True, allow_none=True)
    next_at = Instant(required=True, allow_none=True)


class MessagePage(Schema):
    """Newest first; `next` is null on the last page."""

    messages = fields.List(fields.Nested(MessageSchema), required=True)
    next = fields.String(required=True, allow_none=True)


def shown(message: Message) -> dict[str, Any]:
    """A message as operators see it."""
    return {
        "id": message.id,
        "dossier": message.dossier,
        "moment": message.moment,
        "channel": message.channel,
        "state": message.state.value,
        "recipient": masked(message.channel, message.to) if message.to else "",
        "language": message.language,
        "encoding": message.encoding,
        "parts": message.parts,
        "template_version": message.template_version,
        "tries": message.tries,
        "reason": message.reason,
        "provider": message.provider,
        "made_at": message.made_at,
        "delivered_at": message.delivered_at,
        "sent_at": message.sent_at,
        "next_at": message.next_at,
    }


def bookmark(message: Message) -> str:
    """Where the page after this message begins."""
    return f"{format_instant(message.made_at)}~{message.id}"


def read_bookmark(text: str) -> tuple[datetime, str]:
    """The place that `bookmark` wrote; InvalidInput for anything else."""
    at, mark, message_id = text.partition("~")
    try:
        if mark and message_id:
            return parse_instant(at), message_id
    except ValueError:
        pass
    fault = Fault("after", "Vị trí trang không đúng.", "not a place that a page before named")
    raise InvalidInput([fault])


def blueprint(store: Store) -> Blueprint:
    """The routes under /api/v1/messages."""
    blue = Blueprint(
        "messages", __name__, url_prefix="/api/v1/messages", description="Messages to citizens"
    )
    _list(blue, store)
    _one(blue, store)
    _send_again(blue, store)
    _take_back(blue, store)
    return blue


def _list(blue: Blueprint, store: Store) -> None:
    @blue.route("")
    class Messages(MethodView):
        """All messages."""

        @require("operator")
        @blue.arguments(MessageQuery, location="query", unknown=RAISE)  # type: ignore[untyped-decorator]
        @blue.response(200, MessagePage)  # type: ignore[untyped-decorator]
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """List messages, newest first."""
            search = queries.Search(
                states=(query["state"],) if "state" in query else (),
                channel=query.get("channel"),
                dossier=query.get("dossier"),
                before=read_bookmark(query["after"]) if "after" in query else None,
                limit=query["limit"] + 1,
            )
            with store.read() as connection:
                found = queries.find(connection, search)
            page = found[: query["limit"]]
            saw(message.dossier for message in page)
            more = len(found) > len(page)
            return {
                "messages": [shown(message) for message in page],
                "next": bookmark(page[-1]) if more else None,
            }


def _one(blue: Blueprint, store: Store) -> None:
    @blue.route("/<string:message_id>")
    class OneMessage(MethodView):
        """One message."""

        @require("operator")
        @blue.response(200, MessageSchema)  # type: ignore[untyped-decorator]
        @blue.alt_response(404, description="There is no such message")  # type: ignore[untyped-decorator]
        def get(self, message_id: str) -> dict[str, Any]:
            """Show one message."""
            with store.read() as connection:
                message = queries.one(connection, message_id)
            saw([message.dossier])
            return shown(message)


def _send_again(blue: Blueprint, store: Store) -> None:
    @blue.route("/<string:message_id>/resend")
    class Resending(MethodView):
        """Sending again."""

        @require("operator")
        @blue.response(202, MessageSchema)  # type: ignore[untyped-decorator]
        @blue.alt_response(404, description="There is no such message")  # type: ignore[untyped-decorator]
        @blue.alt_response(409, description="Sent, on its way, or without an address")  # type: ignore[untyped-decorator]
        def post(self, message_id: str) -> dict[str, Any]:
            """Queue an uncertain, failed or undeliverable message again."""
            with store.begin(current().actor) as uow:
                return shown(resend(uow, message_id))


def _take_back(blue: Blueprint, store: Store) -> None:
    @blue.route("/<string:message_id>/recall")
    class Recalling(MethodView):
        """Taking back."""

        @require("operator")
        @blue.response(200, MessageSchema)  # type: ignore[untyped-decorator]
        @blue.alt_response(404, description="There is no such message")  # type: ignore[untyped-decorator]
        @blue.alt_response(409, description="It has gone, is on its way, or had its end")  # type: ignore[untyped-decorator]
        def post(self, message_id: str) -> dict[str, Any]:
            """Take back a message that has not gone, and the ways behind it."""
            with store.begin(current().actor) as uow:
                return shown(recall(uow, message_id))
