"""What an operator must know of routing's work: tasks that are overdue, and a clock that stands."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.routing.storage import queues as queue_rows
from services.routing.storage.placing import BY_OFFICE
from services.routing.storage.reconciliations import by_agency
from services.routing.storage.tables import tasks
from services.routing.storage.views import next_due
from services.routing.storage.webhooks import every
from shared.events.names import agency_queue
from shared.messaging.advice import Both
from shared.messaging.standing import ACT, NOTE, OUTBOX_TOO_OLD, Line, Matters, clock_line, overdue

# The words of the index `tasks_open`, so that it is used.
_OPEN = sa.text("state IN ('assigned', 'taken', 'paused')")
_OVERDUE = (
    sa.select(tasks.c.agency, sa.func.count(), sa.func.min(tasks.c.due_at))
    .where(_OPEN, tasks.c.due_at < sa.bindparam("now"), tasks.c.state != "paused")
    .where(tasks.c.kind == "task")
    .group_by(tasks.c.agency)
    .order_by(tasks.c.agency)
)

# The words of the index `tasks_expired`, and those of `domain.case.Task.is_expired`.
_EXPIRED = (
    sa.select(tasks.c.agency, sa.func.count(), sa.func.min(tasks.c.expired_at))
    .where(tasks.c.expired_at.is_not(None), tasks.c.expired_at <= sa.bindparam("now"))
    .where(tasks.c.state == "assigned", tasks.c.fetched_at.is_(None))
    .group_by(tasks.c.agency)
    .order_by(tasks.c.agency)
)
_NOBODY: Final = ("việc hết thời gian giao, chưa ai nhận", "hand-overs that ended, seen by nobody")
_CALL: Final = Both(
    "Lãnh đạo một cửa: gọi cơ quan này; không ai mở việc, hoặc chương trình của họ không lấy. Vận hành: "
    "lienthong resend sau khi họ sửa, nếu họ có hàng đợi.",
    "The one-stop desk: call this agency, nobody opens the task or its program takes nothing. "
    "Operator: `lienthong resend` once that is mended, where it has a queue.",
)

_TO_PLACE: Final = ("việc chờ điều phối", "steps that no agency has")
_PLACE: Final = Both(
    "Trưởng bộ phận một cửa: chọn cơ quan ở trang Điều phối. Vận hành không phải làm gì.",
    "The head of the one-stop desk: name an agency on the page Điều phối. Nothing for the operator.",
)

_DIFFER: Final = ("ngày lệch sổ giao nhận", "days on which the hand-over books differ")
_LACKING: Final = by_agency("missing")
_FETCH: Final = Both(
    "Cơ quan: python -m partner reconcile. Vận hành không phải làm gì.",
    "The agency: python -m partner reconcile. Nothing for the operator.",
)
_STRANGE: Final = by_agency("unknown", "other_ids")
_DECLARE: Final = Both(
    "Vận hành: lienthong handover reconcile nói lệch gì; cơ sở dữ liệu đã khôi phục mà chưa khai báo?",
    "Operator: lienthong handover reconcile says what; was a restored database not declared?",
)
_GO_ON: Final = Both(
    "Ai tạm dừng thì cho tiếp tục: lienthong agency resume, hoặc trang Kết nối. Hạn vẫn chạy.",
    "Whoever paused it: lienthong agency resume, or the page Kết nối. Deadlines run on.",
)
_CARRY: Final = Both(
    "Vận hành: lienthong routing queues có chạy, LIENTHONG_MANAGEMENT_URL có đúng? lienthong agency list.",
    "Operator: does lienthong routing queues run, is LIENTHONG_MANAGEMENT_URL right? lienthong agency list.",
)
_RESUME: Final = Both(
    "Cơ quan: sửa máy nhận rồi tiếp tục ở trang Kết nối. Vận hành: lienthong agency webhook --resume.",
    "The agency: mend its receiver, then resume on the page Kết nối. Operator: lienthong agency webhook --resume.",
)


def lines(connection: sa.Connection, now: datetime) -> list[Line]:
    """Overdue tasks by agency, and whether deadlines are being looked after."""
    act = Both(
        "Lãnh đạo một cửa: gọi cơ quan này. Vận hành không phải làm gì.",
        "The one-stop desk: call this agency. Nothing for the operator.",
    )
    words = ("việc quá hạn", "overdue tasks")
    found = overdue(connection, _OVERDUE, "agency", words, act, now)
    found += overdue(connection, _EXPIRED, "agency", _NOBODY, _CALL, now)
    found += overdue(connection, BY_OFFICE, "office", _TO_PLACE, _PLACE, now)
    for query, step in ((_LACKING, _FETCH), (_STRANGE, _DECLARE)):
        found += overdue(connection, query, "agency", _DIFFER, step, now)
    found += _queues(connection, now) + _webhooks(connection)
    return found + clock_line("routing", next_due(connection, ()), now)


def _queues(connection: sa.Connection, now: datetime) -> list[Line]:
    """Agencies whose programs are paused, by whom and why; wishes that are not carried out."""
    found = []
    for queue in queue_rows.every(connection):
        if queue.paused_at is not None:
            told = f"{queue.paused_by}: {queue.paused_why}"
            said = Both(f"tạm dừng bởi {told}", f"paused by {told}")
            found.append(_of_queue(queue.agency, NOTE, said, _GO_ON, queue.paused_at))
        late = queue.wished_at is not None and now - queue.wished_at > OUTBOX_TOO_OLD
        if queue.trouble is not None or (queue.done_at is None and late):
            why = queue.trouble or "?"
            said = Both(f"yêu cầu chưa thực hiện ({why})", f"a wish is not carried out ({why})")
            found.append(_of_queue(queue.agency, ACT, said, _CARRY, queue.wished_at))
    return found


def _of_queue(agency: str, level: str, said: Both, act: Both, since: datetime | None) -> Line:
    return Line(part="work", name=f"queue {agency}", level=level, said=said, act=act, oldest=since)


def _webhooks(connection: sa.Connection) -> list[Line]:
    """Agencies whose webhook is paused: what is made for them waits in the ledger."""
    return [
        Line(
            part="work",
            name=f"webhook {hook.agency}",
            level=NOTE,
            said=Both(f"tạm dừng ({hook.paused})", f"paused ({hook.paused})"),
            act=_RESUME,
            count=hook.last - hook.cursor,
            oldest=hook.since,
        )
        for hook in every(connection)
        if hook.paused is not None
    ]


def queues(connection: sa.Connection) -> list[str]:
    """The queues of the agencies that have something to do."""
    asked = sa.select(tasks.c.agency).distinct().where(_OPEN, tasks.c.kind == "task")
    without = {code for code, wanted in queue_rows.wishes(connection).items() if not wanted}
    found = connection.scalars(asked.order_by(tasks.c.agency))
    return [agency_queue(agency) for agency in found if agency not in without]


MATTERS: Final = Matters(lines, queues)
