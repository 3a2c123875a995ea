"""What time alone brings: a way that gave no word in its time gives place to the next."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from services.notify.storage import standby
from services.notify.storage.correspondence import lock_dossiers
from services.notify.storage.messages import Messages
from services.notify.usecases.gating import Manners
from services.notify.usecases.telling import follow_up
from shared.database import UnitOfWork
from shared.messaging.loops.ticker import Timely

AT_ONCE = 200


def climbing(manners: Manners) -> Timely:
    """For the loop of things that fall due."""

    def climb(uow: UnitOfWork, ids: Sequence[str]) -> int:
        messages = uow.get(Messages)
        # As a sender does before it writes one of them.
        lock_dossiers(uow.connection, [message.dossier for message in messages.these(ids)])
        follow_up(uow, messages.these(ids), manners.patience)
        return len(ids)

    return Timely(standby.next_climb, _due, climb)


def _due(uow: UnitOfWork, put_off: Collection[str]) -> list[str]:
    return standby.due_climbs(uow.connection, uow.now, AT_ONCE, put_off)
