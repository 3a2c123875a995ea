"""What an operator must know of notify's work: messages that wait for a person or a mail server."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from services.notify.domain.bounces import Fate
from services.notify.domain.delivery import LOCAL
from services.notify.domain.states import NAMES_VI, State
from services.notify.storage import bounces, receipts
from services.notify.storage.tables import found_by_index, messages
from shared.messaging.advice import Both
from shared.messaging.measure import Depth
from shared.messaging.standing import ACT, NOTE, OK, Line, aged

# A message that is due waits for its turn; so long it waits for a sender that is not there.
_LATE: Final = timedelta(minutes=10)
_HOUR: Final = timedelta(hours=1)
_WEEK: Final = timedelta(days=7)
_LOOK: Final = Both(
    "Vận hành: mở hộp thư trả lại, các thư có gắn cờ; trả lời người viết nếu có.",
    "Operator: open the mailbox that letters come back to, those with a flag; answer who wrote.",
)
# So many tries in an hour and none taken: not one letter's fault.
_SO_MANY: Final = 5
_DOWN = Both(
    "Vận hành: chạy lienthong channels check; docs/operate.md, “Khi cổng tin nhắn ngừng”.",
    "Operator: run `lienthong channels check`; docs/operate.md, “When a gateway is down”.",
)
_MEND = Both(
    "Vận hành: notify work có chạy không, máy chủ thư có nhận không? Nhật ký messages.tried nói rõ; "
    "thư tự đi khi máy chủ trở lại.",
    "Operator: does `lienthong notify work` run, does the mail server take letters? messages.tried "
    "in the log says; they go by themselves once it does.",
)
_DECIDE = Both(
    "Vận hành: có thể đã tới nơi; quyết định bằng lienthong messages list --state uncertain rồi resend.",
    "Operator: perhaps it arrived; decide: `lienthong messages list --state uncertain`, then resend.",
)
_CALL = Both(
    "Bộ phận một cửa: gọi điện cho người dân; hồ sơ ghi “không báo được”. Thư cho cán bộ: sửa địa chỉ "
    "bằng lienthong agency mail.",
    "The desk: telephone the citizen; the dossier says so. Mail to staff: `lienthong agency mail`.",
)


_DESK = Both(
    "Bộ phận một cửa: danh sách “Cần gọi”; lời cần nói và kết quả cuộc gọi ở trang hồ sơ.",
    "The desk: its list of citizens to call; what to say and what came of it are on the dossier's page.",
)


def lines(connection: sa.Connection, now: datetime) -> list[Line]:
    """Messages on their way, and those that stand still."""
    found = []
    for state, column in ((State.QUEUED, messages.c.next_at), (State.FAILED, messages.c.made_at)):
        depth = _count(connection, state, column)
        stands = depth.oldest is not None and now - depth.oldest > _LATE
        found.append(_line(state, depth, now, *((ACT, _MEND) if stands else (OK, None))))
    for state, level, act in (
        (State.UNCERTAIN, ACT, _DECIDE),
        (State.UNDELIVERABLE, NOTE, _CALL),
        (State.AWAITING_CONTACT, NOTE, None),
        (State.TO_CALL, NOTE, _DESK),
        (State.HELD, OK, None),
    ):
        column = messages.c.made_at if state is State.AWAITING_CONTACT else messages.c.changed_at
        found.append(_line(state, _count(connection, state, column), now, level, act))
    return [line for line in found if line.count] + [
        *_providers(connection, now),
        *_set_aside(connection, now),
    ]


def _set_aside(connection: sa.Connection, now: datetime) -> list[Line]:
    """Mails at the return path in which nothing could be read: they wait for a person."""
    count = bounces.counts(connection, now - _WEEK).get(Fate.SET_ASIDE, 0)
    said = Both(
        f"thư trả lại không đọc được, 7 ngày qua: {count}",
        f"mails at the return path that nothing could be read in, last 7 days: {count}",
    )
    line = Line(part="work", name="bounces", level=NOTE, said=said, act=_LOOK, count=count)
    return [line] if count else []


def _providers(connection: sa.Connection, now: datetime) -> list[Line]:
    """Who was given how many in the last hour; one that took none of them needs a person."""
    tried = receipts.shares(connection, now - _HOUR)
    total = sum(tried.values())
    lines = []
    for name in sorted({provider for provider, _ in tried if not provider.endswith(LOCAL)}):
        of_it = {outcome: n for (provider, outcome), n in tried.items() if provider == name}
        count, taken = sum(of_it.values()), of_it.get("sent", 0)
        share = round(100 * count / total)
        said = Both(
            f"{name}, 1 giờ qua: {count} lần gửi ({share} %), nhận {taken}",
            f"{name}, last hour: {count} handed over ({share} %), {taken} taken",
        )
        down = taken == 0 and count >= _SO_MANY
        level, act = (ACT, _DOWN) if down else (OK, None)
        lines.append(Line(part="work", name=name, level=level, said=said, act=act, count=count))
    return lines


def _count(connection: sa.Connection, state: State, since: sa.Column[datetime]) -> Depth:
    asked = sa.select(sa.func.count(), sa.func.min(since)).where(found_by_index((state,)))
    return Depth(*connection.execute(asked).one())


def _line(state: State, depth: Depth, now: datetime, level: str, act: Both | None) -> Line:
    words = (f"tin nhắn: {NAMES_VI[state]}", f"messages {state.value}")
    return aged("work", f"messages {state.value}", words, depth, now, level=level, act=act)
