"""The page at which a citizen ends e-mails, by the address in a letter's head; open to its holder.

Looking at it does nothing: mail programs and scanners fetch addresses by themselves. What is posted
acts at once, from the page or by the one click of RFC 8058. It shows nothing of the citizen. Of a
letter whose address was erased it says that, and there is nothing to end.
"""

from __future__ import annotations

from flask import Blueprint, abort, current_app, render_template, request
from werkzeug.wrappers import Response

from services.notify.channels.unsubscribing import PATH, Unsubscribing
from services.notify.domain.contacts import EMAIL
from services.notify.domain.messages import Message
from services.notify.storage import queries, stops
from services.notify.usecases.stopping import start, stop
from shared.database import Store
from shared.identity.guard import checks_its_form, public
from shared.identity.limits import limited
from shared.kernel.actor import Actor
from shared.kernel.errors import NotFound
from shared.web.words import msgid

#: Nobody is shown doors that do not open.
_NAVIGATION = (("/tra-cuu", msgid("Tra cứu")),)
_CITIZEN = Actor("citizen", "letter")
#: One phone network may stand behind one address; a scanner fetches many.
_LIMIT = limited("end-mail", times=60, seconds=60.0)


def blueprint(store: Store) -> Blueprint:
    """`/tin-nhan/ngung/<token>`."""
    blue = Blueprint("ending", __name__, url_prefix=PATH, template_folder="templates")

    @blue.get("/<string:token>")
    @public
    @_LIMIT
    def ask(token: str) -> str:
        return _page(store, _letter(store, token))

    @blue.post("/<string:token>")
    @public
    @checks_its_form  # whoever holds the address may do it, whatever page they come from
    @_LIMIT
    def act(token: str) -> str | Response:
        letter = _letter(store, token)
        if not letter.to:
            return _page(store, letter)
        with store.begin(_CITIZEN) as uow:
            if request.form.get("order") == "start":
                start(uow, EMAIL, letter.to)
            else:
                stop(uow, EMAIL, letter.to, EMAIL, letter.dossier)
        return _page(store, letter, done=True)

    return blue


def _letter(store: Store, token: str) -> Message:
    """The letter whose address it is; 404 for any other."""
    signed = Unsubscribing("", str(current_app.config["SECRET_KEY"])).letter(token)
    try:
        with store.read() as connection:
            letter = queries.one(connection, signed or "")
    except NotFound:
        abort(404)
    if letter.channel != EMAIL or not letter.is_citizens:
        abort(404)
    return letter


def _page(store: Store, letter: Message, *, done: bool = False) -> str:
    with store.read() as connection:
        stopped = bool(letter.to) and stops.is_stopped(connection, letter.to)
    return render_template(
        "notify/ending.html",
        erased=not letter.to,
        stopped=stopped,
        done=done,
        navigation=_NAVIGATION,
    )
