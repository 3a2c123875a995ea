"""The desk while its line is away: the key that its browser keeps typing under, what waits there, the slip.

What waits is kept and sent by the browser (static/offline-*.js); here are the pages that it is shown
on and the door by which it comes, as often as the browser is in doubt, and is filed once.
"""

from __future__ import annotations

import base64
import hmac
from typing import Any, Final

from flask import Blueprint, current_app, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response

from services.intake.usecases import drafting
from services.intake.usecases.similar import SimilarFound
from services.intake.web.deps import deps, office_agency, own_office
from services.intake.web.pages import blank, filing
from services.intake.web.pages.choosing import offered
from services.intake.web.pages.faulty import faulty
from services.intake.web.scripts import script
from shared.catalogue import Procedure
from shared.identity.guard import current, guard_of, pass_of_caller, require
from shared.identity.keys import Principal
from shared.kernel.errors import Conflict, Forbidden, InvalidInput
from shared.web.state import state_of
from shared.web.words import gettext, said

#: The pages that a service worker may answer for: the desk's.
SCOPE: Final = "/ho-so"
WORKER: Final = "offline-worker.js"
SCRIPTS: Final = ("offline-store.js", "offline.js")


def blueprint() -> Blueprint:
    """Pages and doors under /ho-so/cho-gui; for the officers of a desk alone."""
    blue = Blueprint("offline", __name__, url_prefix="/ho-so/cho-gui")
    routes: tuple[tuple[str, str, Any, str], ...] = (
        ("", "waiting", waiting, "GET"),
        ("/giay", "slip", slip, "GET"),
        ("/khoa", "key", key, "GET"),
        ("/<string:code>", "send", send, "POST"),
    )
    for path, name, view, method in routes:
        blue.add_url_rule(path, name, require("desk")(view), methods=[method])
    return blue


def scripts() -> list[tuple[str, dict[str, str]]]:
    """What every page of the desk loads, each with its words."""
    return [script(name) for name in SCRIPTS]


def page_data(principal: Principal) -> dict[str, str]:
    """What a page of the desk tells its scripts: whose it is, and where the worker is."""
    worker = url_for("intake.static", filename=WORKER)
    return {"owner": mark(principal), "worker": worker}


def let_work(answer: Response) -> Response:
    """Lets the worker answer for the desk's pages, though it lies elsewhere."""
    if request.endpoint == "intake.static" and request.path.endswith(f"/{WORKER}"):
        answer.headers["Service-Worker-Allowed"] = SCOPE
    return answer


def waiting() -> str:
    """What this browser keeps and has not sent; its script fills it in."""
    return render_template("intake/waiting.html", office=office_agency(), **blank.context())


def slip() -> str:
    """The provisional slip; its script fills it in."""
    public = state_of().settings.public_url
    return render_template(
        "intake/slip.html", office=office_agency(), public=public, **blank.context()
    )


def key() -> Response:
    """The key under which this person's browser keeps what is typed, for a term that the browser names.

    Nobody else is ever given it. `left` are the seconds until the sign-in ends, `now` our clock in
    milliseconds; `series` is one to number slips by, for a browser that has none.
    """
    shown, known = pass_of_caller(), deps()
    if shown is None:
        raise Forbidden("only people keep forms in a browser")
    term = request.args.get("e", "")[:64]
    left = (shown.until - guard_of().checkpoint.now()).total_seconds()
    drawn = _drawn(f"{_whose(current())}|{term}")
    return jsonify(
        {
            "owner": mark(current()),
            "key": base64.b64encode(drawn).decode(),
            "left": max(0, int(left)),
            "now": int(known.now().timestamp() * 1000),
            "series": known.store.ids.word(),
        }
    )


def mark(principal: Principal) -> str:
    """Tells one person at one office from any other, and nobody's name."""
    return _drawn(_whose(principal)).hex()[:24]


def _whose(principal: Principal) -> str:
    return f"{principal.key_id}|{principal.bound_to}"


def _drawn(text: str) -> bytes:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(secret, f"lienthong browser 1|{text}".encode(), "sha256")


def send(code: str) -> tuple[Response, int]:
    """File what a browser kept while the line was away; as often as it asks, once."""
    if not hmac.compare_digest(request.form.get("o.owner", "").encode(), mark(current()).encode()):
        raise Forbidden(
            "it was taken in by somebody else, or at another office",
            vi="Hồ sơ này do người khác nhận, hoặc nhận cho nơi khác; người đó đăng nhập để gửi.",
            code="other_person",
        )
    procedure = offered(code)
    try:
        given = filing.file(procedure, request.form)
    except InvalidInput as wrong:
        return jsonify({"faults": _words(wrong, procedure)}), 422
    except SimilarFound:
        told = gettext("Đã có hồ sơ có thể về cùng một việc: mở ra, bấm nộp để xem và quyết định.")
        return jsonify({"faults": [told]}), 409
    except Conflict:
        return jsonify({"faults": [_otherwise(request.form.get("token", "")[:100])]}), 409
    filed = filing.code_of(given)
    return jsonify({"code": filed, "receipt": url_for("papers.receipt", code=filed)}), 201


def _words(wrong: InvalidInput, procedure: Procedure) -> list[str]:
    labels = faulty(wrong.faults, [], procedure).labels
    told = ((labels.get(each.place, ""), said(each)) for each in wrong.faults)
    return [f"{label}: {words}" if label else words for label, words in told]


def _otherwise(token: str) -> str:
    with deps().store.read() as connection:
        kept = drafting.filed(connection, own_office(), token)
    code = "" if kept is None else f" ({filing.code_of(kept)})"
    return gettext(
        "Tờ khai này đã nộp với nội dung khác%(code)s; hãy xem hồ sơ đó rồi xóa bản chờ này.",
        code=code,
    )
