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
from shared.web.filters import vn_time
from shared.web.words import gettext, msgid

MOMENTS: Final[Mapping[str, str]] = {
    **moments.NAMES_VI,
    REMINDED: msgid("Nhắc việc trong ngày (gửi cán bộ)"),
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
    "email": msgid("Thư điện tử"),
    "call": msgid("Gọi điện (bộ phận một cửa)"),
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
    "no_contact": msgid("Không có thông tin liên hệ sau 24 giờ"),
    "no_consent": msgid("Công dân không đồng ý nhận tin"),
    "no_address": msgid("Không có số điện thoại hoặc địa chỉ thư dùng được"),
    "retries_spent": msgid("Đã thử hết số lần cho phép"),
    "not_delivered": msgid("Nhà mạng báo không tới máy"),
    "sender_stopped": msgid("Chương trình dừng khi đang gửi"),
    "too_slow": msgid("Cổng không nhận trong thời gian chờ"),
    "expired": msgid("Hết hạn dùng trước khi gửi được"),
    "outdated": msgid("Không còn đúng khi đến lượt gửi"),
    "quiet_hours": msgid("Giờ yên tĩnh của thành phố"),
    "together": msgid("Vừa báo việc khác của hồ sơ này; chờ để gộp"),
    "day_is_full": msgid("Số này đã nhận đủ số tin trong ngày"),
    "ordered": msgid("Người vận hành cho gửi"),
    "at_desk": msgid("Công dân vừa làm việc này tại bộ phận một cửa"),
    "wrong_number": msgid("Cán bộ gọi: sai số"),
    "opted_out": msgid("Người dân đã từ chối nhận tin bằng cách này"),
    "bounced": msgid("Thư bị trả lại: máy chủ thư báo không tới"),
    "dossier_budget": msgid("Hồ sơ đã dùng hết số tin thành phố cho phép bằng cách này"),
}


_OUTCOMES: Final = {
    "sent": msgid("nhận"),
    "failed": msgid("chưa nhận"),
    "unknown": msgid("ngắt giữa chừng, không rõ đã nhận chưa"),
    "reached": msgid("đã gặp, đã nói"),
    "called_back": msgid("công dân gọi lại, đã nói"),
    "no_answer": msgid("không ai nghe máy"),
    "wrong_number": msgid("sai số"),
    "met": msgid("công dân đã đến bộ phận một cửa"),
    "bounced": msgid("thư bị trả lại, không tới"),
    "delayed": msgid("thư chậm, máy chủ còn đang thử"),
}
_FATES: Final = {
    Fate.TAKEN: msgid("chờ biên nhận"),
    Fate.UNDERWAY: msgid("đang trên đường"),
    Fate.LOST: msgid("không tới máy"),
    Fate.DELIVERED: msgid("đã tới máy"),
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
    told = [Happened(message.made_at, gettext("Soạn xong"))]
    for each in tries:
        by = gettext(CHANNELS["call"]) if each.provider == DESK else each.provider
        tone = "good" if each.outcome in ("sent", "reached", "called_back", "met") else "bad"
        what = gettext(_OUTCOMES.get(each.outcome, each.outcome))
        title = gettext("Lần %(number)s, %(by)s: %(what)s", number=each.number, by=by, what=what)
        told.append(Happened(each.at, title, reason(each.reason), tone))
    for ticket in tickets:
        tone = {Fate.LOST: "bad", Fate.DELIVERED: "good"}.get(ticket.fate, "waiting")
        by = f"{ticket.provider} {ticket.code}"
        told.append(Happened(ticket.changed_at, _receipt(ticket), by, tone))
    return sorted(told, key=lambda each: each.at)


def _receipt(ticket: Ticket) -> str:
    fate, at = gettext(_FATES[ticket.fate]), vn_time(ticket.changed_at)
    if ticket.parts == 1:
        return gettext("Biên nhận %(fate)s lúc %(at)s", fate=fate, at=at)
    return gettext(
        "Biên nhận phần %(part)s/%(parts)s: %(fate)s lúc %(at)s",
        part=ticket.part, parts=ticket.parts, fate=fate, at=at,
    )  # fmt: skip


def reason(text: str | None) -> str:
    """A stored reason in words, its code behind them; a channel's own answer stays as it is."""
    word, _, code = (text or "").partition(" ")
    if not text or word not in REASONS:
        return text or ""
    return f"{gettext(REASONS[word])} ({code})" if code else gettext(REASONS[word])
