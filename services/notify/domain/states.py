"""The states of a message and the moves between them; the only place that allows a move.

A message is never deleted and never goes back in silence: only an operator's order or a receipt
leads out of `uncertain` and `undeliverable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.kernel.errors import NotAllowed


class State(StrEnum):
    """Where a message is; the values are stored and served."""

    AWAITING_CONTACT = "awaiting_contact"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"  # a receipt says that the phone has it
    FAILED = "failed"  # will be tried again at its own time
    UNCERTAIN = "uncertain"  # handed over perhaps: a person decides
    UNDELIVERABLE = "undeliverable"
    SKIPPED = "skipped"  # the citizen agreed to no channel


MOVES: Mapping[State, frozenset[State]] = {
    State.AWAITING_CONTACT: frozenset({State.QUEUED, State.SKIPPED, State.UNDELIVERABLE}),
    State.QUEUED: frozenset({State.SENDING, State.DELIVERED}),
    State.SENDING: frozenset(
        {State.SENT, State.FAILED, State.UNCERTAIN, State.UNDELIVERABLE, State.QUEUED}
    ),
    State.FAILED: frozenset({State.SENDING, State.QUEUED, State.DELIVERED}),
    # Receipts: up to `delivered` from wherever it stands, and never down from there.
    State.UNCERTAIN: frozenset({State.QUEUED, State.SENT, State.DELIVERED, State.UNDELIVERABLE}),
    State.UNDELIVERABLE: frozenset({State.QUEUED, State.DELIVERED}),
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERABLE}),
    State.DELIVERED: frozenset(),
    State.SKIPPED: frozenset(),
}

# What an operator may order to be sent (again).
RESENDABLE = frozenset({State.FAILED, State.UNCERTAIN, State.UNDELIVERABLE})
# No further try will be made without an operator, and the citizen was not reached.
LOST = frozenset({State.UNDELIVERABLE, State.SKIPPED})

NAMES_VI: Mapping[State, str] = {
    State.AWAITING_CONTACT: "Chờ thông tin liên hệ",
    State.QUEUED: "Chờ gửi",
    State.SENDING: "Đang gửi",
    State.SENT: "Đã gửi",
    State.DELIVERED: "Đã tới máy",
    State.FAILED: "Lỗi, sẽ gửi lại",
    State.UNCERTAIN: "Chưa rõ đã gửi",
    State.UNDELIVERABLE: "Không gửi được",
    State.SKIPPED: "Không gửi (không đồng ý nhận tin)",
}


def move(before: State, after: State) -> State:
    """The state after the move, or `NotAllowed` that names the moves there are."""
    if after not in MOVES[before]:
        allowed = tuple(sorted(state.value for state in MOVES[before]))
        raise NotAllowed(
            f"a message that is {before.value} cannot become {after.value}",
            vi=f"Tin nhắn đang ở trạng thái “{NAMES_VI[before]}” không thể chuyển thành "
            f"“{NAMES_VI[after]}”.",
            allowed=allowed,
        )
    return after
