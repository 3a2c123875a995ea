"""The door at which a gateway says what became of a text: proved to be the gateway's, or nothing.

It stands only where a gateway is described that calls back. What it says is written down before it
is thanked; the same again is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, request

from services.notify.channels.http import HttpChannel
from services.notify.channels.http.reading import is_proved, receipts_of
from services.notify.usecases.receiving import take_in
from shared.database import Store
from shared.identity.guard import checks_its_form, public
from shared.kernel.actor import Actor
from shared.log import get

_GATEWAY = Actor("service", "notify")
_log = get("notify.receipts")


def blueprint(store: Store, channels: Mapping[str, HttpChannel]) -> Blueprint:
    """`/tin-nhan/bien-nhan/<word>` for each of these, by the word that the setting has for it."""
    blue = Blueprint("receipts", __name__, url_prefix="/tin-nhan/bien-nhan")

    @blue.post("/<string:word>")
    @blue.post("/<string:word>/<string:path>")
    @public
    @checks_its_form
    def told(word: str, path: str = "") -> Response:
        channel = channels.get(word)
        described = channel.gateway.receipts if channel else None
        if channel is None or described is None:
            abort(404)
        body = request.get_data()
        header = request.headers.get(described.proof.header, "")
        if not is_proved(described, channel.secrets, path, header, body):
            _log.warning("receipts.refused", channel=channel.name)
            abort(404)
        found = receipts_of(described, channel.name, body)
        if found is None:
            _log.warning("receipts.unreadable", channel=channel.name)
            abort(400)
        if found:
            with store.begin(_GATEWAY) as uow:
                done = take_in(uow, found)
            _log.info("receipts.heard", channel=channel.name, **done)
        return Response(described.answer, mimetype="text/plain")

    return blue
