"""How a service stands: what waits, since when, and who must do what about it.

The words of it; what is looked at is in `overview`. Nothing in a line names a dossier or a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from shared.messaging.advice import Both
from shared.messaging.measure import Depth

if TYPE_CHECKING:
    from shared.catalogue import Catalogue

OK: Final = "ok"
NOTE: Final = "note"  # somebody else must act, or nobody
ACT: Final = "act"  # whoever operates the city must act
UNKNOWN: Final = "unknown"  # it could not be asked
#: From well to worst.
LEVELS: Final = (OK, NOTE, ACT, UNKNOWN)
EXIT_CODES: Final = {OK: 0, NOTE: 0, ACT: 1, UNKNOWN: 2}

#: The parts in the order in which they are shown, with their titles.
PARTS: Final = {
    "servers": ("Máy chủ", "Servers"),
    "loops": ("Tiến trình và vòng lặp", "Processes and loops"),
    "outbox": ("Chờ gửi đi", "Outbox"),
    "held": ("Bản tin đang giữ", "Held facts"),
    "dead letters": ("Bản tin bị bỏ lại ở máy chủ bản tin", "Dead letters"),
    "queues": ("Hàng đợi", "Queues"),
    "work": ("Việc của thành phố", "The city's work"),
}

# From these ages on nothing can be on its way any more; docs/operate.md names the same.
OUTBOX_TOO_OLD: Final = timedelta(minutes=2)
WAITING_TOO_LONG: Final = timedelta(minutes=15)
CLOCK_STANDS: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was looked at; `act` says who must do what. `oldest` is in UTC."""

    part: str
    name: str
    level: str = OK
    said: Both
    act: Both | None = None
    count: int | None = None
    oldest: datetime | None = None
    readers: int | None = None


@dataclass(frozen=True, slots=True)
class Matters:
    """What one service has to tell beside its ledgers: lines, and queues that others read."""

    lines: Callable[[sa.Connection, datetime], list[Line]] = lambda _connection, _now: []
    queues: Callable[[sa.Connection], Sequence[str]] = lambda _connection: ()
    #: What can only be told beside the city's rules; asked once they are handed in.
    ruled: Callable[[sa.Connection, datetime, Catalogue], list[Line]] | None = None

    def by(self, catalogue: Callable[[], Catalogue]) -> Matters:
        """The same beside these rules, which are read only where they are needed."""
        if (ruled := self.ruled) is None:
            return self
        rules, plain = catalogue(), self.lines
        both = lambda known, now: [*plain(known, now), *ruled(known, now, rules)]  # noqa: E731
        return replace(self, lines=both, ruled=None)


def worst(lines: Iterable[Line]) -> str:
    """The level of the whole; where something could not be asked, nobody can say that all is well."""
    return max((line.level for line in lines), key=LEVELS.index, default=OK)


def span(since: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits, as `--since` is written: 45s, 12m, 3h, 2d."""
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def aged(
    part: str,
    name: str,
    words: tuple[str, str],
    depth: Depth,
    now: datetime,
    *,
    level: str = OK,
    act: Both | None = None,
) -> Line:
    """A line of so many things, the oldest of them so old."""
    said = Both(*(f"{depth.count} {each}" for each in words))
    if depth.oldest is not None:
        ago = span(depth.oldest, now)
        said = Both(f"{said.vi}, cũ nhất {ago}", f"{said.en}, the oldest {ago}")
    return Line(
        part=part, name=name, said=said, level=level, act=act,
        count=depth.count, oldest=depth.oldest,
    )  # fmt: skip


def overdue(
    connection: sa.Connection, query: sa.Select[Any], whose: str, words: tuple[str, str],
    act: Both, now: datetime,
) -> list[Line]:  # fmt: skip
    """A line for each row (who, how many, the earliest instant) of a query that takes `now`."""
    rows = connection.execute(query, {"now": now})
    return [
        aged("work", f"{whose} {who}", words, Depth(count, first), now, level=NOTE, act=act)
        for who, count, first in rows
    ]


def clock_line(service: str, due: datetime | None, now: datetime) -> list[Line]:
    """A line where what fell due by the clock at `due` was not done."""
    if due is None or now - due < CLOCK_STANDS:
        return []
    act = Both(
        f"Vận hành: {service} work có chạy không? {service}.…_put_off trong nhật ký nói vì sao.",
        f"Operator: does `lienthong {service} work` run? {service}.…_put_off in the log says why.",
    )
    words = ("việc đến giờ mà chưa làm", "thing due by the clock and not done")
    return [aged("work", f"{service} clock", words, Depth(1, due), now, level=ACT, act=act)]
