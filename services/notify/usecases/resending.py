"""Send again by an operator's order: the only way out of uncertain and undeliverable."""

from __future__ import annotations

from services.notify.domain.messages import Message, resent
from services.notify.domain.states import RESENDABLE
from services.notify.storage.messages import Messages
from shared.database import UnitOfWork
from shared.kernel.errors import Conflict, NotAllowed


def resend(uow: UnitOfWork, message_id: str) -> Message:
    """Queue the message again with a fresh budget.

    `NotFound` when there is none, `NotAllowed` when it was sent or is on its way, `Conflict` when
    it has no address to go to.
    """
    message = uow.get(Messages).get(message_id)
    if message.state not in RESENDABLE:
        raise NotAllowed(
            f"a message that is {message.state.value} is not sent again",
            vi="Tin nhắn này không ở trạng thái có thể gửi lại.",
            allowed=tuple(sorted(state.value for state in RESENDABLE)),
        )
    if not message.to:
        raise Conflict(
            "the message never had an address",
            vi="Tin nhắn chưa từng có địa chỉ nhận.",
        )
    again = resent(message, uow.now)
    uow.get(Messages).change(again)
    return again
