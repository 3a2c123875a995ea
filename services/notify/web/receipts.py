"""The doors at which a gateway calls: what became of a text, and what a citizen wrote.

Proved to be the gateway's, or nothing. They stand only where a gateway is described that calls. What
it says is written down before it is thanked; the same again is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, request

from services.notify.channels.http import HttpChannel
from services.notify.channels.http.described import Receipts, Texts
from services.notify.channels.http.reading import is_proved, receipts_of, texts_of
from services.notify.usecases.hearing import keep
from services.notify.usecases.receiving import take_in
from shared.database import Store, UnitOfWork
from shared.identity.guard import checks_its_form, public
from shared.kernel.actor import Actor
from shared.log import get

D = TypeVar("D", Receipts, Texts)
_GATEWAY = Actor("service", "notify")
_log = get("notify.receipts")


def blueprint(store: Store, channels: Mapping[str, HttpChannel]) -> Blueprint:
    """`/tin-nhan/bien-nhan/<word>` and `/tin-nhan/den/<word>`, by the gateway's word in the setting."""
    blue = Blueprint("receipts", __name__, url_prefix="/tin-nhan")

    @blue.post("/bien-nhan/<string:word>")
    @blue.post("/bien-nhan/<string:word>/<string:path>")
    @public
    @checks_its_form
    def told(word: str, path: str = "") -> Response:
        channel = channels.get(word) or abort(404)
        return _heard(store, channel, channel.gateway.receipts, path, receipts_of, take_in)

    @blue.post("/den/<string:word>")
    @blue.post("/den/<string:word>/<string:path>")
    @public
    @checks_its_form
    def written(word: str, path: str = "") -> Response:
        channel = channels.get(word) or abort(404)
        return _heard(store, channel, channel.gateway.texts, path, texts_of, _keep)

    return blue


def _keep(uow: UnitOfWork, found: Any) -> Mapping[str, int]:
    return {"texts": keep(uow, found)}


def _heard(
    store: Store,
    channel: HttpChannel,
    described: D | None,
    path: str,
    read: Callable[[D, str, bytes], list[Any] | None],
    take: Callable[[UnitOfWork, Any], Mapping[str, int]],
) -> Response:
    """What is done with a call-back, and what the gateway is told."""
    if described is None:
        abort(404)
    body = request.get_data()
    header = request.headers.get(described.proof.header, "")
    if not is_proved(described.proof, channel.secrets, path, header, body):
        _log.warning("receipts.refused", channel=channel.name)
        abort(404)
    found = read(described, channel.name, body)
    if found is None:
        _log.warning("receipts.unreadable", channel=channel.name)
        abort(400)
    if found:
        with store.begin(_GATEWAY) as uow:
            done = take(uow, found)
        _log.info("receipts.heard", channel=channel.name, **done)
    return Response(described.answer, mimetype="text/plain")
