"""The door at which a mail server hands over what came back to us, one mail at a time.

Proved by a signature over the body, as a gateway's receipts are. Thanked after the commit; the same
again is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from flask import Blueprint, Response, abort, request

from services.notify.channels.bounces import Reader
from services.notify.channels.http.described import Proof
from services.notify.channels.http.reading import is_proved
from services.notify.domain.bounces import Fate
from services.notify.usecases.bouncing import take_back
from shared.database import Store
from shared.identity.guard import checks_its_form, public
from shared.kernel.actor import Actor
from shared.kernel.errors import Fault, InvalidInput
from shared.log import get

#: The name of the secret, not the secret.
_NAME: Final = "bounces"
_PROOF: Final = Proof(by="hmac", secret=_NAME)
_ASIDE: Final = Fault(
    "",
    "Không đọc được báo cáo thư trả lại; hãy giữ thư này cho người xem.",
    "no report about a letter can be read in this; keep it for a person",
)
_RFC822: Final = "message/rfc822"
_REPORT: Final = "multipart/report"
_AGAIN_SECONDS: Final = "60"
_MAIL: Final = Actor("service", "notify")
_log = get("notify.bounces")


@dataclass(frozen=True, slots=True)
class Returns:
    """What such a door needs: the secret that the mail server shares, and who reads its mail."""

    secret: str = field(repr=False)
    reader: Reader


def blueprint(store: Store, returns: Returns) -> Blueprint:
    """`/tin-nhan/thu-tra-lai`."""
    blue = Blueprint("bounces", __name__, url_prefix="/tin-nhan")

    @blue.post("/thu-tra-lai")
    @public
    @checks_its_form
    def told() -> Response:
        body = request.get_data()
        header = request.headers.get(_PROOF.header, "")
        if not is_proved(_PROOF, {_NAME: returns.secret}, "", header, body):
            _log.warning("bounces.refused")
            abort(404)
        if request.mimetype not in (_RFC822, _REPORT):
            abort(415)
        found = returns.reader.read(_whole(body))
        with store.begin(_MAIL) as uow:
            fate = take_back(uow, found)
        _log.info("bounces.heard", channel="email.door", **{fate.value: 1})
        return _answer(fate)

    return blue


def _whole(body: bytes) -> bytes:
    """The mail; of a report alone its type stands in the request's head."""
    if request.mimetype != _REPORT:
        return body
    kind = request.headers["Content-Type"].encode("latin-1", "replace")
    return b"MIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n\r\n" + body


def _answer(fate: Fate) -> Response:
    if fate is Fate.LATER:
        return Response("later", 503, {"Retry-After": _AGAIN_SECONDS}, mimetype="text/plain")
    if fate is Fate.SET_ASIDE:
        raise InvalidInput([_ASIDE])
    return Response(fate.value, mimetype="text/plain")
