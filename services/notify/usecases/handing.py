"""Handing messages over: from the unit that wrote them to the sender of the same process.

A message that may go into a tray is written as claimed by that sender, and is put there after the
commit, so that it needs no claim of its own. Whatever does not come out again (the process died,
the commit's word was lost) is a message of a sender that is gone, and found as such.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from services.notify.domain.messages import Message, claimed
from services.notify.domain.states import State
from services.notify.storage.messages import Messages
from services.notify.storage.sendings import Claim
from services.notify.usecases.sending import LEASE
from shared.database import Signal, UnitOfWork

# So many messages may wait in memory; further ones wait as queued rows, where any process that
# has time can take them.
LIMIT = 200


@dataclass(frozen=True, slots=True)
class Handed:
    """A message, and until when nobody else may take it over (UTC)."""

    message: Message
    lease_until: datetime


class Tray:
    """The way to the sender of one channel in this process; `bell` is what that sender waits for.

    Only for channels to which a letter may be handed twice: nobody knows of what died in a tray
    whether it was sent. Closed until its sender opens it.
    """

    def __init__(self, sender: str, bell: Signal, *, limit: int = LIMIT) -> None:
        self.sender = sender
        self._bell = bell
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: deque[Handed] = deque()
        self._puts = 0
        self._open = False
        self._behind = False

    def open(self) -> None:
        """From now on messages may be handed over."""
        self._open = True

    def close(self) -> list[Message]:
        """Nothing more is taken; what was not sent."""
        self._open = False
        with self._lock:
            left = [handed.message for handed in self._waiting]
            self._waiting.clear()
        return left

    @property
    def accepts(self) -> bool:
        """Whether a unit may hand over now.

        Once it was full, rows wait as queued until the sender has worked those off too: else
        what comes now would overtake what waits there.
        """
        if len(self._waiting) >= self._limit:
            self.refuse()
        return self._open and not self._behind

    def refuse(self) -> None:
        """Messages wait as rows, and want their turn."""
        self._behind = True

    def caught_up(self) -> None:
        """The sender found nothing queued any more."""
        self._behind = False

    def put(self, handed: Sequence[Handed]) -> None:
        """After the commit that wrote them as claimed by `sender`."""
        if not self._open:
            return
        with self._lock:
            self._waiting.extend(handed)
            self._puts += 1
            self._bell.set()

    def take(self, most: int, now: datetime) -> list[Message]:
        """The oldest, without those that others may soon take over: they must not go twice."""
        with self._lock:
            count = min(most, len(self._waiting))
            taken = [self._waiting.popleft() for _ in range(count)]
        return [handed.message for handed in taken if handed.lease_until > now]

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def rings(self) -> int:
        """How often the bell rang for something else than a put: there may be queued rows."""
        with self._lock:
            return self._bell.count - self._puts


# The trays of this process by channel; a channel may have none.
Trays = Mapping[str, Tray]
NO_TRAYS: Trays = MappingProxyType({})


def hand_over(uow: UnitOfWork, trays: Trays, message: Message) -> Message:
    """The message as it is to be written: claimed for the tray of its channel where it may go."""
    tray = trays.get(message.channel)
    if tray is None or message.state is not State.QUEUED or not tray.accepts:
        return message
    mine = claimed(message, uow.now)
    lease_until = uow.now + LEASE
    uow.get(Messages).claim(message.id, Claim(tray.sender, lease_until))
    uow.get(_Hands).give(tray, Handed(mine, lease_until))
    return mine


class _Hands:
    """What one unit hands over once it is committed, all at once for each tray."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._given: dict[Tray, list[Handed]] = {}
        uow.on_commit(self._put)

    def give(self, tray: Tray, handed: Handed) -> None:
        self._given.setdefault(tray, []).append(handed)

    def _put(self) -> None:
        for tray, handed in self._given.items():
            tray.put(handed)
