"""What the desk itself states, in the words of the timeline."""

from __future__ import annotations

from typing import Final

from services.intake.domain.dossier import CHANNELS_VI
from services.intake.domain.returning import RETURN_METHODS, TAKERS_VI
from services.intake.domain.similar import WHY_VI
from services.intake.web.telling.words import Words, named, row, when
from shared.events.intake import (
    CitizenCalled,
    ContactGiven,
    DeadlineStated,
    DossierApologised,
    DossierCorrected,
    DossierPaid,
    DossierPartlyReturned,
    DossierReceived,
    DossierRefused,
    DossierRegistered,
    DossierReturned,
    DossierSupplemented,
    DossierWithdrawn,
    DropConfirmed,
    ExtensionGranted,
    ExtensionRefused,
    FileAdded,
    FileWithdrawn,
    ResultCodeGiven,
    ResultConfirmed,
    SilenceConfirmed,
    SimilarSeen,
    SlipGiven,
    StopConfirmed,
    SupplementExtended,
    SupplementLapsed,
    SupplementReminded,
    SupplementRequested,
)
from shared.web.filters import vn_money

_BECAUSE = {
    "clock_resumed": "sau thời gian không tính vào hạn",
    "supplement_dropped": "sau thời gian chờ bổ sung",
    "extended": "sau khi cơ quan xin lùi hẹn",
}


def _registered(event: DossierRegistered) -> Words:
    return f"Nộp hồ sơ {CHANNELS_VI[event.channel]}, chờ kiểm tra", []


def _received(event: DossierReceived) -> Words:
    title = f"Tiếp nhận hồ sơ, nộp {CHANNELS_VI[event.channel]}"
    return title, [when("Hẹn trả kết quả", event.promised_at)]


def _refused(event: DossierRefused) -> Words:
    return "Không tiếp nhận hồ sơ", [
        f"Lý do: {event.reason}",
        f"Hướng dẫn: {event.next_step}",
    ]


def _supplement_requested(event: SupplementRequested) -> Words:
    title = f"{named(event.agency)} yêu cầu bổ sung (lần {event.round})"
    return title, [
        "; ".join(event.items),
        f"Lý do: {event.reason}",
        when("Trả lời trước", event.respond_by),
    ]


def _supplement_reminded(event: SupplementReminded) -> Words:
    title = f"Nhắc công dân bổ sung (lần {event.round})"
    return title, ["; ".join(event.items), when("Trả lời trước", event.respond_by)]


def _supplement_extended(event: SupplementExtended) -> Words:
    title = f"Lùi hạn bổ sung (lần {event.round})"
    return title, [when("Trả lời trước", event.respond_by)]


def _supplemented(event: DossierSupplemented) -> Words:
    papers = [f"{p.name} ({p.original} chính, {p.copy} sao)" for p in event.papers]
    changed = f"Sửa {len(event.form)} ô của tờ khai" if event.form else ""
    return f"Công dân đã bổ sung (lần {event.round})", [
        "; ".join(papers),
        changed,
        when("Hạn trả kết quả", event.due_at),
    ]


def _supplement_lapsed(event: SupplementLapsed) -> Words:
    return f"Hết hạn bổ sung (lần {event.round})", [
        event.reason,
        when("Hạn bổ sung", event.lapsed_at),
    ]


def _silence_confirmed(event: SilenceConfirmed) -> Words:
    return "Ghi nhận cơ quan không trả lời trong hạn", [when("Hạn", event.due_at)]


def _result_confirmed(event: ResultConfirmed) -> Words:
    return "Ghi nhận kết quả, báo công dân", [when("Có kết quả lúc", event.resolved_at)]


def _stop_confirmed(event: StopConfirmed) -> Words:
    return "Ghi nhận dừng xử lý, báo công dân", [when("Dừng lúc", event.stopped_at)]


def _drop_confirmed(event: DropConfirmed) -> Words:
    return f"Ghi nhận không còn chờ bổ sung (lần {event.round}), báo công dân", []


def _paid(event: DossierPaid) -> Words:
    return "Công dân đã nộp tiền", [
        vn_money(event.amount_vnd),
        f"Thông báo số {event.reference}",
        when("Hạn trả kết quả", event.due_at),
    ]


def _deadline_stated(event: DeadlineStated) -> Words:
    if event.clock == "stands":
        return "Thời hạn vẫn tạm dừng", []
    why = _BECAUSE.get(event.because, "")
    return f"Ngày hẹn trả {why}", [when("Hẹn trả", event.due_at)]


def _extension_granted(event: ExtensionGranted) -> Words:
    return "Trưởng bộ phận đồng ý gia hạn", [when("Đến", event.until), f"Lý do: {event.reason}"]


def _extension_refused(event: ExtensionRefused) -> Words:
    return "Trưởng bộ phận không đồng ý gia hạn", [f"Lý do: {event.reason}"]


def _apologised(event: DossierApologised) -> Words:
    said = {"head": "Lãnh đạo", "clock": "Hệ thống"}[event.by]
    title = f"{said} xin lỗi công dân thay {named(event.agency)}"
    return title + (f" và hẹn lại (lần {event.number})" if event.due_at else ""), [
        when("Đã hẹn", event.missed_at),
        f"Lý do: {event.reason}",
        when("Hẹn mới", event.due_at),
    ]


def _withdrawn(event: DossierWithdrawn) -> Words:
    return "Công dân rút hồ sơ", [f"Lý do: {event.reason}"]


def _returned(event: DossierReturned | DossierPartlyReturned) -> Words:
    sent = f"{event.carrier}, mã vận đơn {event.waybill}" if event.waybill else ""
    how = [
        RETURN_METHODS.get(event.method, ("", ""))[0],
        sent,
        TAKERS_VI.get(event.taker or "", ""),
    ]
    if isinstance(event, DossierPartlyReturned):
        return f"Đã trả một phần kết quả, còn {event.left}", how
    return "Đã trả kết quả", how


def _similar_seen(event: SimilarSeen) -> Words:
    shown = [
        f"{each.dossier or 'một hồ sơ'} tại {each.office.name}: "
        + ", ".join(WHY_VI.get(why, why) for why in each.why)
        for each in event.similar
    ]
    return "Đã xem hồ sơ tương tự và vẫn nộp", shown


def _corrected(event: DossierCorrected) -> Words:
    return f"Sửa hồ sơ (lần {event.number}): {event.mended} chỗ", []


def _file_added(event: FileAdded) -> Words:
    whose = f"Kết quả của {named(event.agency)}" if event.agency else "Bản quét giấy tờ"
    held = "chờ quét mã độc" if event.held else ""
    return f"{whose} được lưu vào hồ sơ", [held, f"SHA-256 {event.sha256[:16]}…"]


def _file_withdrawn(event: FileWithdrawn) -> Words:
    return "Gỡ một tệp khỏi hồ sơ", [f"Lý do: {event.reason}", f"SHA-256 {event.sha256[:16]}…"]


def _slip_given(event: SlipGiven) -> Words:
    return f"Nhận tại quầy lúc mất mạng, giấy tạm số {event.number}", [
        when("Nhận lúc (theo máy ở quầy)", event.taken_at),
        when("Gửi đến hệ thống", event.sent_at),
    ]


#: What came of a call.
_CALLED: Final = {
    "reached": "Đã gọi điện cho công dân và nói chuyện",
    "called_back": "Công dân gọi lại, đã được báo",
    "no_answer": "Gọi điện cho công dân: không ai nghe máy",
    "wrong_number": "Gọi điện cho công dân: sai số",
    "met": "Không cần gọi điện nữa: công dân đã đến bộ phận một cửa",
}


def _called(event: CitizenCalled) -> Words:
    return _CALLED[event.outcome or "reached"], []


def _contact(_: ContactGiven) -> Words:
    return "Ghi nhận cách liên hệ của công dân", []


def _code_given(_: ResultCodeGiven) -> Words:
    return "Công dân xin mã để đọc kết quả trực tuyến", []


ROWS: Final = (
    row(DossierRegistered, _registered, "going"),
    row(DossierReceived, _received, "going"),
    row(DossierRefused, _refused, "bad"),
    row(SupplementRequested, _supplement_requested, "waiting"),
    row(SupplementReminded, _supplement_reminded, "waiting"),
    row(SupplementExtended, _supplement_extended, "waiting"),
    row(DossierSupplemented, _supplemented, "going"),
    row(DeadlineStated, _deadline_stated, "going"),
    row(DossierPaid, _paid, "going"),
    row(SupplementLapsed, _supplement_lapsed, "bad"),
    row(SilenceConfirmed, _silence_confirmed, "quiet"),
    row(ResultConfirmed, _result_confirmed, "quiet"),
    row(StopConfirmed, _stop_confirmed, "quiet"),
    row(DropConfirmed, _drop_confirmed, "quiet"),
    row(ExtensionGranted, _extension_granted, "waiting"),
    row(ExtensionRefused, _extension_refused, "quiet"),
    row(DossierApologised, _apologised, "waiting"),
    row(DossierWithdrawn, _withdrawn, "quiet"),
    row(DossierReturned, _returned, "good"),
    row(DossierPartlyReturned, _returned, "going"),
    row(ContactGiven, _contact, "quiet"),
    row(SimilarSeen, _similar_seen, "quiet"),
    row(DossierCorrected, _corrected, "going"),
    row(SlipGiven, _slip_given, "quiet"),
    row(CitizenCalled, _called, "quiet"),
    row(FileAdded, _file_added, "quiet"),
    row(FileWithdrawn, _file_withdrawn, "quiet"),
    row(ResultCodeGiven, _code_given, "quiet"),
)
