"""The timeline in Vietnamese: what each fact says to a desk officer; no personal data is repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.intake.domain.facts import RETURN_METHODS
from shared.kernel.clock import format_instant
from shared.messaging.timeline import Entry
from shared.web.filters import vn_datetime, vn_money

Data = Mapping[str, Any]
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
    """A timeline entry in words; a fact that is not known here is named by its type."""
    name = _short(entry.type)
    say, tone = _WORDS.get(name, (None, "quiet"))
    title, details = say(entry.envelope.data) if say else (name, [])
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


def _short(wire_type: str) -> str:
    """`dossier.received` of `vn.lienthong.dossier.received.v1`; the contract is not known here."""
    return wire_type.removeprefix("vn.lienthong.").rpartition(".v")[0] or wire_type


def _name(part: Any) -> str:
    return str(part["name"]) if part else "cơ quan xử lý"


def _when(label: str, at: str | None) -> str:
    return f"{label}: {vn_datetime(at)}" if at else ""


def _registered(data: Data) -> Words:
    return f"Nộp hồ sơ {CHANNELS_VI[data['channel']]}, chờ kiểm tra", []


def _received(data: Data) -> Words:
    title = f"Tiếp nhận hồ sơ, nộp {CHANNELS_VI[data['channel']]}"
    return title, [_when("Hẹn trả kết quả", data["promised_at"])]


def _refused(data: Data) -> Words:
    return "Không tiếp nhận hồ sơ", [
        f"Lý do: {data['reason']}",
        f"Hướng dẫn: {data['next_step']}",
    ]


def _supplement_requested(data: Data) -> Words:
    title = f"{_name(data['agency'])} yêu cầu bổ sung (lần {data['round']})"
    return title, [
        "; ".join(data["items"]),
        f"Lý do: {data['reason']}",
        _when("Trả lời trước", data["respond_by"]),
    ]


def _supplement_reminded(data: Data) -> Words:
    title = f"Nhắc công dân bổ sung (lần {data['round']})"
    return title, ["; ".join(data["items"]), _when("Trả lời trước", data["respond_by"])]


def _supplement_extended(data: Data) -> Words:
    title = f"Lùi hạn bổ sung (lần {data['round']})"
    return title, [_when("Trả lời trước", data["respond_by"])]


def _supplemented(data: Data) -> Words:
    papers = [f"{p['name']} ({p['original']} chính, {p['copy']} sao)" for p in data["papers"]]
    changed = f"Sửa {len(data['form'])} ô của tờ khai" if data["form"] else ""
    return f"Công dân đã bổ sung (lần {data['round']})", [
        "; ".join(papers),
        changed,
        _when("Hạn trả kết quả", data["due_at"]),
    ]


def _payment_requested(data: Data) -> Words:
    amount = vn_money(data["amount_vnd"]) if data["amount_vnd"] else "theo thông báo"
    return f"{_name(data['agency'])} yêu cầu nộp tiền", [
        f"Số tiền: {amount}",
        f"Thông báo số {data['reference']}",
    ]


def _supplement_dropped(data: Data) -> Words:
    return f"Không còn chờ bổ sung (lần {data['round']})", [data["reason"]]


def _clock_stopped(data: Data) -> Words:
    return "Tạm dừng tính thời hạn", [
        f"Chờ {_name(data['agency'])}: {_name(data['step'])}",
        "Thời gian của bước này không tính vào hạn giải quyết",
    ]


def _clock_resumed(_: Data) -> Words:
    return "Hết bước không tính vào thời hạn", []


_BECAUSE = {
    "clock_resumed": "sau thời gian không tính vào hạn",
    "supplement_dropped": "sau thời gian chờ bổ sung",
    "extended": "sau khi cơ quan xin lùi hẹn",
}


def _deadline_stated(data: Data) -> Words:
    if data["clock"] == "stands":
        return "Thời hạn vẫn tạm dừng", []
    why = _BECAUSE.get(data["because"], "")
    return f"Ngày hẹn trả {why}", [_when("Hẹn trả", data["due_at"])]


def _paid(data: Data) -> Words:
    return "Công dân đã nộp tiền", [
        vn_money(data["amount_vnd"]),
        f"Thông báo số {data['reference']}",
        _when("Hạn trả kết quả", data["due_at"]),
    ]


def _withdrawn(data: Data) -> Words:
    return "Công dân rút hồ sơ", [f"Lý do: {data['reason']}"]


def _returned(data: Data) -> Words:
    return "Đã trả kết quả", [RETURN_METHODS.get(data["method"], ("", ""))[0]]


def _contact(_: Data) -> Words:
    return "Ghi nhận cách liên hệ của công dân", []


def _started(_: Data) -> Words:
    return "Hồ sơ được chuyển xử lý", []


def _stopped(data: Data) -> Words:
    return "Dừng xử lý", [f"Lý do: {data['reason']}", f"Hướng dẫn: {data['next_step']}"]


def _resolved(data: Data) -> Words:
    return "Đã có kết quả", [
        " – ".join(
            str(part)
            for part in (
                result["agency"]["name"],
                _OUTCOMES.get(result["outcome"], result["outcome"]),
                result.get("document"),
                result.get("reason"),
            )
            if part
        )
        for result in data["results"]
    ]


def _extended(data: Data) -> Words:
    return f"{_name(data['agency'])} xin lỗi và hẹn lại (lần {data['number']})", [
        f"Lý do: {data['reason']}",
        _when("Hẹn mới", data["due_at"]),
    ]


def _step_opened(data: Data) -> Words:
    return f"Giao việc: {_name(data['step'])}", [
        _name(data["agency"]),
        _when("Hạn", data["due_at"]),
    ]


def _step_answered(data: Data) -> Words:
    said = _ANSWERS.get(data["answer"], data["answer"])
    if data.get("outcome"):
        said = _OUTCOMES.get(data["outcome"], said)
    return f"{_name(data['agency'])}: {said}", [
        _name(data["step"]),
        f"Văn bản số {data['document']}" if data.get("document") else "",
        f"Lý do: {data['reason']}" if data.get("reason") else "",
        "Trễ hạn của bước" if data["late"] else "",
    ]


def _deadline(words: str) -> Callable[[Data], Words]:
    def say(data: Data) -> Words:
        what = "của hồ sơ" if data["scope"] == "dossier" else f"của {_name(data['agency'])}"
        return f"{words} {what}", [_when("Hạn", data["due_at"])]

    return say


def _notified(data: Data) -> Words:
    by = _MEDIA.get(data["channel"], data["channel"])
    return f"Đã báo công dân bằng {by}: {_MOMENTS.get(data['moment'], data['moment'])}", []


def _unreachable(data: Data) -> Words:
    moment = _MOMENTS.get(data["moment"], data["moment"])
    return f"Không báo được cho công dân: {moment}", [f"Lý do: {data['reason']}"]


_WORDS: Mapping[str, tuple[Callable[[Data], Words], str]] = {
    "dossier.registered": (_registered, "going"),
    "dossier.received": (_received, "going"),
    "dossier.refused": (_refused, "bad"),
    "dossier.supplement_requested": (_supplement_requested, "waiting"),
    "dossier.supplement_reminded": (_supplement_reminded, "waiting"),
    "dossier.supplement_extended": (_supplement_extended, "waiting"),
    "dossier.supplemented": (_supplemented, "going"),
    "dossier.payment_requested": (_payment_requested, "waiting"),
    "dossier.supplement_dropped": (_supplement_dropped, "quiet"),
    "clock.stopped": (_clock_stopped, "waiting"),
    "clock.resumed": (_clock_resumed, "quiet"),
    "deadline.stated": (_deadline_stated, "going"),
    "dossier.paid": (_paid, "going"),
    "dossier.withdrawn": (_withdrawn, "quiet"),
    "dossier.returned": (_returned, "good"),
    "contact.given": (_contact, "quiet"),
    "dossier.started": (_started, "going"),
    "dossier.stopped": (_stopped, "bad"),
    "dossier.resolved": (_resolved, "good"),
    "dossier.extended": (_extended, "waiting"),
    "step.opened": (_step_opened, "going"),
    "step.answered": (_step_answered, "going"),
    "deadline.near": (_deadline("Sắp đến hạn"), "waiting"),
    "deadline.missed": (_deadline("Quá hạn"), "bad"),
    "citizen.notified": (_notified, "quiet"),
    "citizen.unreachable": (_unreachable, "bad"),
}
