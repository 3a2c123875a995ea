"""How one service's ledgers stand."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from shared.database import Store
from shared.database.types import Instant
from shared.events.names import READINGS, agency_of
from shared.kernel.errors import LienThongError
from shared.messaging.advice import Both, on_reason
from shared.messaging.measure import Depth, measure
from shared.messaging.standing import (
    ACT,
    NOTE,
    OK,
    OUTBOX_TOO_OLD,
    UNKNOWN,
    WAITING_TOO_LONG,
    Line,
    Matters,
    aged,
)
from shared.messaging.tables import PARKED, RETRY, WAITING


def of_service(name: str, store: Store, matters: Matters) -> tuple[list[Line], list[str]]:
    """The lines of a service's database, and the queues that are to be looked at for it."""
    database = f"{name} database"
    queues = [reading.queue for reading in READINGS if reading.service == name]
    try:
        with store.read() as connection:
            now = store.clock.now()
            lines = _ledgers(name, connection, now) + matters.lines(connection, now)
            queues += matters.queues(connection)
    except LienThongError as away:
        act = Both(
            "Vận hành: bật lại máy chủ cơ sở dữ liệu; sau đó không phải sửa gì.",
            "Operator: bring the database server back; nothing has to be repaired afterwards.",
        )
        gone = Line(
            part="servers", name=database, level=UNKNOWN, said=Both(away.vi, away.en), act=act
        )
        return [gone], queues
    return [Line(part="servers", name=database, said=Both("trả lời", "answers")), *lines], queues


def _ledgers(name: str, connection: sa.Connection, now: datetime) -> list[Line]:
    depths = measure(connection)
    late = depths.unsent.oldest is not None and now - depths.unsent.oldest > OUTBOX_TOO_OLD
    act = Both(
        f"Vận hành: {name} work có chạy không, máy chủ bản tin có trả lời không? relay.not_confirmed "
        "trong nhật ký nói thiếu hàng đợi nào. Trong một tiến trình: nơi nhận nào chưa ghi xong?",
        f"Operator: does `lienthong {name} work` run, does the broker answer? relay.not_confirmed "
        "in the log names the queue. In one process: which reader could not write it down yet?",
    )
    found = [
        aged(
            "outbox", name, ("bản tin chờ gửi", "facts to be sent"), depths.unsent, now,
            level=ACT if late else OK, act=act if late else None,
        )
    ]  # fmt: skip
    for (consumer, state), depth in sorted(depths.inbox.items()):
        if state != PARKED and depth.count:
            found.append(_on_its_way(name, consumer, state, depth, now))
    return found + _parked(name, connection, now)


def _on_its_way(name: str, consumer: str, state: str, depth: Depth, now: datetime) -> Line:
    stuck = state == WAITING and depth.oldest is not None and now - depth.oldest > WAITING_TOO_LONG
    words = {
        WAITING: ("bản tin chờ bản tin trước nó", "facts wait for an earlier one"),
        RETRY: ("bản tin sẽ được thử lại", "facts will be tried again"),
    }[state]
    act = Both(
        f"Vận hành: có bản tin nào đỗ ở {name} thì xử lý nó trước; nếu không: "
        f"lienthong parked list --state waiting --service {name} rồi lienthong resend ở nơi gửi.",
        f"Operator: settle what is parked at {name} first; where nothing is: `lienthong parked "
        f"list --state waiting --service {name}`, then `lienthong resend` at the sender.",
    )
    return aged(
        "held", f"{consumer} {state}", words, depth, now,
        level=ACT if stuck else NOTE, act=act if stuck else None,
    )  # fmt: skip


# On SQLite only when told so, else it walks the whole inbox.
_PARKED: Final = {
    dialect: sa.text(
        f"SELECT consumer, source, reason, count(*), min(received_at) AS oldest FROM inbox {hint}"  # noqa: S608
        " WHERE state = 'parked' GROUP BY consumer, source, reason"
    ).columns(oldest=Instant())
    for dialect, hint in (("sqlite", "INDEXED BY inbox_parked"), ("postgresql", ""))
}
_COUNTED = re.compile(r"(?<=the stream is at )\d+|(?<=longer than )\d+")


def _parked(name: str, connection: sa.Connection, now: datetime) -> list[Line]:
    """What is parked, by sender and reason: one line for what one person can settle in one go."""
    groups: dict[tuple[str, str, str], Depth] = {}
    for consumer, source, reason, count, oldest in connection.execute(
        _PARKED[connection.dialect.name]
    ):
        key = (consumer, source, _COUNTED.sub("…", reason or ""))
        known = groups.get(key, Depth(0, oldest))
        groups[key] = Depth(known.count + count, min(oldest, known.oldest or oldest))
    found = []
    for (consumer, source, reason), depth in sorted(groups.items()):
        sender = agency_of(source) or source if source not in ("", "?") else "?"
        words = (f"đỗ, từ {sender}: {reason}", f"parked, from {sender}")
        advice = on_reason(reason, name, consumer, sender if agency_of(source) else None)
        found.append(aged("held", f"{consumer} parked", words, depth, now, level=ACT, act=advice))
    return found
