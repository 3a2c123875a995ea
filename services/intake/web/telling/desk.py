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
    DossierBranched,
    DossierCorrected,
    DossierMoved,
    DossierPaid,
    DossierPartlyReturned,
    DossierReceived,
    DossierRefused,
    DossierRegistered,
    DossierReturned,
    DossierSupplemented,
    DossierVerifying,
    DossierWithdrawn,
    DropConfirmed,
    ExtensionGranted,
    ExtensionRefused,
    FileAdded,
    FileWithdrawn,
    PartyGiven,
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
    WaybillCorrected,
)
from shared.web.filters import vn_money
from shared.web.words import gettext, msgid

_BECAUSE = {
    "clock_resumed": msgid("sau thời gian không tính vào hạn"),
    "supplement_dropped": msgid("sau thời gian chờ bổ sung"),
    "extended": msgid("sau khi cơ quan xin lùi hẹn"),
}


def _registered(event: DossierRegistered) -> Words:
    return gettext(
        "Nộp hồ sơ %(channel)s, chờ kiểm tra", channel=gettext(CHANNELS_VI[event.channel])
    ), []


def _received(event: DossierReceived) -> Words:
    title = gettext("Tiếp nhận hồ sơ, nộp %(channel)s", channel=gettext(CHANNELS_VI[event.channel]))
    return title, [when(gettext("Hẹn trả kết quả"), event.promised_at)]


def _refused(event: DossierRefused) -> Words:
    return gettext("Không tiếp nhận hồ sơ"), [
        gettext("Lý do: %(reason)s", reason=event.reason),
        gettext("Hướng dẫn: %(next_step)s", next_step=event.next_step),
    ]


def _supplement_requested(event: SupplementRequested) -> Words:
    title = gettext(
        "%(agency)s yêu cầu bổ sung (lần %(round)s)", agency=named(event.agency), round=event.round
    )
    return title, [
        "; ".join(event.items),
        gettext("Lý do: %(reason)s", reason=event.reason),
        when(gettext("Trả lời trước"), event.respond_by),
    ]


def _supplement_reminded(event: SupplementReminded) -> Words:
    title = gettext("Nhắc công dân bổ sung (lần %(round)s)", round=event.round)
    return title, ["; ".join(event.items), when(gettext("Trả lời trước"), event.respond_by)]


def _supplement_extended(event: SupplementExtended) -> Words:
    title = gettext("Lùi hạn bổ sung (lần %(round)s)", round=event.round)
    return title, [when(gettext("Trả lời trước"), event.respond_by)]


def _supplemented(event: DossierSupplemented) -> Words:
    papers = [
        gettext(
            "%(name)s (%(original)s chính, %(copy)s sao)",
            name=p.name,
            original=p.original,
            copy=p.copy,
        )
        for p in event.papers
    ]
    changed = gettext("Sửa %(number)s ô của tờ khai", number=len(event.form)) if event.form else ""
    return gettext("Công dân đã bổ sung (lần %(round)s)", round=event.round), [
        "; ".join(papers),
        changed,
        when(gettext("Hạn trả kết quả"), event.due_at),
    ]


def _supplement_lapsed(event: SupplementLapsed) -> Words:
    return gettext("Hết hạn bổ sung (lần %(round)s)", round=event.round), [
        event.reason,
        when(gettext("Hạn bổ sung"), event.lapsed_at),
    ]


def _silence_confirmed(event: SilenceConfirmed) -> Words:
    return gettext("Ghi nhận cơ quan không trả lời trong hạn"), [when(gettext("Hạn"), event.due_at)]


def _result_confirmed(event: ResultConfirmed) -> Words:
    return gettext("Ghi nhận kết quả, báo công dân"), [
        when(gettext("Có kết quả lúc"), event.resolved_at)
    ]


def _stop_confirmed(event: StopConfirmed) -> Words:
    return gettext("Ghi nhận dừng xử lý, báo công dân"), [
        when(gettext("Dừng lúc"), event.stopped_at)
    ]


def _drop_confirmed(event: DropConfirmed) -> Words:
    return gettext(
        "Ghi nhận không còn chờ bổ sung (lần %(round)s), báo công dân", round=event.round
    ), []


def _paid(event: DossierPaid) -> Words:
    return gettext("Công dân đã nộp tiền"), [
        vn_money(event.amount_vnd),
        gettext("Thông báo số %(reference)s", reference=event.reference),
        when(gettext("Hạn trả kết quả"), event.due_at),
    ]


def _deadline_stated(event: DeadlineStated) -> Words:
    if event.clock == "stands":
        return gettext("Thời hạn vẫn tạm dừng"), []
    why = _BECAUSE.get(event.because)
    return gettext("Ngày hẹn trả %(why)s", why=gettext(why) if why else ""), [
        when(gettext("Hẹn trả"), event.due_at)
    ]


def _extension_granted(event: ExtensionGranted) -> Words:
    return gettext("Trưởng bộ phận đồng ý gia hạn"), [
        when(gettext("Đến"), event.until),
        gettext("Lý do: %(reason)s", reason=event.reason),
    ]


def _extension_refused(event: ExtensionRefused) -> Words:
    return gettext("Trưởng bộ phận không đồng ý gia hạn"), [
        gettext("Lý do: %(reason)s", reason=event.reason)
    ]


def _verifying(event: DossierVerifying) -> Words:
    return gettext("Ngày hẹn trả lùi theo luật vì xác minh bổ sung"), [
        gettext(
            "%(agency)s xác minh: %(step)s", agency=named(event.agency), step=named(event.step)
        ),
        gettext("Lý do: %(reason)s", reason=event.reason),
        when(gettext("Đã hẹn"), event.due_before),
        when(gettext("Hẹn trả"), event.due_at),
    ]


def _branched(event: DossierBranched) -> Words:
    title = gettext("Ngày hẹn trả lùi theo luật vì cách giải quyết đã chọn")
    if event.due_at == event.due_before:
        title = gettext(
            "Cách giải quyết đã chọn có thêm thời gian, nhưng đã lỡ ngày hẹn: chờ xin lỗi"
        )
    return title, [
        gettext(
            "%(agency)s chọn: %(branch)s", agency=named(event.agency), branch=event.branch.name
        ),
        named(event.step),
        when(gettext("Đã hẹn"), event.due_before),
        when(gettext("Hẹn trả"), event.due_at),
    ]


def _apologised(event: DossierApologised) -> Words:
    said = {"head": gettext("Lãnh đạo"), "clock": gettext("Hệ thống")}[event.by]
    title = gettext(
        "%(said)s xin lỗi công dân thay %(agency)s", said=said, agency=named(event.agency)
    )
    return title + (
        gettext(" và hẹn lại (lần %(number)s)", number=event.number) if event.due_at else ""
    ), [
        when(gettext("Đã hẹn"), event.missed_at),
        gettext("Lý do: %(reason)s", reason=event.reason),
        when(gettext("Hẹn mới"), event.due_at),
    ]


def _withdrawn(event: DossierWithdrawn) -> Words:
    return gettext("Công dân rút hồ sơ"), [gettext("Lý do: %(reason)s", reason=event.reason)]


def _moved(event: DossierMoved) -> Words:
    if event.from_office == event.office:
        title = gettext("Sắp xếp đơn vị hành chính: việc đang mở chuyển sang cơ quan mới")
    else:
        title = gettext(
            "Sắp xếp đơn vị hành chính: hồ sơ chuyển từ %(before)s sang %(office)s",
            before=named(event.from_office),
            office=named(event.office),
        )
    return title, [
        gettext("Ngày hẹn trả không đổi."),
        gettext("Căn cứ: %(reason)s", reason=event.reason),
    ]


def _returned(event: DossierReturned | DossierPartlyReturned) -> Words:
    sent = (
        gettext("%(carrier)s, mã vận đơn %(waybill)s", carrier=event.carrier, waybill=event.waybill)
        if event.waybill
        else ""
    )
    how = [
        gettext(RETURN_METHODS[event.method][0]) if event.method in RETURN_METHODS else "",
        sent,
        gettext(TAKERS_VI[event.taker]) if event.taker in TAKERS_VI else "",
    ]
    if isinstance(event, DossierPartlyReturned):
        return gettext("Đã trả một phần kết quả, còn %(left)s", left=event.left), how
    return gettext("Đã trả kết quả"), how


def _waybill_corrected(event: WaybillCorrected) -> Words:
    return gettext("Sửa mã vận đơn"), [
        f"{event.carrier}: {event.was or gettext('chưa ghi')} → {event.waybill}",
        gettext("Lý do: %(reason)s", reason=event.reason),
    ]


def _similar_seen(event: SimilarSeen) -> Words:
    shown = [
        gettext(
            "%(dossier)s tại %(office)s: ",
            dossier=each.dossier or gettext("một hồ sơ"),
            office=each.office.name,
        )
        + ", ".join(gettext(WHY_VI.get(why, why)) for why in each.why)
        for each in event.similar
    ]
    return gettext("Đã xem hồ sơ tương tự và vẫn nộp"), shown


def _corrected(event: DossierCorrected) -> Words:
    return gettext(
        "Sửa hồ sơ (lần %(number)s): %(mended)s chỗ", number=event.number, mended=event.mended
    ), []


def _file_added(event: FileAdded) -> Words:
    whose = (
        gettext("Kết quả của %(agency)s", agency=named(event.agency))
        if event.agency
        else gettext("Bản quét giấy tờ")
    )
    held = gettext("chờ quét mã độc") if event.held else ""
    return gettext("%(whose)s được lưu vào hồ sơ", whose=whose), [
        held,
        f"SHA-256 {event.sha256[:16]}…",
    ]


def _file_withdrawn(event: FileWithdrawn) -> Words:
    return gettext("Gỡ một tệp khỏi hồ sơ"), [
        gettext("Lý do: %(reason)s", reason=event.reason),
        f"SHA-256 {event.sha256[:16]}…",
    ]


def _slip_given(event: SlipGiven) -> Words:
    return gettext("Nhận tại quầy lúc mất mạng, giấy tạm số %(number)s", number=event.number), [
        when(gettext("Nhận lúc (theo máy ở quầy)"), event.taken_at),
        when(gettext("Gửi đến hệ thống"), event.sent_at),
    ]


#: What came of a call.
_CALLED: Final = {
    "reached": msgid("Đã gọi điện cho công dân và nói chuyện"),
    "called_back": msgid("Công dân gọi lại, đã được báo"),
    "no_answer": msgid("Gọi điện cho công dân: không ai nghe máy"),
    "wrong_number": msgid("Gọi điện cho công dân: sai số"),
    "met": msgid("Không cần gọi điện nữa: công dân đã đến bộ phận một cửa"),
}


def _called(event: CitizenCalled) -> Words:
    return gettext(_CALLED[event.outcome or "reached"]), []


def _contact(_: ContactGiven) -> Words:
    return gettext("Ghi nhận cách liên hệ của công dân"), []


def _party(event: PartyGiven) -> Words:
    return gettext("Ghi nhận cách liên hệ của người liên quan (%(party)s)", party=event.role), []


def _code_given(_: ResultCodeGiven) -> Words:
    return gettext("Công dân xin mã để đọc kết quả trực tuyến"), []


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
    row(DossierVerifying, _verifying, "going"),
    row(DossierBranched, _branched, "going"),
    row(DossierApologised, _apologised, "waiting"),
    row(DossierMoved, _moved, "going"),
    row(DossierWithdrawn, _withdrawn, "quiet"),
    row(DossierReturned, _returned, "good"),
    row(DossierPartlyReturned, _returned, "going"),
    row(ContactGiven, _contact, "quiet"),
    row(PartyGiven, _party, "quiet"),
    row(WaybillCorrected, _waybill_corrected, "quiet"),
    row(SimilarSeen, _similar_seen, "quiet"),
    row(DossierCorrected, _corrected, "going"),
    row(SlipGiven, _slip_given, "quiet"),
    row(CitizenCalled, _called, "quiet"),
    row(FileAdded, _file_added, "quiet"),
    row(FileWithdrawn, _file_withdrawn, "quiet"),
    row(ResultCodeGiven, _code_given, "quiet"),
)
