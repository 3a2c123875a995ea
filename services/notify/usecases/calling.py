"""An officer has called whom no message reached: what that makes of the call."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.notify.domain.contacts import CALL
from services.notify.domain.messages import WRONG_NUMBER
from services.notify.domain.states import State
from services.notify.storage import receipts
from services.notify.storage.messages import Messages
from services.notify.storage.receipts import Try
from services.notify.usecases.telling import notified
from shared.database import UnitOfWork
from shared.events.intake import CitizenCalled

#: Whose hands a call is in, where a message has its provider.
DESK: Final = "desk"
_TOLD: Final = ("reached", "called_back", "met")


def take_answer(uow: UnitOfWork, called: CitizenCalled) -> None:
    """Each try is written down; one that reached the citizen, or nobody, ends the call."""
    messages = uow.get(Messages)
    outcome = called.outcome or "reached"
    found = messages.these(called.calls or (), lock=True)
    open_ = [m for m in found if m.state is State.TO_CALL and m.dossier == called.dossier]
    tries = []
    for message in open_:
        number = message.tries + 1
        tries.append(Try(message.id, DESK, number, called.called_at, outcome, None, CALL))
        after = replace(message, tries=number, provider=DESK)
        if outcome in _TOLD:
            at = called.called_at
            after = after.moved(State.DELIVERED, uow.now, sent_at=at, delivered_at=at, reason=None)
            uow.record(*notified([(after, at)]))
        elif outcome == WRONG_NUMBER:
            after = after.moved(State.UNDELIVERABLE, uow.now, reason=WRONG_NUMBER)
        messages.change(after)
    receipts.add_tries(uow.connection, tries)
