"""Vietnamese words for what the pages show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notify.domain import moments
from services.notify.domain.digests import REMINDED
from services.notify.domain.messages import Message
from services.notify.domain.receipts import Fate, Ticket
from services.notify.domain.states import State
from services.notify.storage.receipts import Try
from services.notify.usecases.calling import DESK
from shared.kernel.clock import to_vn
from shared.web.words import msgid

MOMENTS: Final = {
    **moments.NAMES_VI,
    REMINDED: "Nhắc việc trong ngày (gửi cán bộ)",
    "answer_stopped": msgid("Trả lời SMS: đã ngừng nhận tin"),
    "answer_started": msgid("Trả lời SMS: nhận lại tin"),
    "answer_status": msgid("Trả lời SMS: tình trạng hồ sơ"),
    "answer_not_found": msgid("Trả lời SMS: sai mã hoặc từ tra cứu"),
    "answer_later": msgid("Trả lời SMS: chưa tra cứu được"),
    "answer_genuine": msgid("Trả lời SMS: đúng tin của thành phố"),
    "answer_not_genuine": msgid("Trả lời SMS: không phải tin của thành phố"),
    "answer_help": msgid("Trả lời SMS: hướng dẫn"),
}
CHANNELS: Final[Mapping[str, str]] = {
    "sms": "SMS",
    "email": "Thư điện tử",
    "call": "Gọi điện (bộ phận một cửa)",
}
#: How somebody ended what was sent to them.
ASKED_BY: Final[Mapping[str, str]] = {
    "sms": msgid("Nhắn tin TU CHOI"),
    "email": msgid("Bấm ngừng nhận trong thư"),
    "operator": msgid("Người vận hành ghi"),
}
TONES: Final[Mapping[State, str]] = {
    State.AWAITING_CONTACT: "waiting",
    State.QUEUED: "new",
    State.SENDING: "going",
    State.SENT: "good",
    State.DELIVERED: "good",
    State.FAILED: "waiting",
    State.UNCERTAIN: "waiting",
    State.UNDELIVERABLE: "bad",
    State.SKIPPED: "quiet",
    State.HELD: "waiting",
    State.STANDBY: "quiet",
    State.TO_CALL: "bad",
    State.SPARED: "quiet",
    State.CANCELLED: "quiet",
    State.RECALLED: "quiet",
    State.OPTED_OUT: "quiet",
}
REASONS: Final[Mapping[str, str]] = {
    "no_contact": "Không có thông tin liên hệ sau 24 giờ",
    "no_consent": "Công dân không đồng ý nhận tin",
    "no_address": "Không có số điện thoại hoặc địa chỉ thư dùng được",
    "retries_spent": "Đã thử hết số lần cho phép",
    "not_delivered": "Nhà mạng báo không tới máy",
    "sender_stopped": "Chương trình dừng khi đang gửi",
    "too_slow": "Cổng không nhận trong thời gian chờ",
    "expired": "Hết hạn dùng trước khi gửi được",
    "outdated": "Không còn đúng khi đến lượt gửi",
    "quiet_hours": "Giờ yên tĩnh của thành phố",
    "together": "Vừa báo việc khác của hồ sơ này; chờ để gộp",
    "day_is_full": "Số này đã nhận đủ số tin trong ngày",
    "ordered": "Người vận hành cho gửi",
    "at_desk": "Công dân vừa làm việc này tại bộ phận một cửa",
    "wrong_number": "Cán bộ gọi: sai số",
    "opted_out": "Người dân đã từ chối nhận tin bằng cách này",
}


_OUTCOMES: Final = {
    "sent": "nhận",
    "failed": "chưa nhận",
    "unknown": "ngắt giữa chừng, không rõ đã nhận chưa",
    "reached": "đã gặp, đã nói",
    "called_back": "công dân gọi lại, đã nói",
    "no_answer": "không ai nghe máy",
    "wrong_number": "sai số",
    "met": "công dân đã đến bộ phận một cửa",
}
_FATES: Final = {
    Fate.TAKEN: "chờ biên nhận",
    Fate.UNDERWAY: "đang trên đường",
    Fate.LOST: "không tới máy",
    Fate.DELIVERED: "đã tới máy",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a message, as the timeline of a page shows it."""

    at: datetime
    title: str
    text: str = ""
    tone: str = "going"


def story(message: Message, tries: Sequence[Try], tickets: Sequence[Ticket]) -> list[Happened]:
    """Each time that it was handed over and each receipt, in their order."""
    told = [Happened(message.made_at, "Soạn xong")]
    for each in tries:
        by = CHANNELS["call"] if each.provider == DESK else each.provider
        tone = "good" if each.outcome in ("sent", "reached", "called_back", "met") else "bad"
        what = _OUTCOMES.get(each.outcome, each.outcome)
        told.append(
            Happened(each.at, f"Lần {each.number}, {by}: {what}", reason(each.reason), tone)
        )
    for ticket in tickets:
        part = f"phần {ticket.part}/{ticket.parts}: " if ticket.parts > 1 else ""
        tone = {Fate.LOST: "bad", Fate.DELIVERED: "good"}.get(ticket.fate, "waiting")
        title = f"Biên nhận {part}{_FATES[ticket.fate]} lúc {to_vn(ticket.changed_at):%H:%M}"
        told.append(Happened(ticket.changed_at, title, f"{ticket.provider} {ticket.code}", tone))
    return sorted(told, key=lambda each: each.at)


def reason(text: str | None) -> str:
    """A stored reason in words; a channel's own answer stays as it is."""
    return REASONS.get(text or "", text or "")
