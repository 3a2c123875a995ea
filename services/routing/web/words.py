"""Vietnamese words and tones of the agencies' pages; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from services.routing.domain.case import Task
from shared.web.filters import vn_date

SOON: Final = timedelta(hours=24)

STATES: Final[Mapping[str, tuple[str, str]]] = {
    "assigned": ("Mới giao", "new"),
    "taken": ("Đang xử lý", "going"),
    "paused": ("Tạm dừng, chờ công dân", "quiet"),
    "answered": ("Đã trả lời", "good"),
    "cancelled": ("Đã hủy", "quiet"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "granted": "Đồng ý, có kết quả",
    "refused": "Từ chối",
    "silent_consent": "Không có ý kiến: coi là đồng ý",
}
KINDS: Final[Mapping[str, str]] = {
    "taken": "Nhận nhiệm vụ",
    "completed": "Trả kết quả",
    "supplement_needed": "Đề nghị bổ sung giấy tờ",
    "refused": "Từ chối giải quyết",
    "more_time_needed": "Xin thêm thời gian",
}

LABELS: Final[Mapping[str, str]] = {
    "officer": "Cán bộ thụ lý",
    "outcome": "Kết quả",
    "result_code": "Mã kết quả",
    "document": "Số, ký hiệu văn bản",
    "amount_vnd": "Số tiền công dân phải nộp",
    "items": "Giấy tờ còn thiếu",
    "reason": "Lý do",
    "respond_by": "Bổ sung trước",
    "until": "Hạn mới",
}


@dataclass(frozen=True, slots=True)
class Due:
    """How much time is left, in words, with the tone that colours them."""

    words: str
    tone: str


def due(task: Task, now: datetime) -> Due:
    """What is left of a task's time: late is bad, under a day is soon, else it goes well."""
    if task.state == "paused":
        return Due("Không tính hạn", "quiet")
    if task.due_at is None or not task.is_open:
        return Due("—", "quiet")
    left = task.due_at - now
    if left < timedelta(0):
        return Due(f"Quá hạn {_span(-left)}", "bad")
    return Due(f"Còn {_span(left)}", "waiting" if left <= SOON else "going")


def _span(length: timedelta) -> str:
    """Two units at most: days and hours, or hours and minutes."""
    minutes = int(length.total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} ngày {hours} giờ" if hours else f"{days} ngày"
    if hours:
        return f"{hours} giờ {minutes} phút" if minutes else f"{hours} giờ"
    return f"{minutes} phút"


def value(given: Any) -> str:
    """A form value as people read it; dates turn to day/month/year."""
    if given is None or given == "":
        return "—"
    if isinstance(given, bool):
        return "Có" if given else "Không"
    if isinstance(given, str) and len(given) == 10 and given[4] == given[7] == "-":
        try:
            date.fromisoformat(given)
        except ValueError:
            return given
        return vn_date(given)
    return str(given)
