"""Take back by an operator's order what has not gone; what has gone nobody can take back."""

from __future__ import annotations

from services.notify.domain.messages import Message
from services.notify.domain.states import RECALLABLE, State
from services.notify.storage.correspondence import lock_dossiers
from services.notify.storage.messages import Messages
from services.notify.usecases.telling import follow_up
from shared.database import UnitOfWork
from shared.kernel.errors import NotAllowed


def recall(uow: UnitOfWork, message_id: str) -> Message:
    """The message never goes, and none of the ways behind it in its place.

    `NotFound` when there is none, `NotAllowed` when it has gone, is on its way or had its end.
    """
    messages = uow.get(Messages)
    # As whoever writes one that others follow: the dossier first.
    lock_dossiers(uow.connection, [found.dossier for found in messages.these([message_id])])
    message = messages.get(message_id)
    if message.state not in RECALLABLE:
        raise NotAllowed(
            f"a message that is {message.state.value} cannot be recalled",
            vi="Tin này đã đi, đang đi hoặc đã kết thúc nên không thu hồi được.",
            allowed=tuple(sorted(state.value for state in RECALLABLE)),
        )
    recalled = message.moved(State.RECALLED, uow.now, next_at=None, reason=None)
    messages.change(recalled)
    follow_up(uow, [recalled])
    return recalled
