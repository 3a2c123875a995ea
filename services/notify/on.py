"""What notify does with the events that it hears.

An event of another kind is passed over: its number counts, nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from services.notify.domain.composing import Composer
from services.notify.domain.correspondence import (
    Circumstances,
    Correspondence,
    learn_deadline,
    release_messages,
    write_messages,
)
from services.notify.domain.moments import MOMENTS
from services.notify.storage.correspondence import Correspondences
from shared.database import UnitOfWork
from shared.events.intake import ContactGiven, DeadlineStated, SupplementLapsed
from shared.kernel.ids import ids_from
from shared.messaging.consumer import Handler
from shared.messaging.handling import Row, handlers, on

TABLE: Final[tuple[Row[Correspondence, Circumstances], ...]] = (
    *(on(cls, write_messages) for cls in MOMENTS),
    on(DeadlineStated, learn_deadline),
    on(SupplementLapsed, learn_deadline),
    on(ContactGiven, release_messages),
)


def event_handlers(composer: Composer) -> dict[str, Handler]:
    """The handlers of notify's queues."""
    return handlers(TABLE, Correspondences, _circumstances(composer))


def _circumstances(composer: Composer) -> Callable[[UnitOfWork, Any, Any], Circumstances]:
    def around(uow: UnitOfWork, _known: Any, _event: Any) -> Circumstances:
        cause = uow.cause
        if cause is None or cause.made_at is None:
            raise RuntimeError("an event is handled without its envelope")
        # Made again after a restore from a backup, a letter has the name that it had before: who
        # got it then can tell, and most mail programs do.
        return Circumstances(composer, cause.id, cause.made_at, uow.now, ids_from(cause.id))

    return around
