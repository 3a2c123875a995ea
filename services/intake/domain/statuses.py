"""The ten official statuses and the moves between them; nothing here knows a whole dossier.

Source: the numbering that one-stop systems send to the national public service portal.
"""

from __future__ import annotations

from enum import IntEnum

from shared.kernel.errors import NotAllowed


class Status(IntEnum):
    """A dossier's official status; the number is what reports and the national portal use."""

    REGISTERED = 1
    RECEIVED = 2
    REFUSED = 3
    PROCESSING = 4
    SUPPLEMENT = 5
    PAYMENT = 6
    WITHDRAWN = 7
    STOPPED = 8
    RESOLVED = 9
    RETURNED = 10

    @property
    def vi(self) -> str:
        """The official name."""
        return _NAMES[self][0]

    @property
    def en(self) -> str:
        """An English name, for programmers and English-speaking citizens."""
        return _NAMES[self][1]

    @property
    def final(self) -> bool:
        """True where no move leads out."""
        return self in FINAL


_NAMES: dict[Status, tuple[str, str]] = {
    Status.REGISTERED: ("Mới đăng ký", "registered"),
    Status.RECEIVED: ("Được tiếp nhận", "received"),
    Status.REFUSED: ("Không được tiếp nhận", "not received"),
    Status.PROCESSING: ("Đang xử lý", "being processed"),
    Status.SUPPLEMENT: ("Yêu cầu bổ sung giấy tờ", "papers requested"),
    Status.PAYMENT: ("Yêu cầu thực hiện nghĩa vụ tài chính", "payment requested"),
    Status.WITHDRAWN: ("Công dân yêu cầu rút hồ sơ", "withdrawn by the citizen"),
    Status.STOPPED: ("Dừng xử lý", "stopped"),
    Status.RESOLVED: ("Đã xử lý xong", "resolved"),
    Status.RETURNED: ("Đã trả kết quả", "result returned"),
}

_MOVES: dict[Status, frozenset[Status]] = {
    Status.REGISTERED: frozenset(
        {Status.RECEIVED, Status.REFUSED, Status.SUPPLEMENT, Status.WITHDRAWN}
    ),
    Status.RECEIVED: frozenset(
        {
            Status.PROCESSING,
            Status.SUPPLEMENT,
            Status.WITHDRAWN,
            Status.STOPPED,
            Status.RESOLVED,
        }
    ),
    Status.REFUSED: frozenset(),
    Status.PROCESSING: frozenset(
        {
            Status.SUPPLEMENT,
            Status.PAYMENT,
            Status.WITHDRAWN,
            Status.STOPPED,
            Status.RESOLVED,
        }
    ),
    Status.PAYMENT: frozenset({Status.PROCESSING, Status.WITHDRAWN, Status.STOPPED}),
    Status.WITHDRAWN: frozenset(),
    Status.STOPPED: frozenset(),
    Status.RESOLVED: frozenset({Status.RETURNED, Status.PROCESSING}),
    Status.RETURNED: frozenset(),
}

FINAL = frozenset({Status.REFUSED, Status.WITHDRAWN, Status.STOPPED, Status.RETURNED})
#: Where a dossier may stand when nothing is awaited from the citizen, before its end.
UNDERLYING = frozenset({Status.REGISTERED, Status.RECEIVED, Status.PROCESSING})


def moves(status: Status, underlying: Status) -> frozenset[Status]:
    """The statuses that may follow; `underlying` is where a waiting dossier goes back to."""
    if status is not Status.SUPPLEMENT:
        return _MOVES[status]
    # An unanswered request is closed as "not received" before reception, as "stopped" after it.
    closed = Status.REFUSED if underlying is Status.REGISTERED else Status.STOPPED
    return frozenset({underlying, closed, Status.WITHDRAWN})


def move(status: Status, to: Status, *, underlying: Status) -> Status:
    """Return `to` if that move is allowed; NotAllowed says which moves are."""
    allowed = moves(status, underlying)
    if to in allowed:
        return to
    names = tuple(s.en for s in sorted(allowed))
    raise NotAllowed(
        f"a dossier that is {status.en} cannot become {to.en}; "
        f"allowed: {', '.join(names) or 'nothing'}",
        vi=f"Hồ sơ ở trạng thái «{status.vi}» không thể chuyển sang «{to.vi}». Được phép: "
        + (", ".join(f"«{s.vi}»" for s in sorted(allowed)) or "không có bước nào")
        + ".",
        allowed=names,
    )
