"""Which events a citizen hears of, and what the text about each of them says beside the dossier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from shared.events import intake, routing
from shared.events.event import Event
from shared.events.parts import Agency, StepResult
from shared.kernel.text import msgid

E = TypeVar("E", bound=Event)
_Rounds = (
    intake.SupplementRequested
    | intake.SupplementReminded
    | intake.SupplementExtended
    | intake.DossierSupplemented
    | intake.DropConfirmed
    | routing.SupplementDropped
)


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a text says of its event; never the form or the papers, so that it may be kept."""

    agency: Agency | None = None
    reason: str = ""
    next_step: str = ""
    items: tuple[str, ...] = ()
    respond_by: datetime | None = None
    amount_vnd: int | None = None
    step: str | None = None
    replaces: str = ""
    carrier: str = ""
    waybill: str = ""
    otp: str = ""
    results: tuple[StepResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the table; made by `_moment`, which has its types checked."""

    cls: type[Event]
    code: str
    name_vi: str
    details: Callable[[Any], Details]
    matter: Callable[[Any], str]


def _moment(
    cls: type[E],
    code: str,
    name_vi: str,
    details: Callable[[E], Details],
    matter: Callable[[E], object] = lambda _: "",
) -> Moment:
    """The event, its moment (`code` names its templates in the catalogue), what its text says.

    `matter`: the round or step that it is about, where a dossier can have several.
    """
    return Moment(cls, code, name_vi, details, lambda event: str(matter(event) or ""))


def _round(event: _Rounds) -> int:
    return event.round


def _nothing(_: Event) -> Details:
    return Details()


def _papers(
    event: intake.SupplementRequested | intake.SupplementReminded,
) -> Details:
    return Details(
        agency=event.agency,
        items=event.items,
        reason=event.reason,
        respond_by=event.respond_by,
    )


def _sent(event: intake.DossierReturned | intake.DossierPartlyReturned) -> Details:
    return Details(carrier=event.carrier or "", waybill=event.waybill or "")


def _stop(event: intake.StopConfirmed | routing.DossierStopped) -> Details:
    return Details(
        agency=event.agency, reason=event.reason, next_step=event.next_step, step=event.step
    )


def _drop(event: intake.DropConfirmed | routing.SupplementDropped) -> Details:
    return Details(reason=event.reason, step=event.step)


_TABLE: Final[tuple[Moment, ...]] = (
    _moment(intake.DossierRegistered, "registered", msgid("Đã nộp hồ sơ"), _nothing),
    _moment(
        intake.DossierRefused,
        "refused",
        msgid("Từ chối tiếp nhận"),
        lambda event: Details(reason=event.reason, next_step=event.next_step),
    ),
    _moment(intake.DossierReceived, "received", msgid("Đã tiếp nhận"), _nothing),
    _moment(
        intake.SupplementRequested,
        "supplement_requested",
        msgid("Yêu cầu bổ sung"),
        lambda event: msgspec.structs.replace(_papers(event), step=event.step),
        _round,
    ),
    _moment(
        intake.SupplementReminded, "supplement_reminder", msgid("Nhắc bổ sung"), _papers, _round
    ),
    _moment(
        intake.SupplementExtended,
        "supplement_extended",
        msgid("Lùi hạn bổ sung"),
        lambda event: Details(agency=event.agency, items=event.items, respond_by=event.respond_by),
        _round,
    ),
    _moment(intake.DossierSupplemented, "supplemented", msgid("Đã nhận bổ sung"), _nothing, _round),
    _moment(
        intake.DropConfirmed, "supplement_dropped", msgid("Không còn chờ bổ sung"), _drop, _round
    ),
    _moment(
        routing.PaymentRequested,
        "payment_requested",
        msgid("Yêu cầu nộp tiền"),
        lambda event: Details(
            agency=event.agency,
            amount_vnd=event.amount_vnd,
            step=event.step,
            replaces=event.replaces or "",
        ),
        lambda event: event.step,
    ),
    _moment(
        intake.DossierPaid,
        "paid",
        msgid("Đã nộp tiền"),
        lambda event: Details(amount_vnd=event.amount_vnd, step=event.step),
        lambda event: event.step,
    ),
    _moment(
        intake.ResultConfirmed,
        "resolved",
        msgid("Đã có kết quả"),
        lambda event: Details(results=event.results),
    ),
    _moment(
        routing.DossierExtended,
        "extended",
        msgid("Xin lỗi, hẹn lại"),
        lambda event: Details(agency=event.agency, reason=event.reason),
    ),
    _moment(
        intake.DossierApologised,
        "extended",
        msgid("Xin lỗi, hẹn lại"),
        lambda event: Details(agency=event.agency, reason=event.reason),
    ),
    _moment(
        intake.DossierVerifying,
        "verifying",
        msgid("Xác minh bổ sung"),
        lambda event: Details(agency=event.agency, reason=event.reason),
    ),
    _moment(
        intake.DossierBranched,
        "branched",
        msgid("Chọn cách giải quyết"),
        lambda event: Details(agency=event.agency, reason=event.branch.name),
    ),
    _moment(
        intake.DossierMoved,
        "reorganised",
        msgid("Đổi nơi giải quyết"),
        lambda event: Details(
            agency=Agency(code=event.from_office.code, name=event.from_office.name)
        ),
    ),
    _moment(intake.StopConfirmed, "stopped", msgid("Dừng xử lý"), _stop),
    _moment(
        intake.DossierWithdrawn,
        "withdrawn",
        msgid("Đã rút hồ sơ"),
        lambda event: Details(reason=event.reason),
    ),
    _moment(intake.DossierReturned, "returned", msgid("Đã trả kết quả"), _sent),
    _moment(intake.DossierPartlyReturned, "partly_returned", msgid("Trả một phần kết quả"), _sent),
    _moment(
        intake.WaybillCorrected,
        "waybill_corrected",
        msgid("Sửa mã vận đơn"),
        lambda event: Details(carrier=event.carrier, waybill=event.waybill),
    ),
    _moment(
        intake.ResultCodeGiven,
        "result_code",
        msgid("Mã đọc kết quả"),
        lambda event: Details(otp=event.code, respond_by=event.until),
    ),
)
#: What routing stated before intake confirmed it; of today's (`proposed`) nobody is told.
_OLDER: Final[tuple[Moment, ...]] = (
    _moment(
        routing.DossierResolved,
        "resolved",
        msgid("Đã có kết quả"),
        lambda event: Details(results=event.results),
    ),
    _moment(routing.DossierStopped, "stopped", msgid("Dừng xử lý"), _stop),
    _moment(
        routing.SupplementDropped,
        "supplement_dropped",
        msgid("Không còn chờ bổ sung"),
        _drop,
        _round,
    ),
)
#: The whole table of what citizens are told. An event that is not here makes no message.
MOMENTS: Final[Mapping[type[Event], Moment]] = {moment.cls: moment for moment in (*_TABLE, *_OLDER)}
#: Another phone or mailbox was written down: it is told where the dossier stands. No fact of the
#: dossier's own stream leads to it: the contact has a way of its own.
CONTACT_CHANGED: Final = "contact_changed"
NAMES_VI: Final[Mapping[str, str]] = {
    **{moment.code: moment.name_vi for moment in _TABLE},
    CONTACT_CHANGED: msgid("Đổi cách liên hệ"),
}
