"""Signing in and out, for the pages of all three services: the one place that gives out passes.

Whoever comes back from the city's own sign-in (`oidc.py`) goes through `_entered`, as one whose
password was right does; a second factor is then that sign-in's business.
"""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Callable
from typing import Final

from flask import Blueprint, current_app, redirect, render_template, request, session
from werkzeug.wrappers import Response

from services.intake.storage import staff
from services.intake.storage.staff import Person
from services.intake.usecases import sign_in
from services.intake.usecases import staff as accounts
from services.intake.web.deps import deps
from services.intake.web.pages import devices, oidc
from services.intake.web.pages.kept import Kept, carried, taken
from shared.identity import audit
from shared.identity.callers import place_of
from shared.identity.guard import (
    checks_its_form,
    forget,
    guard_of,
    is_our_form,
    let_in,
    pass_of_caller,
    public,
    show,
)
from shared.kernel.actor import Actor
from shared.kernel.errors import InvalidInput, NotFound, Refused
from shared.log import get
from shared.web import rooms
from shared.web.errors import lead_away
from shared.web.state import state_of
from shared.web.words import gettext, msgid, said

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
DOOR: Final = "sign-in"
_WAITING: Final = "signing-in"
_NEXT: Final = "signing-in-next"
#: Seconds between the password and what is asked after it.
_PATIENCE: Final = 600
#: Times that one request may come to be renewed within ten seconds; browsers give up after twenty
#: redirects, which are ten rounds.
_ROUNDS: Final = 8
_WRONG: Final = msgid("Tên đăng nhập hoặc mật khẩu không đúng.")
_WRONG_CODE: Final = msgid(
    "Mã không đúng hoặc đã dùng rồi. Đợi mã mới trên điện thoại rồi thử lại."
)
_log = get("web")


class NotTogether(Refused):
    """A door does not believe the passes that intake gives out."""

    status = 503
    default_vi = (
        "Máy chủ chưa chung khóa bí mật hoặc đồng hồ lệch nhau nên chưa vào được trang này. "
        "Báo người quản trị: LIENTHONG_SECRET_KEY của ba dịch vụ phải như nhau."
    )


def blueprint() -> Blueprint:
    """/dang-nhap, /phien and /dang-xuat: open to everybody; tries are counted."""
    blue = Blueprint("signing", __name__)
    renewing = checks_its_form(public(_renew))
    going_on = checks_its_form(public(_go_on))
    blue.add_url_rule(rooms.SIGN_IN, "form", public(_form), methods=["GET"])
    blue.add_url_rule(rooms.SIGN_IN, "enter", public(_enter), methods=["POST"])
    blue.add_url_rule(f"{rooms.SIGN_IN}/ma", "code", public(_code), methods=["POST"])
    blue.add_url_rule(f"{rooms.SIGN_IN}/mat-khau", "first", public(_first), methods=["POST"])
    blue.add_url_rule(oidc.START, "city", public(_city), methods=["GET"])
    blue.add_url_rule(oidc.BACK, "back", public(_back), methods=["GET"])
    blue.add_url_rule(f"{rooms.SIGN_IN}/tiep", "go_on", going_on, methods=["POST"])
    blue.add_url_rule(rooms.RENEW, "renew", renewing, methods=["GET", "POST"])
    blue.add_url_rule(rooms.SIGN_OUT, "leave", public(_leave), methods=["POST"])
    return blue


def _form() -> str | Response:
    kept = carried()
    if pass_of_caller() is not None:
        return redirect(kept.target or "/", 303)
    return _page(kept)


def _page(kept: Kept, *, fault: str = "", login: str = "") -> str:
    joins = oidc.read(kept.joins) if kept.joins else None
    return render_template(
        "intake/sign_in.html",
        kept=kept,
        fault=fault,
        login=login,
        joins=joins,
        city=oidc.provider() is not None,
    )


def _city() -> Answer:
    """Off to the city's own sign-in, where there is one."""
    if (there := oidc.provider()) is None:
        raise NotFound("there is no other sign-in", vi="Ở đây chỉ đăng nhập bằng tên và mật khẩu.")
    session[_NEXT] = carried().target
    try:
        return lead_away(there.send_there())
    except oidc.Unreachable as exc:
        return _page(carried(), fault=said(exc)), exc.status


def _back() -> Answer:
    """Back from it: in, or asked once for the account that this identity is to open."""
    if (there := oidc.provider()) is None:
        return redirect(rooms.SIGN_IN, 303)
    kept = Kept(rooms.local({"next": session.pop(_NEXT, "")}))
    try:
        identity = there.who_came_back()
    except (oidc.Unreachable, oidc.NotLetIn) as exc:
        refused()
        return _page(kept, fault=said(exc)), exc.status
    with deps().store.query() as connection:
        person = staff.by_subject(connection, identity.subject)
    if person is None:
        return _page(Kept(kept.target, joins=oidc.sign(identity)))
    if person.disabled_at is not None or not person.places:
        refused()
        return _page(
            kept, fault=gettext("Tài khoản của bạn ở đây đã đóng. Báo người quản trị.")
        ), 403
    return _entered(person, kept)


def _go_on() -> Answer:
    """Signed in meanwhile in another tab: the form that waits here may be sent.

    That sign-in drew the form token anew, so where the page stood is asked of the browser.
    """
    if not is_our_form() and request.origin != state_of().settings.public_url:
        return redirect(rooms.SIGN_IN, 303)
    kept = carried()
    if pass_of_caller() is None:
        return _page(kept, fault=gettext("Trình duyệt này vẫn chưa đăng nhập.")), 403
    return render_template("intake/go_on.html", kept=kept)


def _enter() -> Answer:
    login, kept, store = request.form.get("login", "")[:200], carried(), deps().store
    person = sign_in.known(store, login)
    device = devices.of(person)
    counted = sign_in.allowances(login, device, request.remote_addr, _secret())
    if seconds := sign_in.wait(store, counted):
        return must_wait(seconds, lambda words: _page(kept, fault=words, login=login))
    if not sign_in.check(person, request.form.get("password", "")) or person is None:
        refused()
        return _page(kept, fault=gettext(_WRONG), login=login), 403
    sign_in.passed(store, counted)
    if person.totp or person.must_change:
        session[_WAITING] = [person.id, _mark(person), "code" if person.totp else "", time.time()]
    return _next_step(person, kept, code_given=False)


def _next_step(person: Person, kept: Kept, *, code_given: bool) -> Answer:
    """What is asked after the password: a code, a password of one's own; else the way is free."""
    if person.totp and not code_given:
        return render_template("intake/sign_in_code.html", kept=kept, fault="")
    if person.must_change:
        return render_template("intake/first_password.html", kept=kept, faults=())
    return _entered(person, kept)


def _entered(person: Person, kept: Kept) -> Answer:
    """Signed in: on to where they wanted to go, or to the form that waits to be sent."""
    now = guard_of().checkpoint.now()
    joins = oidc.read(kept.joins) if kept.joins else None
    try:
        with deps().store.begin(Actor("officer", person.id)) as uow:
            if joins is not None:
                accounts.join(uow, person, joins.subject)
                audit.note(uow, "join staff", [person.id], place=place_of(request.remote_addr))
            given = sign_in.enter(uow, person, now)
    except InvalidInput as wrong:
        return _page(Kept(kept.target, kept.sent, kept.values), fault=said(wrong.faults[0])), 422
    let_in(given)
    _log.info("web.signed_in", person=person.id)
    if kept.sent:
        answer = current_app.make_response(render_template("intake/go_on.html", kept=kept))
    else:
        answer = current_app.make_response(redirect(kept.target or "/", 303))
    devices.remember(answer, person)
    return answer


def _waiting(stage: str) -> Person | None:
    """Whose password was right a moment ago and who is at this stage now; else nobody."""
    found = session.get(_WAITING)
    if not isinstance(found, list) or len(found) != 4 or found[2] != stage:
        return None
    if not 0 <= time.time() - found[3] < _PATIENCE:
        return None
    with deps().store.query() as connection:
        person = staff.by_id(connection, str(found[0]))
    if person is None or person.disabled_at is not None:
        return None
    return person if hmac.compare_digest(_mark(person), str(found[1])) else None


def _mark(person: Person) -> str:
    """Changes with the password: whoever has it reset meanwhile begins anew."""
    return hmac.digest(_secret().encode(), person.hash.encode(), "sha256").hex()[:16]


def _code() -> Answer:
    kept, person, store = carried(), _waiting("code"), deps().store
    if person is None:
        return _page(kept, fault=gettext("Đã quá lâu. Vui lòng đăng nhập lại.")), 403

    def page(words: str) -> str:
        return render_template("intake/sign_in_code.html", kept=kept, fault=words)

    counted = {f"sign-in-code:{person.id}": sign_in.OF_CODE}
    if seconds := sign_in.wait(store, counted):
        return must_wait(seconds, page)
    with store.begin(Actor("officer", person.id)) as uow:
        now = guard_of().checkpoint.now()
        right = sign_in.check_code(uow, person, request.form.get("code", ""), now)
    if not right:
        refused()
        return page(gettext(_WRONG_CODE)), 403
    session[_WAITING] = [person.id, _mark(person), "", time.time()]
    return _next_step(person, kept, code_given=True)


def _first() -> Answer:
    """The first password was somebody else's to know: one's own takes its place."""
    kept, person = carried(), _waiting("")
    if person is None:
        return _page(kept, fault=gettext("Đã quá lâu. Vui lòng đăng nhập lại.")), 403
    new, again = request.form.get("password_new", ""), request.form.get("password_again", "")
    try:
        with deps().store.begin(Actor("officer", person.id)) as uow:
            accounts.change_password(uow, person, new, again)
    except InvalidInput as wrong:
        page = render_template("intake/first_password.html", kept=kept, faults=wrong.faults)
        return page, 422
    return _entered(person, kept)


def _renew() -> Answer:
    """Another pass for one who is signed in, and back; the others are asked to sign in.

    A form that was sent with a pass that had run out comes here as it is (307) and goes back so.
    """
    shown, target = pass_of_caller(), rooms.local(request.args)
    if shown is None:
        if request.method == "GET":
            return redirect(rooms.signing_in(target), 303)
        return _page(taken(), fault=gettext("Phiên làm việc đã hết. Đăng nhập lại để tiếp tục."))
    if target:
        _refuse_circles(target)
    show(shown)
    return redirect(target or "/", 303 if request.method == "GET" else 307)


def _refuse_circles(target: str) -> None:
    """A door that sends the same request here again and again will never believe us."""
    before = session.get("renewed")
    count = 1
    if isinstance(before, list) and len(before) == 3 and before[0] == target:
        count = before[1] + 1 if 0 <= time.time() - before[2] < 10 else 1
    session["renewed"] = [target, count, time.time()]
    if count > _ROUNDS:
        raise NotTogether("a door does not believe the passes of intake", code="not_together")


def _leave() -> Answer:
    shown = pass_of_caller()
    if shown is not None:
        with deps().store.begin(Actor("officer", shown.person)) as uow:
            sign_in.leave(uow, shown, everywhere="everywhere" in request.form)
    forget()
    there = oidc.provider()
    if there is not None and (address := there.sign_out_address()):
        return render_template("intake/signed_out.html", there=address)
    return redirect(rooms.SIGN_IN, 303)


def refused() -> None:
    """Somebody could not sign in; not who."""
    guard_of().metrics.tried(DOOR, "refused")
    _log.info("web.sign_in_refused", place=place_of(request.remote_addr))


def must_wait(seconds: float, page: Callable[[str], str]) -> Answer:
    """The page again, with what was typed, and how long to wait."""
    left = max(1, math.ceil(seconds))
    guard_of().metrics.tried(DOOR, "limited")
    _log.warning("web.sign_in_limited", place=place_of(request.remote_addr), seconds=left)
    words = gettext(
        "Đã thử nhiều lần. Vui lòng đợi %(left)s giây rồi thử lại; tài khoản không bị khóa.",
        left=left,
    )
    return page(words), 429, {"Retry-After": str(left)}


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])
