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
    StopChanged,
)
from shared.events.parts import StepResult
from shared.events.routing import (
    ApologyDue,
    BranchChosen,
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
    StepSentBack,
    StepTransferred,
    SupplementDropped,
    VerificationOpened,
)
from shared.web.filters import vn_money
from shared.web.words import gettext, msgid

_OUTCOMES = {
    "granted": msgid("đồng ý, có kết quả"),
    "refused": msgid("không giải quyết"),
    "silent_consent": msgid("quá hạn không trả lời, coi như đồng ý"),
}
_ANSWERS = {
    "taken": msgid("đã nhận việc"),
    "completed": msgid("đã xong"),
    "refused": msgid("không giải quyết"),
    "supplement_needed": msgid("cần bổ sung giấy tờ"),
    "more_time_needed": msgid("cần thêm thời gian"),
    "not_ours": msgid("không thuộc thẩm quyền"),
    "elapsed": msgid("hết thời gian chờ"),
    "silent": msgid("không trả lời"),
}
MOMENTS = {
    "registered": msgid("đã nộp hồ sơ"),
    "refused": msgid("không được tiếp nhận"),
    "received": msgid("đã tiếp nhận"),
    "supplement_requested": msgid("cần bổ sung giấy tờ"),
    "supplement_reminder": msgid("nhắc bổ sung giấy tờ"),
    "supplement_extended": msgid("lùi hạn bổ sung"),
    "supplemented": msgid("đã nhận bổ sung"),
    "supplement_dropped": msgid("không còn chờ bổ sung"),
    "payment_requested": msgid("cần nộp tiền"),
    "paid": msgid("đã nộp tiền"),
    "resolved": msgid("có kết quả"),
    "returned": msgid("đã trả kết quả"),
    "partly_returned": msgid("đã trả một phần kết quả"),
    "extended": msgid("lùi ngày hẹn"),
    "verifying": msgid("xác minh bổ sung"),
    "branched": msgid("chọn cách giải quyết"),
    "stopped": msgid("dừng xử lý"),
    "withdrawn": msgid("đã rút hồ sơ"),
    "waybill_corrected": msgid("sửa mã vận đơn"),
    "contact_changed": msgid("cách liên hệ mới"),
}
_MEDIA = {"sms": msgid("tin nhắn"), "email": msgid("thư điện tử"), "call": msgid("điện thoại")}


def _started(_: DossierStarted) -> Words:
    return gettext("Hồ sơ được chuyển xử lý"), []


def _payment_requested(event: PaymentRequested) -> Words:
    amount = vn_money(event.amount_vnd) if event.amount_vnd else gettext("theo thông báo")
    return gettext("%(agency)s yêu cầu nộp tiền", agency=named(event.agency)), [
        gettext("Số tiền: %(amount)s", amount=amount),
        gettext("Thông báo số %(reference)s", reference=event.reference),
    ]


def _supplement_dropped(event: SupplementDropped) -> Words:
    return gettext("Không còn chờ bổ sung (lần %(round)s)", round=event.round), [event.reason]


def _clock_stopped(event: ClockStopped) -> Words:
    return gettext("Tạm dừng tính thời hạn"), [
        gettext("Chờ %(agency)s: %(step)s", agency=named(event.agency), step=named(event.step)),
        gettext("Thời gian của bước này không tính vào hạn giải quyết"),
    ]


def _clock_resumed(_: ClockResumed) -> Words:
    return gettext("Hết bước không tính vào thời hạn"), []


def _stopped(event: DossierStopped) -> Words:
    return gettext("Dừng xử lý"), [
        gettext("Lý do: %(reason)s", reason=event.reason),
        gettext("Hướng dẫn: %(next_step)s", next_step=event.next_step),
    ]


def _resolved(event: DossierResolved) -> Words:
    return gettext("Đã có kết quả"), [_result(result) for result in event.results]


def _result(result: StepResult) -> str:
    outcome = gettext(_OUTCOMES.get(result.outcome, result.outcome))
    told = (result.agency.name, outcome, result.document, result.reason)
    return " – ".join(part for part in told if part)


def _extended(event: DossierExtended) -> Words:
    return gettext(
        "%(agency)s xin lỗi và hẹn lại (lần %(number)s)",
        agency=named(event.agency),
        number=event.number,
    ), [
        gettext("Lý do: %(reason)s", reason=event.reason),
        when(gettext("Hẹn mới"), event.due_at),
    ]


def _time_asked(event: ExtensionRequested) -> Words:
    return gettext("%(agency)s xin gia hạn, chờ trưởng bộ phận", agency=named(event.agency)), [
        named(event.step),
        when(gettext("Xin đến"), event.until),
        gettext("Lý do: %(reason)s", reason=event.reason),
    ]


def _time_not_asked(_: ExtensionDropped) -> Words:
    return gettext("Yêu cầu gia hạn không còn: việc đã xong hoặc đã quá hạn"), []


def _apology_due(event: ApologyDue) -> Words:
    return gettext("Hết giờ nêu ngày hẹn mới: hệ thống xin lỗi công dân và hẹn lại"), [
        when(gettext("Hẹn mới"), event.due_at)
    ]


def _step_opened(event: StepOpened) -> Words:
    return gettext("Giao việc: %(step)s", step=named(event.step)), [
        named(event.agency),
        when(gettext("Hạn"), event.due_at),
    ]


def _step_repeated(event: StepRepeated) -> Words:
    return gettext(
        "Giao lại việc (lần %(number)s): %(step)s", number=event.number, step=named(event.step)
    ), [
        named(event.agency),
        gettext("Cơ quan chưa nhận việc"),
    ]


def _step_transferred(event: StepTransferred) -> Words:
    other = event.named if event.named != event.to else None
    return f"{named(event.agency)}: {_handed_to(event)}", [
        named(event.step),
        gettext("Lý do: %(reason)s", reason=event.reason),
        gettext("Cơ quan được nêu: %(agency)s", agency=named(other)) if other else "",
    ]


def _sent_back(event: StepSentBack) -> Words:
    return gettext(
        "%(agency)s trả hồ sơ về bước trước (lần %(number)s): %(step)s",
        agency=named(event.agency),
        number=event.number,
        step=named(event.to),
    ), [
        gettext("Từ bước: %(step)s", step=named(event.step)),
        gettext("Lý do: %(reason)s", reason=event.reason),
        gettext("Việc đã làm từ bước đó trở đi được làm lại"),
    ]


def _verification_opened(event: VerificationOpened) -> Words:
    return gettext("%(agency)s mở xác minh bổ sung", agency=named(event.agency)), [
        named(event.step),
        gettext("Lý do: %(reason)s", reason=event.reason),
        when(gettext("Hạn của bước"), event.due_at),
    ]


def _branch_chosen(event: BranchChosen) -> Words:
    return gettext(
        "%(agency)s chọn: %(branch)s", agency=named(event.agency), branch=event.branch.name
    ), [named(event.step)]


def _handed_to(event: StepTransferred) -> str:
    if event.reorganised and event.to:
        return gettext(
            "sắp xếp đơn vị hành chính, việc chuyển sang %(agency)s", agency=event.to.name
        )
    if event.to is None:
        return gettext("chờ trưởng bộ phận chọn cơ quan")
    return gettext("chuyển sang %(agency)s", agency=event.to.name)


def _step_answered(event: StepAnswered) -> Words:
    said = gettext(_ANSWERS.get(event.answer, event.answer))
    if event.rule:
        said = gettext("câu trả lời không được ghi nhận")
    if event.outcome:
        said = gettext(_OUTCOMES.get(event.outcome, said))
    return f"{named(event.agency)}: {said}", [
        named(event.step),
        gettext("Văn bản số %(document)s", document=event.document) if event.document else "",
        gettext("Lý do: %(reason)s", reason=event.reason) if event.reason else "",
        gettext("Trễ hạn của bước") if event.late else "",
    ]


def _overtaken(event: CorrectionOvertaken) -> Words:
    return gettext(
        "%(agency)s đã trả lời trước khi nhận bản sửa lần %(number)s",
        agency=named(event.agency),
        number=event.number,
    ), [
        named(event.step),
        gettext("Câu trả lời giữ nguyên; cơ quan đã được báo giá trị mới"),
    ]


def _deadline(words: str) -> Callable[[DeadlineNear | DeadlineMissed], Words]:
    def say(event: DeadlineNear | DeadlineMissed) -> Words:
        what = (
            gettext("của hồ sơ")
            if event.scope == "dossier"
            else gettext("của %(agency)s", agency=named(event.agency))
        )
        cause = event.cause if isinstance(event, DeadlineMissed) else None
        late = f"{event.agency.name}: {cause}" if cause and event.agency else ""
        return f"{gettext(words)} {what}", [when(gettext("Hạn"), event.due_at), late]

    return say


def _notified(event: CitizenNotified) -> Words:
    by = gettext(_MEDIA.get(event.channel, event.channel))
    if event.party is not None:
        return gettext(
            "Đã báo người liên quan (%(party)s) bằng %(by)s: %(moment)s",
            party=event.party,
            by=by,
            moment=gettext(MOMENTS.get(event.moment, event.moment)),
        ), []
    return gettext(
        "Đã báo công dân bằng %(by)s: %(moment)s",
        by=by,
        moment=gettext(MOMENTS.get(event.moment, event.moment)),
    ), []


#: Why notify reached nobody; a server's own answer, which has no such word, stays as it is.
_NOT_TOLD: Final = {
    "no_contact": msgid("không có thông tin liên hệ"),
    "no_consent": msgid("công dân không đồng ý nhận tin"),
    "no_address": msgid("không có số hoặc địa chỉ thư dùng được"),
    "opted_out": msgid("công dân đã từ chối nhận tin"),
    "not_delivered": msgid("nhà mạng báo tin không tới máy"),
    "bounced": msgid("thư bị trả lại, không tới"),
    "retries_spent": msgid("đã thử hết số lần cho phép"),
    "dossier_budget": msgid("hồ sơ đã dùng hết số tin thành phố cho phép"),
    "sent": msgid("không có tin báo đã tới trong thời gian chờ"),
    "uncertain": msgid("không rõ tin đã tới chưa"),
}


def _unreachable(event: CitizenUnreachable) -> Words:
    moment = gettext(MOMENTS.get(event.moment, event.moment))
    title = gettext("Không báo được cho công dân: %(moment)s", moment=moment)
    if event.party is not None:
        title = gettext(
            "Không báo được cho người liên quan (%(party)s): %(moment)s",
            party=event.party,
            moment=moment,
        )
    why = gettext(_NOT_TOLD.get(event.reason.partition(" ")[0], event.reason))
    return title, [gettext("Lý do: %(reason)s", reason=why)]


def _call_dropped(_: CallDropped) -> Words:
    return gettext("Không cần gọi điện cho công dân nữa"), [
        gettext("Tin đã tới, hoặc không còn đúng")
    ]


def _address_failed(event: AddressFailed) -> Words:
    by = gettext(_MEDIA.get(event.channel, event.channel))
    return gettext("Tin gửi bằng %(by)s không tới được công dân", by=by), []


def _stop_changed(event: StopChanged) -> Words:
    by = gettext(_MEDIA.get(event.channel, event.channel))
    if event.stopped:
        return gettext("Công dân từ chối nhận tin bằng %(by)s", by=by), []
    return gettext("Công dân nhận lại tin bằng %(by)s", by=by), []


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
    row(StepTransferred, _step_transferred, "waiting"),
    row(StepSentBack, _sent_back, "waiting"),
    row(VerificationOpened, _verification_opened, "waiting"),
    row(BranchChosen, _branch_chosen, "going"),
    row(CorrectionOvertaken, _overtaken, "bad"),
    row(DeadlineNear, _deadline(msgid("Sắp đến hạn")), "waiting"),
    row(DeadlineMissed, _deadline(msgid("Quá hạn")), "bad"),
    row(ExtensionRequested, _time_asked, "waiting"),
    row(ExtensionDropped, _time_not_asked, "quiet"),
    row(ApologyDue, _apology_due, "bad"),
    row(CitizenNotified, _notified, "quiet"),
    row(CitizenUnreachable, _unreachable, "bad"),
    row(CallDropped, _call_dropped, "quiet"),
    row(AddressFailed, _address_failed, "bad"),
    row(StopChanged, _stop_changed, "quiet"),
)
