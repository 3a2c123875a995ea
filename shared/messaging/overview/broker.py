"""How a broker stands: its queues, who reads them, and what lies dead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.events.names import READINGS, dead_letters
from shared.kernel.errors import BrokerAway
from shared.messaging import Bus, Seen
from shared.messaging.advice import Both
from shared.messaging.standing import ACT, NOTE, OK, UNKNOWN, Line


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
    if seen is None and not ours:  # whoever is to have one gets it with the first message
        none = Both("không có hàng đợi: việc ở cổng", "no queue: its tasks are at the door")
        return Line(part="queues", name=queue, said=none)
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
    for service in services:
        queue = dead_letters(service)
        seen = bus.seen(queue)
        if seen is None:
            continue
        act = Both(
            f"Vận hành: bản tin bị trả lại quá 20 lần; chạy lienthong {service} work, nó đưa vào danh "
            "sách parked. Đừng xóa hàng đợi.",
            f"Operator: given back more than 20 times; start `lienthong {service} work`, which parks "
            "them with their reasons. Purge nothing.",
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
