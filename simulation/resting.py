"""Carrying a built city to rest: on a real broker also waiting for what is on its way.

Lives here: the one call that moves a city whose loops run in no thread. Must not: moving the clock
(agenda.py), or anything of the play.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa

from services.embedded.city import City
from services.routing.storage.tables import answers, refused_answers
from shared.database import Store
from shared.events import names
from shared.kernel.errors import LienThongError, Transient
from shared.messaging.tables import LEDGERS, PARKED, RETRY, WAITING

WAIT_SECONDS = 30.0
_HELD = (WAITING, RETRY, PARKED)
# reader -> (maker, source) of all that it is sent, beside the agencies' answers
READS = {
    "intake": (
        ("routing", names.ROUTING), ("routing", names.ROUTING_STEPS), ("notify", names.NOTIFY),
    ),
    "routing": (("intake", names.INTAKE),),
    "notify": (
        ("intake", names.INTAKE), ("intake", names.INTAKE_CONTACTS), ("routing", names.ROUTING),
        ("routing", names.ROUTING_NOTICES),
    ),
}  # fmt: skip


class Rest:
    """Carries a city to rest as often as it is called.

    `given` tells how many answers agencies have handed in since `begin`, by whatever way.
    """

    def __init__(self, city: City, given: Callable[[], int]) -> None:
        self._city = city
        self._given = given
        self._heard_before: int | None = None
        self._seen = 0

    def begin(self) -> None:
        """Take note of what was answered before; at the latest when the first agency comes."""
        if self._heard_before is None:
            self._heard_before = 0 if self._city.bus.volatile else self._answers_in_all()

    def __call__(self) -> int:
        """Move until nothing moves; the things done."""
        self.begin()
        moved = self._pump()
        given = self._given()
        if self._city.bus.volatile or (not moved and given == self._seen):
            return moved
        self._seen = given
        give_up = time.monotonic() + WAIT_SECONDS
        while self._on_its_way():
            if time.monotonic() > give_up:
                raise LienThongError("facts that were sent did not arrive within 30 s")
            time.sleep(0.002)
            moved += self._pump()
        return moved

    def _pump(self) -> int:
        """Carry everything on; servers that do not answer for a moment are asked again."""
        give_up = time.monotonic() + WAIT_SECONDS
        away = 0
        while True:
            try:
                return self._city.pump() + away
            except Transient:
                if self._city.bus.volatile or time.monotonic() > give_up:
                    raise
                away = 1  # something may have moved before
                time.sleep(0.2)

    def _on_its_way(self) -> bool:
        """Whether some reader has not got all that was sent to it."""
        services = self._city.services.values()
        made = {each.name: _made(each.store) for each in services}
        for service in services:
            got = _got(service.store)
            for maker, source in READS[service.name]:
                if got.get(source, 0) < made[maker].get(source, 0):
                    return True
        return self._answers_in_all() - (self._heard_before or 0) < self._seen

    def _answers_in_all(self) -> int:
        """How many answers of agencies routing has ever taken in, by either door."""
        inbox = LEDGERS.inbox.c
        queries = (
            sa.select(sa.func.count()).select_from(answers),
            sa.select(sa.func.count()).select_from(refused_answers),
            sa.select(sa.func.count()).where(
                inbox.source.like(f"{names.AGENCIES}%"), inbox.state.in_(_HELD)
            ),
        )
        with self._city.routing.store.read() as connection:
            return sum(connection.scalar(query) or 0 for query in queries)


def _made(store: Store) -> Counter[str]:
    """How many facts were ever made here, by source; rows that were cleared count on."""
    streams = LEDGERS.streams.c
    return _by_source(store, sa.select(streams.stream, streams.last))


def _got(store: Store) -> Counter[str]:
    """How many facts have ever come here, by source: applied, passed over or held."""
    cursors, inbox = LEDGERS.cursors.c, LEDGERS.inbox.c
    held = sa.select(inbox.stream, sa.literal(1)).where(inbox.state.in_(_HELD))
    return _by_source(store, sa.select(cursors.stream, cursors.applied)) + _by_source(store, held)


def _by_source(store: Store, query: sa.Select[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    with store.read() as connection:
        for stream, number in connection.execute(query):
            found[stream.partition(" ")[0]] += number
    return found
