"""What is wished of an agency's queue, by its page or by an operator at the shell.

Only rows are written here: who may manage the broker carries them out (services/commands).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from services.routing.domain.queue import (
    GRACE,
    LONGEST_GRACE,
    LONGEST_WHY,
    NO_PASSWORD,
    AgencyQueue,
    password_hash,
)
from services.routing.domain.webhook import Webhook
from services.routing.storage import queues
from services.routing.storage import webhooks as hooks
from services.routing.usecases import webhooks
from shared.catalogue import Catalogue
from shared.catalogue.model import Agency
from shared.database import UnitOfWork
from shared.kernel.errors import Conflict, Fault, InvalidInput, NotAllowed
from shared.kernel.text import msgid

#: Why a wish is not yet carried out, in Vietnamese and English, by the word in the row.
TROUBLES: Final[Mapping[str, tuple[str, str]]] = {
    "away": (
        msgid("không tới được cổng quản trị của máy chủ bản tin"),
        "the broker's management door cannot be reached",
    ),
    "login": (
        msgid("cổng quản trị của máy chủ bản tin không nhận tên hoặc mật khẩu"),
        "the broker's management door does not know this user or password",
    ),
    "rights": (
        msgid("người dùng quản trị không đủ quyền ở máy chủ bản tin"),
        "the managing user has too few rights at the broker (it needs the tag administrator)",
    ),
    "refused": (
        msgid("máy chủ bản tin từ chối một thao tác"),
        "the broker refused an act; the log says which",
    ),
    "password": (
        msgid("không rõ mật khẩu: hãy đổi mật khẩu"),
        "nobody knows the password: rotate it",
    ),
}


_WHY: Final = Fault(
    "why", msgid("Hãy ghi lý do, nhiều nhất 200 chữ."), "say why, in 200 letters at most"
)


def by_catalogue(agency: Agency) -> AgencyQueue:
    """As it is until somebody wishes otherwise."""
    return AgencyQueue(agency.code, wanted=agency.reach == "amqp")


def queued(uow: UnitOfWork, catalogue: Catalogue, agency: str) -> bool:
    """Whether an agency has a queue now: as it was last wished, else as the catalogue says."""
    wished = queues.wishes(uow.connection, [agency])
    return wished.get(agency, catalogue.agency(agency).reach == "amqp")


def held(uow: UnitOfWork, catalogue: Catalogue, agency: str) -> tuple[AgencyQueue, bool]:
    """An agency's queue, and whether anything was ever wished of it; NotFound for no agency."""
    known = queues.of(uow.connection, agency, hold=True)
    return (known, True) if known else (by_catalogue(catalogue.agency(agency)), False)


def open_queue(
    uow: UnitOfWork, catalogue: Catalogue, agency: str, *, certified: bool = False
) -> str | None:
    """Give it a queue and a user; the password, or None where it has them already.

    `certified`: no password opens it, a certificate of the user's name does.
    """
    before, was_wished = held(uow, catalogue, agency)
    if before.wanted:
        return None
    password = secrets.token_urlsafe(24)
    generation = before.generation + 1 if was_wished else 1  # what was withdrawn never comes again
    hash_ = NO_PASSWORD if certified else password_hash(password)
    made = AgencyQueue(agency, wanted=True, generation=generation, hash=hash_)
    _wish(uow, made)
    return password


def take_over(uow: UnitOfWork, agency: str, hash_: str) -> bool:
    """The queue and password that an agency was given before anything was wished; False: it was."""
    if queues.of(uow.connection, agency, hold=True) is not None:
        return False
    _wish(uow, AgencyQueue(agency, wanted=True, hash=hash_))
    return True


def rotate(
    uow: UnitOfWork,
    catalogue: Catalogue,
    agency: str,
    grace: timedelta = GRACE,
    *,
    certified: bool = False,
) -> tuple[str, AgencyQueue]:
    """Give it a new user and password; the one before goes on for `grace`, an older one ends.

    Conflict while an earlier rotation still has its grace: none at all ends both old ones at once.
    """
    before, _ = held(uow, catalogue, agency)
    if not before.wanted:
        raise NotAllowed("the agency has no queue", vi="Đơn vị không có hàng đợi.")
    if not timedelta() <= grace <= LONGEST_GRACE:
        vi, en = "Từ 0 giờ đến 30 ngày.", "from nothing to 30 days"
        raise InvalidInput([Fault("grace", vi, en)])
    if grace and before.in_grace(uow.now):
        raise Conflict(
            f"{before.old_user} still has its grace; wait for its end, or end both at once",
            vi=f"{before.old_user} còn trong thời gian chuyển tiếp: hãy chờ hết, hoặc cắt cả hai ngay.",
            code="in_grace",
        )
    password = secrets.token_urlsafe(24)
    made = replace(
        before,
        generation=before.generation + 1,
        hash=NO_PASSWORD if certified else password_hash(password),
        old_hash=before.hash if grace else None,
        old_until=uow.now + grace if grace else None,
    )
    return password, _wish(uow, made)


def close(uow: UnitOfWork, catalogue: Catalogue, agency: str) -> bool:
    """Take queue and users away; the ledger keeps all, and the door has it. False: it had none."""
    before, was_wished = held(uow, catalogue, agency)
    if not before.wanted and was_wished:
        return False
    _wish(uow, AgencyQueue(agency, wanted=False, generation=before.generation))
    return True


def pause(uow: UnitOfWork, catalogue: Catalogue, agency: str, why: str) -> bool:
    """Let none of its programs take tasks: they wait, and deadlines run on. False: it is paused.

    By an operator its webhook stops as well, and only an operator lets it go on.
    """
    before, _ = held(uow, catalogue, agency)
    why = " ".join(why.split())
    if not why or len(why) > LONGEST_WHY or not why.isprintable():
        raise InvalidInput([_WHY])
    if before.paused_at is not None:
        return False
    by = str(uow.actor)
    paused = replace(before, paused_at=uow.now, paused_by=by, paused_why=why)
    _wish(uow, paused)
    if paused.paused_by_city and _hook(uow, agency) is not None:
        webhooks.pause(uow, agency)
    return True


def resume(uow: UnitOfWork, catalogue: Catalogue, agency: str) -> bool:
    """Let its programs go on where they stopped. False: it was not paused."""
    before, _ = held(uow, catalogue, agency)
    if before.paused_at is None:
        return False
    if before.paused_by_city:
        must_be_the_city(uow, agency)
        if _hook(uow, agency) is not None:
            webhooks.resume(uow, agency)
    _wish(uow, replace(before, paused_at=None, paused_by=None, paused_why=None))
    return True


def must_be_the_city(uow: UnitOfWork, agency: str) -> None:
    """Conflict where the city has paused an agency and somebody of the agency wants otherwise."""
    known = queues.of(uow.connection, agency)
    acts = uow.actor is not None and uow.actor.kind == "operator"
    if known is not None and known.paused_by_city and not acts:
        raise Conflict(
            "the city has paused this agency; only the city lets it go on",
            vi="Thành phố đã tạm dừng kết nối của đơn vị: hãy liên hệ người vận hành.",
            code="paused_by_city",
        )


def _hook(uow: UnitOfWork, agency: str) -> Webhook | None:
    return hooks.of(uow.connection, agency)


def _wish(uow: UnitOfWork, queue: AgencyQueue) -> AgencyQueue:
    """Keep a wish that is yet to be carried out."""
    who = str(uow.actor)
    made = replace(queue, wished_at=uow.now, wished_by=who, done_at=None, trouble=None)
    queues.put(uow, made)
    return made
