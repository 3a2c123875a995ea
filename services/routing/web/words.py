"""Vietnamese words and tones of the agencies' pages; nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from services.routing.domain.case import Task
from shared.catalogue.step import Choice
from shared.kernel.clock import parse_day
from shared.kernel.errors import Fault
from shared.web.due import Due, time_left
from shared.web.filters import vn_date, vn_number
from shared.web.words import gettext, msgid, ngettext, said

STATES: Final[Mapping[str, tuple[str, str]]] = {
    "assigned": (msgid("Mới giao"), "new"),
    "taken": (msgid("Đang xử lý"), "going"),
    "paused": (msgid("Tạm dừng, chờ công dân"), "quiet"),
    "answered": (msgid("Đã trả lời"), "good"),
    "cancelled": (msgid("Đã hủy"), "quiet"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "granted": msgid("Đồng ý, có kết quả"),
    "refused": msgid("Từ chối"),
    "silent_consent": msgid("Không có ý kiến: coi là đồng ý"),
}
KINDS: Final[Mapping[str, str]] = {
    "taken": msgid("Nhận nhiệm vụ"),
    "completed": msgid("Trả kết quả"),
    "supplement_needed": msgid("Đề nghị bổ sung giấy tờ"),
    "refused": msgid("Từ chối giải quyết"),
    "not_ours": msgid("Không thuộc thẩm quyền"),
    "sent_back": msgid("Trả về bước trước"),
    "verification_needed": msgid("Mở xác minh bổ sung"),
    "more_time_needed": msgid("Xin thêm thời gian"),
}
UNKNOWN_KIND: Final = msgid("Câu trả lời")

LABELS: Final[Mapping[str, str]] = {
    "officer": msgid("Cán bộ thụ lý"),
    "outcome": msgid("Kết quả"),
    "result_code": msgid("Mã kết quả"),
    "branch": msgid("Cách giải quyết tiếp"),
    "document": msgid("Số, ký hiệu văn bản"),
    "file": msgid("Tệp kết quả"),
    "amount_vnd": msgid("Số tiền công dân phải nộp"),
    "items": msgid("Giấy tờ còn thiếu"),
    "reason": msgid("Lý do"),
    "respond_by": msgid("Bổ sung trước"),
    "until": msgid("Hạn mới"),
    "agency": msgid("Cơ quan có thẩm quyền"),
}

_UNITS: Final[Mapping[str, str]] = {
    "working_day": msgid("ngày làm việc"),
    "day": msgid("ngày"),
    "working_hour": msgid("giờ làm việc"),
    "hour": msgid("giờ"),
}

#: What an agency may choose not to be sent.
NOTICES: Final[Mapping[str, str]] = {
    "changed": msgid("Có thay đổi (hạn, giấy tờ, tạm dừng)"),
    "cancelled": msgid("Thôi việc"),
    "answer_refused": msgid("Câu trả lời không được ghi nhận"),
}
_FAILURES: Final[Mapping[str, str]] = {
    "ok": msgid("máy nhận đã nhận"),
    "by hand": msgid("theo yêu cầu"),
    "timeout": msgid("máy nhận không trả lời kịp"),
    "tls": msgid("chứng thư của máy nhận không hợp lệ"),
    "name": msgid("không tìm thấy tên máy"),
    "private": msgid("tên máy dẫn vào mạng nội bộ"),
    "unreachable": msgid("không nối được tới máy nhận"),
    "broken": msgid("đường truyền đứt giữa chừng"),
    "http 410": msgid("máy nhận báo không còn nhận nữa (410)"),
}


def failure(word: str) -> str:
    """What came of a request to a webhook, by the sender's word."""
    if word in _FAILURES:
        return gettext(_FAILURES[word])
    status = word.removeprefix("http ")
    if status.startswith("3"):
        return gettext(
            "máy nhận chuyển hướng (%(status)s): hãy ghi thẳng địa chỉ cuối", status=status
        )
    return gettext("máy nhận trả lời %(status)s", status=status)


def span(marks: tuple[int, int] | None) -> str:
    """Minutes of working time, of half and of nine tenths: `2 giờ · 7 giờ 30 phút`."""
    return "—" if marks is None else " · ".join(map(_span, marks))


def _span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = (
        ngettext("%(num)s giờ", "%(num)s giờ", hours) if hours else "",
        ngettext("%(num)s phút", "%(num)s phút", rest) if rest or not hours else "",
    )
    return " ".join(part for part in parts if part)


def labels() -> dict[str, str]:
    """What the inputs of an answer are called."""
    return {name: gettext(label) for name, label in LABELS.items()}


def by_place(faults: Iterable[Fault]) -> dict[str, list[str]]:
    """What is wrong with each input of a form, by its name."""
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.place.split(".")[0], []).append(said(fault))
    return found


def outcome(task: Task) -> str:
    """How a task ended, empty while it is open."""
    if task.closed_by == "transferred":
        return gettext("Đã chuyển đi: không thuộc thẩm quyền")
    if task.closed_by == "moved":
        return gettext("Đã chuyển đi theo sắp xếp đơn vị hành chính")
    if task.closed_by == "sent_back":
        return gettext("Đã trả về bước trước")
    if task.undone:
        return gettext("Không còn tính: hồ sơ được trả về bước trước để làm lại")
    return gettext(OUTCOMES.get(task.outcome, "")) if task.outcome else ""


def branch(choice: Choice) -> str:
    """A way on with the time that the law adds to the promise for it."""
    if choice.time is None:
        return choice.name
    time = f"{choice.time.value} {gettext(_UNITS[choice.time.unit])}"
    return gettext("%(name)s (hẹn trả lùi %(time)s)", name=choice.name, time=time)


def due(task: Task, now: datetime) -> Due:
    """What is left of a task's time."""
    if task.state == "paused":
        return Due(gettext("Không tính hạn"), "quiet")
    if task.due_at is None or not task.is_open:
        return Due("—", "quiet")
    return time_left(task.due_at - now, units=2)


def value(given: Any, unit: str | None = None) -> str:
    """A form value as people read it: dates as day/month/year, numbers with what they count."""
    if given is None or given == "":
        return "—"
    if isinstance(given, bool):
        return gettext("Có") if given else gettext("Không")
    if isinstance(given, int | float):
        return vn_number(given, unit)
    try:
        return vn_date(parse_day(given))
    except ValueError:
        return str(given)
