"""The mail of a working day to an agency's staff: one message for each address, plain Vietnamese."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from services.notify.domain.contacts import EMAIL
from services.notify.domain.messages import STAFF, Message
from services.notify.domain.states import State
from shared.events.parts import NearTask
from shared.events.routing import AgencyReminded
from shared.kernel.clock import to_vn
from shared.kernel.ids import ids_from

REMINDED: Final = "agency_reminded"
_WHY: Final = (
    "Thư tự động mỗi ngày làm việc khi có việc cần nhắc; không có thông tin của công dân. "
    "Đổi địa chỉ nhận: báo người vận hành hệ thống."
)

_PAUSED: Final = (
    "bản tin mới chờ trong sổ, không mất. Hãy sửa máy nhận rồi bấm Tiếp tục ở trang Kết nối "
    "(/nhiem-vu/ket-noi)."
)

_EXPIRED: Final = (
    "hệ thống đã giao lại mỗi ngày làm việc và không giao thêm nữa. Hãy kiểm tra chương trình nhận "
    "việc, rồi nhận việc ở trang Nhiệm vụ (/nhiem-vu)."
)


def digests(reminded: AgencyReminded, now: datetime) -> list[Message]:
    """One message for each address, ready to be sent; its id is the agency's, the day's and its."""
    named = (REMINDED, reminded.agency, to_vn(reminded.reminded_at).date().isoformat())
    subject, body = _subject(reminded), "\n".join(_lines(reminded))
    ids = [ids_from(*named, to)() for to in reminded.addresses]
    return [
        Message(
            id=made,
            fact_id=made,  # so that several addresses of one fact stand beside each other
            moment=REMINDED,
            role=STAFF,
            channel=EMAIL,
            dossier=reminded.agency,
            state=State.QUEUED,
            made_at=now,
            changed_at=now,
            language="vi",
            to=to,
            subject=subject,
            body=body,
            encoding="utf-8",
            parts=1,
            next_at=now,
        )
        for made, to in zip(ids, reminded.addresses, strict=True)
    ]


def _counts(reminded: AgencyReminded) -> list[tuple[int, str]]:
    told = (
        (reminded.overdue, "quá hạn"),
        (reminded.near, "sắp đến hạn"),
        (reminded.undecided, "xin thêm thời gian, chờ quyết định"),
    )
    return [(count, words) for count, words in told if count]


def _subject(reminded: AgencyReminded) -> str:
    told = [f"{count} việc {words}" for count, words in _counts(reminded)]
    if reminded.expired:
        told.insert(0, f"{reminded.expired} việc hết thời gian giao")
    if reminded.webhook_paused_at is not None:
        told.insert(0, "webhook tạm dừng")
    return f"Nhắc việc {to_vn(reminded.reminded_at):%d/%m/%Y}: {', '.join(told)}"


def _lines(reminded: AgencyReminded) -> Iterator[str]:
    yield f"Kính gửi {reminded.name},"
    yield ""
    if reminded.webhook_paused_at is not None:
        yield f"Webhook của đơn vị TẠM DỪNG từ {_at(reminded.webhook_paused_at)}: {_PAUSED}"
        yield ""
    if reminded.expired:
        yield f"{reminded.expired} việc đã HẾT THỜI GIAN GIAO mà chưa ai ở đơn vị nhận: {_EXPIRED}"
        yield ""
    if counts := _counts(reminded):
        yield f"Đến {_at(reminded.reminded_at)}, đơn vị có:"
        yield from (f"- {count} việc {words}" for count, words in counts)
    for task in reminded.tasks:
        yield ""
        yield from _task(task, reminded.reminded_at)
    more = sum(count for count, _ in _counts(reminded)) - len(reminded.tasks)
    if more > 0:
        yield from ("", f"Và {more} việc nữa.")
    if reminded.link:
        yield from ("", f"Danh sách: {reminded.link}")
    yield from ("", _WHY, "")


def _task(task: NearTask, now: datetime) -> Iterator[str]:
    if task.undecided:
        state = "CHỜ QUYẾT ĐỊNH thêm thời gian"
    else:
        state = "QUÁ HẠN" if task.due_at and task.due_at <= now else "Sắp đến hạn"
    yield f"{state} – hạn {_at(task.due_at)}" if task.due_at else state
    yield f"  Hồ sơ {task.dossier}, nhiệm vụ {task.task}"
    yield f"  Thủ tục {task.procedure.code} {task.procedure.name}"
    yield f"  Bước: {task.step.name}"


def _at(instant: datetime) -> str:
    return f"{to_vn(instant):%H:%M %d/%m/%Y}"
