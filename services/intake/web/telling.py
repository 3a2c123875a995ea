"""The timeline in Vietnamese: what each event says to a desk officer; no personal data is repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from services.intake.domain.citizen import RETURN_METHODS
from shared.events.event import Event
from shared.events.intake import (
    ContactGiven,
    DeadlineStated,
    DossierPaid,
    DossierReceived,
    DossierRefused,
    DossierRegistered,
    DossierReturned,
    DossierSupplemented,
    DossierWithdrawn,
    SupplementExtended,
    SupplementReminded,
    SupplementRequested,
)
from shared.events.names import short
from shared.events.notify import CitizenNotified, CitizenUnreachable
from shared.events.parts import Agency, Step
from shared.events.routing import (
    ClockResumed,
    ClockStopped,
    DeadlineMissed,
    DeadlineNear,
    DossierExtended,
    DossierResolved,
    DossierStarted,
    DossierStopped,
    PaymentRequested,
    StepAnswered,
    StepOpened,
    StepResult,
    SupplementDropped,
)
from shared.kernel.clock import format_instant
from shared.kernel.errors import Unreadable
from shared.messaging.timeline import Entry
from shared.web.filters import vn_datetime, vn_money

E = TypeVar("E", bound=Event)
Words = tuple[str, list[str]]

CHANNELS_VI = {"direct": "trực tiếp", "online": "trực tuyến", "postal": "qua bưu chính"}
_OUTCOMES = {
    "granted": "đồng ý, có kết quả",
    "refused": "không giải quyết",
    "silent_consent": "quá hạn không trả lời, coi như đồng ý",
}
_ANSWERS = {
    "taken": "đã nhận việc",
    "completed": "đã xong",
    "refused": "không giải quyết",
    "supplement_needed": "cần bổ sung giấy tờ",
    "more_time_needed": "cần thêm thời gian",
    "silent": "không trả lời",
}
_MOMENTS = {
    "registered": "đã nộp hồ sơ",
    "refused": "không được tiếp nhận",
    "received": "đã tiếp nhận",
    "supplement_requested": "cần bổ sung giấy tờ",
    "supplement_reminder": "nhắc bổ sung giấy tờ",
    "supplement_extended": "lùi hạn bổ sung",
    "supplemented": "đã nhận bổ sung",
    "supplement_dropped": "không còn chờ bổ sung",
    "payment_requested": "cần nộp tiền",
    "paid": "đã nộp tiền",
    "resolved": "có kết quả",
    "returned": "đã trả kết quả",
    "extended": "lùi ngày hẹn",
    "stopped": "dừng xử lý",
    "withdrawn": "đã rút hồ sơ",
}
_MEDIA = {"sms": "tin nhắn", "email": "thư điện tử"}


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, in words."""

    at: str
    type: str
    source: str
    title: str
    details: tuple[str, ...]
    late: bool
    note: str | None
    tone: str

    @property
    def text(self) -> str:
        """The details in one paragraph."""
        return " · ".join((*self.details, *((self.note,) if self.note else ())))

    def as_json(self) -> dict[str, Any]:
        """As the REST door gives it."""
        return {
            "at": self.at,
            "type": self.type,
            "source": self.source,
            "title": self.title,
            "details": list(self.details),
            "late": self.late,
            "note": self.note,
        }


def tell(entry: Entry) -> Told:
    """A timeline entry in words; one that is not known here, or cannot be read, by its type."""
    name = short(entry.type) or entry.type
    event = event_of(entry)
    say, tone = (_WORDS.get(type(event)) if event else None) or (None, "quiet")
    title, details = say(event) if say else (name, [])
    late = entry.state == "late"
    return Told(
        at=format_instant(entry.time),
        type=name,
        source=entry.source,
        title=title,
        details=tuple(d for d in details if d),
        late=late,
        note=entry.note,
        tone="quiet" if late else tone,
    )


def event_of(entry: Entry) -> Event | None:
    """The event of a timeline entry; None for one that no version of ours can read."""
    try:
        return entry.envelope.event()
    except Unreadable:
        return None


def _name(part: Agency | Step | None) -> str:
    return part.name if part else "cơ quan xử lý"


def _when(label: str, at: datetime | None) -> str:
    return f"{label}: {vn_datetime(at)}" if at else ""


def _registered(event: DossierRegistered) -> Words:
    return f"Nộp hồ sơ {CHANNELS_VI[event.channel]}, chờ kiểm tra", []


def _received(event: DossierReceived) -> Words:
    title = f"Tiếp nhận hồ sơ, nộp {CHANNELS_VI[event.channel]}"
    return title, [_when("Hẹn trả kết quả", event.promised_at)]


def _refused(event: DossierRefused) -> Words:
    return "Không tiếp nhận hồ sơ", [
        f"Lý do: {event.reason}",
        f"Hướng dẫn: {event.next_step}",
    ]


def _supplement_requested(event: SupplementRequested) -> Words:
    title = f"{_name(event.agency)} yêu cầu bổ sung (lần {event.round})"
    return title, [
        "; ".join(event.items),
        f"Lý do: {event.reason}",
        _when("Trả lời trước", event.respond_by),
    ]


def _supplement_reminded(event: SupplementReminded) -> Words:
    title = f"Nhắc công dân bổ sung (lần {event.round})"
    return title, ["; ".join(event.items), _when("Trả lời trước", event.respond_by)]


def _supplement_extended(event: SupplementExtended) -> Words:
    title = f"Lùi hạn bổ sung (lần {event.round})"
    return title, [_when("Trả lời trước", event.respond_by)]


def _supplemented(event: DossierSupplemented) -> Words:
    papers = [f"{p.name} ({p.original} chính, {p.copy} sao)" for p in event.papers]
    changed = f"Sửa {len(event.form)} ô của tờ khai" if event.form else ""
    return f"Công dân đã bổ sung (lần {event.round})", [
        "; ".join(papers),
        changed,
        _when("Hạn trả kết quả", event.due_at),
    ]


def _payment_requested(event: PaymentRequested) -> Words:
    amount = vn_money(event.amount_vnd) if event.amount_vnd else "theo thông báo"
    return f"{_name(event.agency)} yêu cầu nộp tiền", [
        f"Số tiền: {amount}",
        f"Thông báo số {event.reference}",
    ]


def _supplement_dropped(event: SupplementDropped) -> Words:
    return f"Không còn chờ bổ sung (lần {event.round})", [event.reason]


def _clock_stopped(event: ClockStopped) -> Words:
    return "Tạm dừng tính thời hạn", [
        f"Chờ {_name(event.agency)}: {_name(event.step)}",
        "Thời gian của bước này không tính vào hạn giải quyết",
    ]


def _clock_resumed(_: ClockResumed) -> Words:
    return "Hết bước không tính vào thời hạn", []


_BECAUSE = {
    "clock_resumed": "sau thời gian không tính vào hạn",
    "supplement_dropped": "sau thời gian chờ bổ sung",
    "extended": "sau khi cơ quan xin lùi hẹn",
}


def _deadline_stated(event: DeadlineStated) -> Words:
    if event.clock == "stands":
        return "Thời hạn vẫn tạm dừng", []
    why = _BECAUSE.get(event.because, "")
    return f"Ngày hẹn trả {why}", [_when("Hẹn trả", event.due_at)]


def _paid(event: DossierPaid) -> Words:
    return "Công dân đã nộp tiền", [
        vn_money(event.amount_vnd),
        f"Thông báo số {event.reference}",
        _when("Hạn trả kết quả", event.due_at),
    ]


def _withdrawn(event: DossierWithdrawn) -> Words:
    return "Công dân rút hồ sơ", [f"Lý do: {event.reason}"]


def _returned(event: DossierReturned) -> Words:
    return "Đã trả kết quả", [RETURN_METHODS.get(event.method, ("", ""))[0]]


def _contact(_: ContactGiven) -> Words:
    return "Ghi nhận cách liên hệ của công dân", []


def _started(_: DossierStarted) -> Words:
    return "Hồ sơ được chuyển xử lý", []


def _stopped(event: DossierStopped) -> Words:
    return "Dừng xử lý", [f"Lý do: {event.reason}", f"Hướng dẫn: {event.next_step}"]


def _resolved(event: DossierResolved) -> Words:
    return "Đã có kết quả", [_result(result) for result in event.results]


def _result(result: StepResult) -> str:
    outcome = _OUTCOMES.get(result.outcome, result.outcome)
    told = (result.agency.name, outcome, result.document, result.reason)
    return " – ".join(part for part in told if part)


def _extended(event: DossierExtended) -> Words:
    return f"{_name(event.agency)} xin lỗi và hẹn lại (lần {event.number})", [
        f"Lý do: {event.reason}",
        _when("Hẹn mới", event.due_at),
    ]


def _step_opened(event: StepOpened) -> Words:
    return f"Giao việc: {_name(event.step)}", [
        _name(event.agency),
        _when("Hạn", event.due_at),
    ]


def _step_answered(event: StepAnswered) -> Words:
    said = _ANSWERS.get(event.answer, event.answer)
    if event.outcome:
        said = _OUTCOMES.get(event.outcome, said)
    return f"{_name(event.agency)}: {said}", [
        _name(event.step),
        f"Văn bản số {event.document}" if event.document else "",
        f"Lý do: {event.reason}" if event.reason else "",
        "Trễ hạn của bước" if event.late else "",
    ]


def _deadline(words: str) -> Callable[[DeadlineNear | DeadlineMissed], Words]:
    def say(event: DeadlineNear | DeadlineMissed) -> Words:
        what = "của hồ sơ" if event.scope == "dossier" else f"của {_name(event.agency)}"
        return f"{words} {what}", [_when("Hạn", event.due_at)]

    return say


def _notified(event: CitizenNotified) -> Words:
    by = _MEDIA.get(event.channel, event.channel)
    return f"Đã báo công dân bằng {by}: {_MOMENTS.get(event.moment, event.moment)}", []


def _unreachable(event: CitizenUnreachable) -> Words:
    moment = _MOMENTS.get(event.moment, event.moment)
    return f"Không báo được cho công dân: {moment}", [f"Lý do: {event.reason}"]


_Row = tuple[type[Event], tuple[Callable[[Any], Words], str]]


def _told(cls: type[E], say: Callable[[E], Words], tone: str) -> _Row:
    return cls, (say, tone)


_WORDS: Final[Mapping[type[Event], tuple[Callable[[Any], Words], str]]] = dict(
    (
        _told(DossierRegistered, _registered, "going"),
        _told(DossierReceived, _received, "going"),
        _told(DossierRefused, _refused, "bad"),
        _told(SupplementRequested, _supplement_requested, "waiting"),
        _told(SupplementReminded, _supplement_reminded, "waiting"),
        _told(SupplementExtended, _supplement_extended, "waiting"),
        _told(DossierSupplemented, _supplemented, "going"),
        _told(PaymentRequested, _payment_requested, "waiting"),
        _told(SupplementDropped, _supplement_dropped, "quiet"),
        _told(ClockStopped, _clock_stopped, "waiting"),
        _told(ClockResumed, _clock_resumed, "quiet"),
        _told(DeadlineStated, _deadline_stated, "going"),
        _told(DossierPaid, _paid, "going"),
        _told(DossierWithdrawn, _withdrawn, "quiet"),
        _told(DossierReturned, _returned, "good"),
        _told(ContactGiven, _contact, "quiet"),
        _told(DossierStarted, _started, "going"),
        _told(DossierStopped, _stopped, "bad"),
        _told(DossierResolved, _resolved, "good"),
        _told(DossierExtended, _extended, "waiting"),
        _told(StepOpened, _step_opened, "going"),
        _told(StepAnswered, _step_answered, "going"),
        _told(DeadlineNear, _deadline("Sắp đến hạn"), "waiting"),
        _told(DeadlineMissed, _deadline("Quá hạn"), "bad"),
        _told(CitizenNotified, _notified, "quiet"),
        _told(CitizenUnreachable, _unreachable, "bad"),
    )
)
