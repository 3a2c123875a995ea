"""What notify does with the events that it hears.

An event of another kind is passed over: its number counts, nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from services.notify.domain.composing import Composer
from services.notify.domain.correspondence import (
    Circumstances,
    Correspondence,
    learn_deadline,
    learn_party,
    release_messages,
    write_messages,
)
from services.notify.domain.moments import MOMENTS
from services.notify.storage.correspondence import Correspondences
from services.notify.storage.queries import ids_of
from services.notify.usecases.calling import take_answer
from services.notify.usecases.reminding import write_digest
from shared.database import Cause, UnitOfWork
from shared.events.envelope import Envelope
from shared.events.event import Event, kind_of
from shared.events.intake import (
    CitizenCalled,
    ContactGiven,
    DeadlineStated,
    PartyGiven,
    SupplementLapsed,
)
from shared.events.routing import AgencyReminded
from shared.kernel.errors import Unreadable
from shared.kernel.ids import ids_from
from shared.messaging.consumer import Handler, Late
from shared.messaging.handling import Row, handlers, on

TABLE: Final[tuple[Row[Correspondence, Circumstances], ...]] = (
    *(on(cls, write_messages) for cls in MOMENTS),
    on(DeadlineStated, learn_deadline),
    on(SupplementLapsed, learn_deadline),
    on(ContactGiven, release_messages),
    on(PartyGiven, learn_party),
)

#: What is said to agencies' staff, about no dossier; `usecases/reminding.py` decides on it.
NOTICES: Final = (AgencyReminded,)
#: What officers say of calls that were asked for; `usecases/calling.py` decides on it.
ANSWERS: Final = (CitizenCalled,)


def event_handlers(composer: Composer) -> dict[str, Handler]:
    """The handlers of notify's queues."""
    notices = {kind_of(each).type: Handler(apply=_digest) for each in NOTICES}
    notices |= {kind_of(each).type: Handler(apply=_called) for each in ANSWERS}
    return notices | handlers(TABLE, Correspondences, _circumstances(composer))


def _digest(uow: UnitOfWork, envelope: Envelope) -> Late | None:
    reminded = envelope.event()
    if not isinstance(reminded, AgencyReminded) or reminded.subject != envelope.subject:
        raise Unreadable(f"{envelope.type} is about another subject than its envelope says")
    note = write_digest(uow, reminded)
    return None if note is None else Late(note)


def _called(uow: UnitOfWork, envelope: Envelope) -> None:
    answered = envelope.event()
    if not isinstance(answered, CitizenCalled) or answered.subject != envelope.subject:
        raise Unreadable(f"{envelope.type} is about another subject than its envelope says")
    take_answer(uow, answered)


def _circumstances(composer: Composer) -> Callable[[UnitOfWork, Any, Any], Circumstances]:
    def around(uow: UnitOfWork, _known: Any, event: Event) -> Circumstances:
        cause = uow.cause
        if cause is None or cause.made_at is None:
            raise RuntimeError("an event is handled without its envelope")
        told = ids_of(uow.connection, event.subject) if cause.again else frozenset()
        return Circumstances(composer, cause.id, cause.made_at, uow.now, _ids(cause, event), told)

    return around


def _ids(cause: Cause, event: Event) -> Callable[[], str]:
    """Ids of the letters about an event, the same however often it comes about by the same cause.

    So what is made again after a restore from a backup has the name that it had before: we can
    tell, and where it was ours that was restored, most mail programs can.
    """
    moment = MOMENTS.get(type(event))
    if moment is None:
        return ids_from(cause.id)
    words = msgspec.json.encode(moment.details(event)).decode()
    return ids_from(cause.origin or cause.id, moment.code, words)
