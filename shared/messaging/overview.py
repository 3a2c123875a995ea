"""Looking at a service, its broker and its loops: one list of lines, whoever shows it.

`lienthong status` and the operators' page both call it. Only reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from shared.database import Store
from shared.database.types import Instant
from shared.events.names import DEAD_LETTERS, READINGS, agency_of
from shared.kernel.errors import BrokerAway, LienThongError
from shared.messaging import Bus, Seen
from shared.messaging.advice import Both, on_reason
from shared.messaging.measure import Depth, measure
from shared.messaging.standing import (
    ACT,
    NOTE,
    OK,
    OUTBOX_TOO_OLD,
    PARTS,
    UNKNOWN,
    WAITING_TOO_LONG,
    Line,
    Matters,
    aged,
)
from shared.messaging.tables import PARKED, RETRY, WAITING


@dataclass(frozen=True, slots=True)
class Part:
    """One service as it is looked at; `bus` is None where its messages are in another process."""

    store: Store
    matters: Matters
    bus: Bus | None


def look(parts: Mapping[str, Part], loops: Mapping[str, str] | None = None) -> list[Line]:
    """Everything about these services and, where they run in this process, its loops."""
    lines: list[Line] = []
    buses: dict[Bus, dict[str, Sequence[str]]] = {}
    for name, part in parts.items():
        found, queues = of_service(name, part.store, part.matters)
        lines += found
        if part.bus is not None:
            buses.setdefault(part.bus, {})[name] = queues
    for bus, services in buses.items():
        lines += of_broker(bus, services)
    return arranged(lines + of_loops(loops or {}))


def arranged(lines: Iterable[Line]) -> list[Line]:
    """In the order of the parts, each thing once."""
    order = list(PARTS)
    once = {(line.part, line.name, line.said, line.act): line for line in lines}
    return sorted(once.values(), key=lambda line: order.index(line.part))


# --- one service --------------------------------------------------------------------------------


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
        f"Vận hành: {name} work có chạy không, máy chủ bản tin có trả lời không? Nhật ký ghi "
        "relay.not_confirmed nói thiếu hàng đợi nào (docs/operate.md, “The outbox grows”).",
        f"Operator: does `lienthong {name} work` run, does the broker answer? relay.not_confirmed "
        "in the log names what is missing (docs/operate.md, “The outbox grows”).",
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


# --- the broker ---------------------------------------------------------------------------------


def of_broker(bus: Bus, services: Mapping[str, Sequence[str]]) -> list[Line]:
    """The broker, and the queues of these services with how many wait and how many read."""
    name = f"broker ({', '.join(services)})"
    try:
        bus.ping()
        found = [Line(part="servers", name=name, said=Both("trả lời", "answers"))]
        for service, queues in services.items():
            found += [_queue(service, queue, bus.seen(queue)) for queue in queues]
        found += _dead_letters(bus, services)
    except BrokerAway as away:
        act = Both(
            "Vận hành: bật lại máy chủ bản tin; quầy vẫn làm việc, sau đó không phải sửa gì.",
            "Operator: bring the broker back; desks go on, nothing has to be repaired afterwards.",
        )
        gone = Line(part="servers", name=name, level=UNKNOWN, said=Both(away.vi, away.en), act=act)
        return [gone]
    return found


def _queue(service: str, queue: str, seen: Seen | None) -> Line:
    ours = any(reading.queue == queue for reading in READINGS)
    if seen is None:
        act = Both(
            f"Vận hành: khởi động lại {service} work, nó tự khai báo hàng đợi; rồi lienthong resend.",
            f"Operator: restart `lienthong {service} work`, which declares it; then `lienthong resend`.",
        )
        gone = Both("không có hàng đợi này", "there is no such queue")
        return Line(part="queues", name=queue, level=ACT, act=act, said=gone)
    told = Both(
        f"{seen.messages} bản tin, {seen.readers} nơi đọc",
        f"{seen.messages} messages, {seen.readers} readers",
    )
    level, advice = OK, None
    if ours and not seen.readers:
        level = ACT
        advice = Both(
            f"Vận hành: không tiến trình nào đọc; chạy lienthong {service} work.",
            f"Operator: no process reads it; start `lienthong {service} work`.",
        )
    elif seen.messages and not seen.readers:
        level = NOTE
        advice = Both(
            "Cơ quan: chưa đọc hàng đợi (hoặc làm qua trang web); việc quá hạn xem bên dưới.",
            "The agency: its program does not read (or it works at the pages); see what is overdue.",
        )
    return Line(
        part="queues", name=queue, level=level, act=advice, count=seen.messages,
        readers=seen.readers, said=told,
    )  # fmt: skip


def _dead_letters(bus: Bus, services: Iterable[str]) -> list[Line]:
    found = []
    for queue in (DEAD_LETTERS, *(f"{service}.{DEAD_LETTERS}" for service in services)):
        seen = bus.seen(queue)
        if seen is None:
            continue
        act = Both(
            "Vận hành: bản tin đã bị trả lại quá 20 lần. Tìm nguyên nhân trong nhật ký, đừng xóa; "
            "gửi lại từ sổ của nơi gửi bằng lienthong resend.",
            "Operator: given back more than 20 times. Find out why in the log, purge nothing; what "
            "our services sent is sent again by `lienthong resend`.",
        )
        found.append(
            Line(
                part="dead letters",
                name=queue,
                level=ACT if seen.messages else OK,
                said=Both(f"{seen.messages} bản tin", f"{seen.messages} messages"),
                act=act if seen.messages else None,
                count=seen.messages,
                readers=seen.readers,
            )
        )
    return found


# --- loops --------------------------------------------------------------------------------------


def of_loops(report: Mapping[str, str], where: str = "") -> list[Line]:
    """The loops of a process as its supervisor reports them; `where` goes before their names."""
    return [_loop(f"{where} {name}".strip(), state) for name, state in report.items()]


def _loop(name: str, state: str) -> Line:
    if state == "ok":
        return Line(part="loops", name=name, said=Both("chạy", "runs"))
    if state in ("dead", "stuck"):
        act = Both(
            "Vận hành: khởi động lại tiến trình này; nó làm tiếp từ chỗ dở.",
            "Operator: restart this process; it takes up where it was.",
        )
    elif state.endswith("Away"):
        act = Both(
            "Vận hành: bật lại máy chủ mà nó chờ; vòng lặp tự chạy tiếp.",
            "Operator: bring back the server that it waits for; it goes on by itself.",
        )
    else:
        act = Both(
            "Vận hành: báo lỗi kèm dòng loop.failed trong nhật ký.",
            "Operator: report it with loop.failed of the log.",
        )
    return Line(
        part="loops", name=name, level=ACT, said=Both(f"lỗi: {state}", f"fails: {state}"), act=act
    )
