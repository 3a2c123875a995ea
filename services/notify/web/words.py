"""Vietnamese words for what the pages show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.notify.domain import moments
from services.notify.domain.digests import REMINDED
from services.notify.domain.states import State

MOMENTS: Final = {**moments.NAMES_VI, REMINDED: "Nhắc việc trong ngày (gửi cán bộ)"}
CHANNELS: Final[Mapping[str, str]] = {"sms": "SMS", "email": "Thư điện tử"}
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
}
REASONS: Final[Mapping[str, str]] = {
    "no_contact": "Không có thông tin liên hệ sau 24 giờ",
    "no_consent": "Công dân không đồng ý nhận tin",
    "no_address": "Không có số điện thoại hoặc địa chỉ thư dùng được",
    "retries_spent": "Đã thử hết số lần cho phép",
    "not_delivered": "Nhà mạng báo không tới máy",
    "sender_stopped": "Chương trình dừng khi đang gửi",
}


def reason(text: str | None) -> str:
    """A stored reason in words; a channel's own answer stays as it is."""
    return REASONS.get(text or "", text or "")
