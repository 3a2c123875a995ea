"""The page by which an agency says itself how it is reached: webhook, notices, who is told.

A key or account of the agency may; who did what is in the access log. Nothing is sent from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.routing.domain.queue import LONGEST_WHY, AgencyQueue
from services.routing.domain.webhook import NOTICES, Webhook, secret_of
from services.routing.storage import agency_mail
from services.routing.storage import queues as queue_rows
from services.routing.storage import webhooks as rows
from services.routing.usecases import queues, remind, webhooks
from services.routing.web import words
from services.routing.web.door import Door
from shared.catalogue import Catalogue
from shared.database import UnitOfWork
from shared.identity.audit import saw
from shared.identity.guard import current, require
from shared.kernel.errors import Conflict, Fault, InvalidInput
from shared.web.state import state_of
from shared.web.words import gettext, msgid

PAGE: Final = "/nhiem-vu/ket-noi"
_MOST: Final = 2000  # letters of a form's field that are looked at
Act = Callable[[UnitOfWork, str], str | None]
Wish = Callable[[UnitOfWork, Catalogue, str], str | bool | None]
#: What a button does, and what is said then; a new secret is shown instead.
_ACTS: Final[Mapping[str, tuple[Act, str]]] = {
    "thu": (
        webhooks.ask_trial,
        msgid("Đã nhờ gửi thử. Tải lại trang sau vài giây để xem kết quả."),
    ),
    "khoa-moi": (webhooks.new_secret, ""),
    "tam-dung": (webhooks.pause, msgid("Đã tạm dừng webhook. Bản tin mới chờ trong sổ.")),
    "tiep-tuc": (webhooks.resume, msgid("Webhook gửi tiếp từ chỗ đã dừng.")),
    "go-bo": (webhooks.remove, msgid("Đã gỡ webhook. Hàng đợi và cổng vẫn dùng được.")),
}


#: What a button of the queue wishes, and what is said then; a new password is shown instead.
_WISHES: Final[Mapping[str, tuple[Wish, str]]] = {
    "mo": (queues.open_queue, ""),
    "doi-mat-khau": (lambda uow, catalogue, agency: queues.rotate(uow, catalogue, agency)[0], ""),
    "dong": (queues.close, msgid("Hàng đợi sẽ được đóng. Việc chưa lấy vẫn có ở cổng.")),
    "tam-dung": (
        lambda uow, catalogue, agency: queues.pause(
            uow, catalogue, agency, request.form.get("why", "")[:_MOST]
        ),
        msgid("Đã tạm dừng hàng đợi. Việc mới chờ, hạn vẫn chạy."),
    ),
    "tiep-tuc": (queues.resume, msgid("Hàng đợi tiếp tục với mật khẩu đang có.")),
}


_CONFLICTS: Final = {
    "in_grace": msgid(
        "Mật khẩu trước còn dùng được: hãy chờ hết thời gian chuyển tiếp, hoặc nhờ người vận hành thành phố cắt ngay."
    ),
    "paused_by_city": msgid(
        "Thành phố đã tạm dừng kết nối của đơn vị: hãy liên hệ người vận hành."
    ),
}


def add_pages(blue: Blueprint, door: Door) -> None:
    """/nhiem-vu/ket-noi: how it stands, what is wished, and the buttons."""

    @blue.get(PAGE)
    @require("agency")
    def connection() -> str:
        return _page(door)

    @blue.post(PAGE)
    @require("agency")
    def set_connection() -> str | Response | tuple[str, int]:
        agency = current().bound_to
        saw([agency])
        try:
            with door.store.begin(current().actor) as uow:
                queues.must_be_the_city(uow, agency)
                nonce = _set(uow, door, agency)
        except InvalidInput as wrong:
            return _page(door, faults=wrong.faults), 422
        if nonce is not None:
            return _page(door, secret=_secret(agency, nonce))
        flash(gettext("Đã lưu."), "good")
        return redirect(url_for("pages.connection"), 303)

    @blue.post(f"{PAGE}/<act>")
    @require("agency")
    def change_connection(act: str) -> str | Response:
        if act not in _ACTS:
            abort(404)
        do, told = _ACTS[act]
        agency = current().bound_to
        saw([agency])
        with door.store.begin(current().actor) as uow:
            queues.must_be_the_city(uow, agency)
            nonce = do(uow, agency)
        if nonce is not None:
            return _page(door, secret=_secret(agency, nonce))
        flash(gettext(told), "good")
        return redirect(url_for("pages.connection"), 303)


def add_queue(blue: Blueprint, door: Door) -> None:
    """The buttons of the agency's queue."""

    @blue.post(f"{PAGE}/hang-doi/<act>")
    @require("agency")
    def change_queue(act: str) -> str | Response | tuple[str, int]:
        if act not in _WISHES or _is_alone():
            abort(404)
        wish, told = _WISHES[act]
        agency = current().bound_to
        saw([agency])
        try:
            with door.store.begin(current().actor) as uow:
                queues.must_be_the_city(uow, agency)
                given = wish(uow, door.rules.catalogue, agency)
        except InvalidInput as wrong:
            return _page(door, faults=wrong.faults), 422
        except Conflict as wrong:
            flash(gettext(_CONFLICTS[wrong.code]), "bad")
            return redirect(url_for("pages.connection"), 303)
        if isinstance(given, str):
            return _page(door, password=given)
        flash(gettext(told) if told else gettext("Không có gì thay đổi."), "good")
        return redirect(url_for("pages.connection"), 303)


def _is_alone() -> bool:
    """Whether the city has no broker."""
    return state_of().settings.amqp_url.startswith("memory:")


def _set(uow: UnitOfWork, door: Door, agency: str) -> str | None:
    """Keep what the form says; every fault of it at once."""
    faults: list[Fault] = []
    try:
        given = request.form.get("contacts", "")[:_MOST].split()
        remind.replace_addresses(uow, door.rules.catalogue, agency, given)
    except InvalidInput as wrong:
        faults = [Fault("contacts", each.vi, each.en) for each in wrong.faults]
    try:
        nonce = webhooks.set_webhook(
            uow,
            door.rules.catalogue,
            agency,
            request.form.get("url", "")[:_MOST],
            request.form.getlist("skips"),
            loopback=state_of().settings.webhook_loopback,
        )
    except InvalidInput as wrong:
        faults += [each for each in wrong.faults if not faults or each.place != "contacts"]
    if faults:
        raise InvalidInput(faults)
    return nonce


def _page(
    door: Door, *, faults: tuple[Fault, ...] = (), secret: str = "", password: str = ""
) -> str:
    agency = current().bound_to
    with door.store.read() as connection:
        queue = queue_rows.of(connection, agency)
        hook = rows.of(connection, agency)
        mailed = [each for each in agency_mail.every(connection) if each.agency == agency]
    kept = [address for each in mailed for address in each.addresses]
    given = request.form if faults else None
    queue = queue or queues.by_catalogue(door.rules.catalogue.agency(agency))
    return render_template(
        "routing/connection.html",
        agency=door.agency_name(agency),
        hook=hook,
        stands=_stands(hook),
        secret=secret,
        queue=queue,
        alone=_is_alone(),
        queue_stands=_queue_stands(queue),
        in_grace=queue.in_grace(door.store.clock.now()),
        password=password,
        why=given.get("why", "")[:_MOST] if given else "",
        longest_why=LONGEST_WHY,
        faults=faults,
        wrong=words.by_place(faults),
        labels={
            "url": gettext("Địa chỉ webhook"),
            "contacts": gettext("Thư báo cho"),
            "skips": "",
            "why": gettext("Lý do tạm dừng"),
        },
        url=given.get("url", "")[:_MOST] if given else (hook.url if hook else ""),
        contacts=given.get("contacts", "")[:_MOST] if given else "\n".join(kept),
        notices=[(name, words.NOTICES[name]) for name in NOTICES],
        skips=given.getlist("skips") if given else (hook.skips if hook else ()),
    )


def _secret(agency: str, nonce: str) -> str:
    return secret_of(str(current_app.config["SECRET_KEY"]), agency, nonce)


def _stands(hook: Webhook | None) -> dict[str, Any]:
    """The state in words, with its tone, and what the last trial came to."""
    if hook is None:
        return {}
    if hook.paused is not None:
        state, tone = gettext("Tạm dừng: %(why)s", why=words.failure(hook.paused)), "bad"
    elif hook.failure is not None:
        state, tone = gettext("Đang thử lại: %(why)s", why=words.failure(hook.failure)), "waiting"
    else:
        state, tone = gettext("Đang gửi"), "good"
    trial = "" if hook.trial is None else words.failure(hook.trial)
    return {"state": state, "tone": tone, "trial": trial, "waiting": hook.last - hook.cursor}


def _queue_stands(queue: AgencyQueue) -> tuple[str, str]:
    """How the queue stands in words, and the tone."""
    if queue.paused_at is not None:
        return gettext("Tạm dừng"), "bad"
    if queue.trouble is not None:
        why = gettext(queues.TROUBLES[queue.trouble][0])
        return gettext("Chưa thực hiện được: %(why)s", why=why), "bad"
    if queue.wished_at is not None and queue.done_at is None:
        return gettext("Đang chờ thực hiện ở máy chủ bản tin"), "waiting"
    return (gettext("Đang dùng"), "good") if queue.wanted else (gettext("Không có"), "")
