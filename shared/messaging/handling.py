"""What a service does with the events that it hears: one table, and one way of going through it.

A service's `on.py` is a table *event class -> function*. Each function is pure: it takes what the
service knows of the matter, the event and the circumstances, and decides. Loading before it,
saving and recording after it are here, the same for all three services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from shared.database import UnitOfWork
from shared.events.decision import Decision
from shared.events.envelope import Envelope
from shared.events.event import Event, kind_of
from shared.kernel.errors import ParkNow, Refused, Unreadable
from shared.messaging.consumer.model import Handler, Late

__all__ = ["Decision", "Repository", "Row", "handlers", "keep", "on", "settle"]

State = TypeVar("State")
Around = TypeVar("Around")
E = TypeVar("E", bound=Event)


class Repository(Protocol[State]):
    """Where a service keeps what it knows; one for each unit of work."""

    def load(self, keys: Iterable[Any]) -> None:
        """Read these in one query, since all of them will be asked for."""

    def get(self, key: Any) -> State | None:
        """What is known of this matter; None for one that was never heard of."""

    def put(self, state: State) -> None:
        """Keep it, at the latest when the unit ends."""


@dataclass(frozen=True, slots=True)
class Row(Generic[State, Around]):
    """One line of a service's table; made by `on`, which has its types checked."""

    cls: type[Event]
    decide: Callable[[State | None, Any, Around], Decision[State]]


def on(
    cls: type[E], decide: Callable[[State | None, E, Around], Decision[State]]
) -> Row[State, Around]:
    """When this happens, `decide` says what comes of it."""
    return Row(cls, decide)


def _subject(envelope: Envelope) -> str:
    return envelope.subject


def handlers(
    table: Sequence[Row[State, Around]],
    repository: Callable[[UnitOfWork], Repository[State]],
    around: Callable[[UnitOfWork, State | None, Any], Around],
    *,
    key: Callable[[Envelope], Any] = _subject,
) -> dict[str, Handler]:
    """The handlers of a consumer, by wire type.

    `around` gives the circumstances of one decision: rules, the present instant, new ids; `key`
    what the repository finds the matter by, where that is more than the event's subject.
    """

    def load(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        uow.get(repository).load(map(key, envelopes))

    def handler(row: Row[State, Around]) -> Handler:
        def apply(uow: UnitOfWork, envelope: Envelope) -> Late | None:
            event = envelope.event()
            if event.subject != envelope.subject:  # the order of events is kept by the envelope's
                raise Unreadable(f"{envelope.type} is about another subject than its envelope says")
            states = uow.get(repository)
            state = states.get(key(envelope))
            return settle(uow, states, lambda: row.decide(state, event, around(uow, state, event)))

        return Handler(apply=apply, load=load)

    return {kind_of(row.cls).type: handler(row) for row in table}


def settle(
    uow: UnitOfWork, states: Repository[State], decide: Callable[[], Decision[State]]
) -> Late | None:
    """Save and record what was decided; Late where that is nothing.

    An event has no caller to be told, and trying it again would be refused again: it is parked.
    """
    try:
        decision = decide()
    except Refused as refused:
        raise ParkNow(refused.en, vi=refused.vi, code=refused.code) from refused
    keep(uow, states, decision)
    return None if decision.note is None else Late(decision.note)


def keep(uow: UnitOfWork, states: Repository[State], decision: Decision[State]) -> None:
    """Save what a decision leaves and record what happened by it."""
    if decision.state is not None:
        states.put(decision.state)
    uow.record(*decision.events)
