"""What routing and notify state, in the words of the timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.intake.web.telling.words import Words, named, row, when
from shared.events.notify import (
    AddressFailed,
    CallDropped,
    CitizenNotified,
    CitizenUnreachable,
)
from shared.events.parts import StepResult
from shared.events.routing import (
    ApologyDue,
    ClockResumed,
    ClockStopped,
    CorrectionOvertaken,
    DeadlineMissed,
    DeadlineNear,
    DossierExtended,
    DossierResolved,
    DossierStarted,
    DossierStopped,
    ExtensionDropped,
    ExtensionRequested,
    PaymentRequested,
    StepAnswered,
    StepOpened,
    StepRepeated,
    SupplementDropped,
)
from shared.web.filters import vn_money

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
MOMENTS_VI = {
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
    "partly_returned": "đã trả một phần kết quả",
    "extended": "lùi ngày hẹn",
    "stopped": "dừng xử lý",
    "withdrawn": "đã rút hồ sơ",
    "contact_changed": "cách liên hệ mới",
}
_MEDIA = {"sms": "tin nhắn", "email": "thư điện tử", "call": "điện thoại"}


def _started(_: DossierStarted) -> Words:
    return "Hồ sơ được chuyển xử lý", []


def _payment_requested(event: PaymentRequested) -> Words:
    amount = vn_money(event.amount_vnd) if event.amount_vnd else "theo thông báo"
    return f"{named(event.agency)} yêu cầu nộp tiền", [
        f"Số tiền: {amount}",
        f"Thông báo số {event.reference}",
    ]


def _supplement_dropped(event: SupplementDropped) -> Words:
    return f"Không còn chờ bổ sung (lần {event.round})", [event.reason]


def _clock_stopped(event: ClockStopped) -> Words:
    return "Tạm dừng tính thời hạn", [
        f"Chờ {named(event.agency)}: {named(event.step)}",
        "Thời gian của bước này không tính vào hạn giải quyết",
    ]


def _clock_resumed(_: ClockResumed) -> Words:
    return "Hết bước không tính vào thời hạn", []


def _stopped(event: DossierStopped) -> Words:
    return "Dừng xử lý", [f"Lý do: {event.reason}", f"Hướng dẫn: {event.next_step}"]


def _resolved(event: DossierResolved) -> Words:
    return "Đã có kết quả", [_result(result) for result in event.results]


def _result(result: StepResult) -> str:
    outcome = _OUTCOMES.get(result.outcome, result.outcome)
    told = (result.agency.name, outcome, result.document, result.reason)
    return " – ".join(part for part in told if part)


def _extended(event: DossierExtended) -> Words:
    return f"{named(event.agency)} xin lỗi và hẹn lại (lần {event.number})", [
        f"Lý do: {event.reason}",
        when("Hẹn mới", event.due_at),
    ]


def _time_asked(event: ExtensionRequested) -> Words:
    return f"{named(event.agency)} xin gia hạn, chờ trưởng bộ phận", [
        named(event.step),
        when("Xin đến", event.until),
        f"Lý do: {event.reason}",
    ]


def _time_not_asked(_: ExtensionDropped) -> Words:
    return "Yêu cầu gia hạn không còn: việc đã xong hoặc đã quá hạn", []


def _apology_due(event: ApologyDue) -> Words:
    return "Hết giờ nêu ngày hẹn mới: hệ thống xin lỗi công dân và hẹn lại", [
        when("Hẹn mới", event.due_at)
    ]


def _step_opened(event: StepOpened) -> Words:
    return f"Giao việc: {named(event.step)}", [
        named(event.agency),
        when("Hạn", event.due_at),
    ]


def _step_repeated(event: StepRepeated) -> Words:
    return f"Giao lại việc (lần {event.number}): {named(event.step)}", [
        named(event.agency),
        "Cơ quan chưa nhận việc",
    ]


def _step_answered(event: StepAnswered) -> Words:
    said = _ANSWERS.get(event.answer, event.answer)
    if event.rule:
        said = "câu trả lời không được ghi nhận"
    if event.outcome:
        said = _OUTCOMES.get(event.outcome, said)
    return f"{named(event.agency)}: {said}", [
        named(event.step),
        f"Văn bản số {event.document}" if event.document else "",
        f"Lý do: {event.reason}" if event.reason else "",
        "Trễ hạn của bước" if event.late else "",
    ]


def _overtaken(event: CorrectionOvertaken) -> Words:
    return f"{named(event.agency)} đã trả lời trước khi nhận bản sửa lần {event.number}", [
        named(event.step),
        "Câu trả lời giữ nguyên; cơ quan đã được báo giá trị mới",
    ]


def _deadline(words: str) -> Callable[[DeadlineNear | DeadlineMissed], Words]:
    def say(event: DeadlineNear | DeadlineMissed) -> Words:
        what = "của hồ sơ" if event.scope == "dossier" else f"của {named(event.agency)}"
        cause = event.cause if isinstance(event, DeadlineMissed) else None
        late = f"{event.agency.name}: {cause}" if cause and event.agency else ""
        return f"{words} {what}", [when("Hạn", event.due_at), late]

    return say


def _notified(event: CitizenNotified) -> Words:
    by = _MEDIA.get(event.channel, event.channel)
    return f"Đã báo công dân bằng {by}: {MOMENTS_VI.get(event.moment, event.moment)}", []


def _unreachable(event: CitizenUnreachable) -> Words:
    moment = MOMENTS_VI.get(event.moment, event.moment)
    return f"Không báo được cho công dân: {moment}", [f"Lý do: {event.reason}"]


def _call_dropped(_: CallDropped) -> Words:
    return "Không cần gọi điện cho công dân nữa", ["Tin đã tới, hoặc không còn đúng"]


def _address_failed(event: AddressFailed) -> Words:
    return f"Tin gửi bằng {_MEDIA.get(event.channel, event.channel)} không tới được công dân", []


ROWS: Final = (
    row(PaymentRequested, _payment_requested, "waiting"),
    row(SupplementDropped, _supplement_dropped, "quiet"),
    row(ClockStopped, _clock_stopped, "waiting"),
    row(ClockResumed, _clock_resumed, "quiet"),
    row(DossierStarted, _started, "going"),
    row(DossierStopped, _stopped, "bad"),
    row(DossierResolved, _resolved, "good"),
    row(DossierExtended, _extended, "waiting"),
    row(StepOpened, _step_opened, "going"),
    row(StepRepeated, _step_repeated, "waiting"),
    row(StepAnswered, _step_answered, "going"),
    row(CorrectionOvertaken, _overtaken, "bad"),
    row(DeadlineNear, _deadline("Sắp đến hạn"), "waiting"),
    row(DeadlineMissed, _deadline("Quá hạn"), "bad"),
    row(ExtensionRequested, _time_asked, "waiting"),
    row(ExtensionDropped, _time_not_asked, "quiet"),
    row(ApologyDue, _apology_due, "bad"),
    row(CitizenNotified, _notified, "quiet"),
    row(CitizenUnreachable, _unreachable, "bad"),
    row(CallDropped, _call_dropped, "quiet"),
    row(AddressFailed, _address_failed, "bad"),
)
