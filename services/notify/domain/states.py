"""The states of a message and the moves between them; the only place that allows a move.

A message is never deleted and never goes back in silence: only an operator's order or a receipt
leads out of `uncertain` and `undeliverable`. Which message of a moment goes when is in `ladder`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.kernel.errors import NotAllowed
from shared.kernel.text import msgid


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
    # The citizen agreed to no channel, or has just done it at the desk, or the budget is used up.
    SKIPPED = "skipped"
    HELD = "held"  # waits for a decent hour, or for what may take its place
    STANDBY = "standby"  # goes where the way before it fails
    TO_CALL = "to_call"  # the desk is asked to call; its answer ends it
    SPARED = "spared"  # another way reached the citizen
    CANCELLED = "cancelled"  # no longer true, or too late to be of use
    RECALLED = "recalled"  # by an operator, before it went
    OPTED_OUT = "opted_out"  # the citizen has ended what is sent by this way


#: What nobody needs any more ends so, wherever it has not gone yet.
_ENDS = frozenset({State.SPARED, State.CANCELLED, State.RECALLED})

MOVES: Mapping[State, frozenset[State]] = {
    State.AWAITING_CONTACT: frozenset(
        {State.QUEUED, State.STANDBY, State.TO_CALL, State.SKIPPED, State.UNDELIVERABLE}
    ),
    State.QUEUED: frozenset({State.SENDING, State.DELIVERED, State.UNDELIVERABLE, *_ENDS}),
    State.SENDING: frozenset(
        {State.SENT, State.FAILED, State.UNCERTAIN, State.UNDELIVERABLE, State.QUEUED}
        | {State.HELD, State.CANCELLED, State.OPTED_OUT, State.SKIPPED}
    ),
    State.FAILED: frozenset(
        {State.SENDING, State.QUEUED, State.DELIVERED, State.UNDELIVERABLE, *_ENDS}
    ),
    # Receipts: up to `delivered` from wherever it stands, and never down from there.
    State.UNCERTAIN: frozenset({State.QUEUED, State.SENT, State.DELIVERED, State.UNDELIVERABLE}),
    State.UNDELIVERABLE: frozenset({State.QUEUED, State.DELIVERED}),
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERABLE}),
    State.DELIVERED: frozenset(),
    State.SKIPPED: frozenset(),
    State.HELD: frozenset({State.QUEUED, State.DELIVERED, State.UNDELIVERABLE, *_ENDS}),
    State.STANDBY: frozenset({State.QUEUED, State.TO_CALL, *_ENDS}),
    State.TO_CALL: frozenset({State.DELIVERED, State.UNDELIVERABLE, *_ENDS}),
    # What was taken in its place has come back.
    State.SPARED: frozenset({State.STANDBY}),
    State.CANCELLED: frozenset(),
    State.RECALLED: frozenset(),
    State.OPTED_OUT: frozenset(),
}

# What an operator may order to be sent (again).
RESENDABLE = frozenset({State.HELD, State.FAILED, State.UNCERTAIN, State.UNDELIVERABLE})
# What an operator may still take back.
RECALLABLE = frozenset({State.QUEUED, State.HELD, State.FAILED, State.STANDBY})
# No further try will be made without an operator, and the citizen was not reached.
LOST = frozenset({State.UNDELIVERABLE, State.SKIPPED, State.OPTED_OUT})

NAMES_VI: Mapping[State, str] = {
    State.AWAITING_CONTACT: msgid("Chờ thông tin liên hệ"),
    State.QUEUED: msgid("Chờ gửi"),
    State.SENDING: msgid("Đang gửi"),
    State.SENT: msgid("Đã gửi"),
    State.DELIVERED: msgid("Đã tới máy"),
    State.FAILED: msgid("Lỗi, sẽ gửi lại"),
    State.UNCERTAIN: msgid("Chưa rõ đã gửi"),
    State.UNDELIVERABLE: msgid("Không gửi được"),
    State.SKIPPED: msgid("Không gửi"),
    State.HELD: msgid("Chờ đến giờ gửi"),
    State.STANDBY: msgid("Dự phòng"),
    State.TO_CALL: msgid("Cần gọi điện"),
    State.SPARED: msgid("Không cần nữa"),
    State.CANCELLED: msgid("Đã hủy vì không còn đúng"),
    State.RECALLED: msgid("Đã thu hồi"),
    State.OPTED_OUT: msgid("Người dân từ chối nhận"),
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
