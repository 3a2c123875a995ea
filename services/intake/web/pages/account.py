"""One's own account: where one works, the password, the second factor, signing out everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyotp
from flask import Blueprint, flash, redirect, render_template, request, session
from werkzeug.wrappers import Response

from services.intake.storage import staff
from services.intake.storage.staff import Person
from services.intake.usecases import passwords, sign_in
from services.intake.usecases import staff as accounts
from services.intake.web.deps import agency_name, deps
from services.intake.web.pages.signing import Answer, must_wait, refused
from services.intake.web.papers.square import data_uri
from shared.identity.guard import current, guard_of, pass_of_caller, require, show
from shared.identity.passes import Pass
from shared.kernel.errors import Fault, Forbidden, InvalidInput, NotFound
from shared.web import rooms
from shared.web import words as page_words
from shared.web.words import gettext, msgid

_DRAWN: Final = "second-factor"
_ISSUER: Final = "Lien Thong"
ROLES_VI: Final = {
    "officer": msgid("Cán bộ tiếp nhận"),
    "head": msgid("Trưởng bộ phận"),
    "agency": msgid("Cán bộ xử lý"),
    "leader": msgid("Lãnh đạo, xem báo cáo"),
    "operator": msgid("Người vận hành"),
}
_everybody = require("desk", "agency", "leader", "operator")


def blueprint() -> Blueprint:
    """/tai-khoan: for every person, whatever they do here."""
    blue = Blueprint("account", __name__)
    rules = (
        ("", "page", _show, "GET"),
        ("/noi-lam-viec", "work_at", _work_at, "POST"),
        ("/mat-khau", "password", _password, "POST"),
        ("/xac-thuc", "second_factor", _second_factor, "GET"),
        ("/xac-thuc", "confirm", _confirm, "POST"),
        ("/xac-thuc/bo", "take_off", _take_off, "POST"),
    )
    for path, name, view, method in rules:
        blue.add_url_rule(f"{rooms.ACCOUNT}{path}", name, _everybody(view), methods=[method])
    return blue


def _who() -> tuple[Pass, Person]:
    shown = pass_of_caller()
    if shown is None:
        raise Forbidden(
            "an account is a person's, not a key's", vi="Khóa của chương trình không có tài khoản."
        )
    with deps().store.query() as connection:
        person = staff.by_id(connection, shown.person)
    if person is None:
        raise NotFound("there is no such account")
    return shown, person


def _show(faults: Sequence[Fault] = (), form: str = "", said: str = "") -> str:
    shown, person = _who()
    places = [
        {
            "role": gettext(ROLES_VI[place.role]),
            "code": place.code,
            "kind": place.kind,
            "name": gettext("toàn thành phố")
            if place.code == accounts.EVERYWHERE
            else agency_name(place.code),
            "here": place == shown.place({place.kind}),
            "others": sum(each.kind == place.kind for each in shown.places) > 1,
        }
        for place in shown.places
    ]
    wrong: dict[str, list[str]] = {}
    for fault in faults:
        wrong.setdefault(fault.place, []).append(page_words.said(fault))
    return render_template(
        "intake/account.html", person=person, places=places, wrong=wrong, form=form, said=said
    )


def _work_at() -> Response:
    shown, _ = _who()
    kind, code = request.form.get("kind", ""), request.form.get("code", "")
    if not any((place.kind, place.code) == (kind, code) for place in shown.places):
        raise NotFound("no such place", vi="Tài khoản này không làm việc ở nơi đó.")
    with deps().store.begin(current().actor) as uow:
        staff.choose(uow.connection, shown.sign_in, kind, code)
    with deps().store.query() as connection:
        if (held := staff.holds(connection, shown, guard_of().checkpoint.now())) is not None:
            show(held)
    return redirect(next(room.address for room in rooms.of_kinds({kind})), 303)


def _proved(person: Person, form: str) -> Answer | None:
    """What to answer where the present password was not given; tries are counted."""
    counted = {f"sign-in-again:{person.id}": sign_in.OF_CODE}
    if seconds := sign_in.wait(deps().store, counted):
        return must_wait(seconds, lambda said: _show(form=form, said=said))
    if not sign_in.check(person, request.form.get("password", "")):
        refused()
        wrong = Fault("password", "Mật khẩu hiện nay không đúng.", "is not the password")
        return _show((wrong,), form), 403
    return None


def _password() -> Answer:
    shown, person = _who()
    if (answer := _proved(person, "password")) is not None:
        return answer
    new, again = request.form.get("password_new", ""), request.form.get("password_again", "")
    try:
        with deps().store.begin(current().actor) as uow:
            accounts.change_password(uow, person, new, again, keep=shown.sign_in)
    except InvalidInput as wrong:
        return _show(wrong.faults, "password"), 422
    flash(gettext("Đã đổi mật khẩu; mọi nơi đăng nhập khác đã bị đăng xuất."), "good")
    return redirect(rooms.ACCOUNT, 303)


def _second_factor() -> str:
    _, person = _who()
    session[_DRAWN] = pyotp.random_base32()
    return _drawn_page(person)


def _drawn_page(person: Person, fault: str = "") -> str:
    secret = str(session.get(_DRAWN, ""))
    address = pyotp.TOTP(secret).provisioning_uri(name=person.login, issuer_name=_ISSUER)
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    square = data_uri(address)
    return render_template(
        "intake/totp.html", secret=grouped, address=address, square=square, fault=fault
    )


def _confirm() -> Answer:
    """The device shows the same codes as we reckon: from now on they are asked for."""
    _, person = _who()
    secret = session.get(_DRAWN)
    if not isinstance(secret, str):
        return redirect(f"{rooms.ACCOUNT}/xac-thuc", 303)
    if (answer := _proved(person, "totp")) is not None:
        return answer
    digits = "".join(c for c in request.form.get("code", "")[:40] if c in "0123456789")
    step = sign_in.matching_step(secret, digits, guard_of().checkpoint.now())
    if step is None:
        said = gettext(
            "Mã không khớp. Xem giờ trên điện thoại có đúng không, rồi nhập mã đang hiện."
        )
        return _drawn_page(person, said), 422
    codes = passwords.draw_recovery()
    kept = tuple(passwords.hash_of_recovery(code) for code in codes)
    with deps().store.begin(current().actor) as uow:
        staff.change(uow.connection, person.id, totp=secret, totp_last=step, recovery=kept)
    session.pop(_DRAWN)
    return render_template("intake/recovery.html", codes=codes)


def _take_off() -> Answer:
    _, person = _who()
    if (answer := _proved(person, "totp")) is not None:
        return answer
    with deps().store.begin(current().actor) as uow:
        staff.change(uow.connection, person.id, totp=None, recovery=())
    flash(gettext("Đã tắt mã xác thực."), "good")
    return redirect(rooms.ACCOUNT, 303)
