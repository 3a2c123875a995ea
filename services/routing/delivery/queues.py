"""Tasks on their way to agencies of which some have no queue: those are served at the door.

Every message is offered to the broker. For one that no queue takes the agency's row says whether
that is well, asked anew each time, so that a wish counts at once in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from services.routing.storage import queues
from shared.catalogue import Catalogue
from shared.database import Store
from shared.events.names import AGENCY_TASKS, agency_queue
from shared.kernel.errors import LienThongError
from shared.messaging import Bus, OutMessage, Sent
from shared.messaging.topology import agency_queues


class ToAgencies:
    """A publisher of routing's; `queued` tells which of these agencies shall have a queue now."""

    def __init__(self, bus: Bus, queued: Callable[[set[str]], set[str]]) -> None:
        self._bus = bus
        self._inner = bus.publisher()
        self._queued = queued

    def publish(self, batch: Sequence[OutMessage]) -> Sent:
        """As the bus does; what is for an agency without a queue is safe where it is."""
        sent = self._inner.publish(batch)
        stranded = {
            each.key: _agency(each)
            for each in batch
            if each.key in sent.unroutable & sent.failed.keys() and each.exchange == AGENCY_TASKS
        }
        if not stranded:
            return sent
        queued = self._queued(set(stranded.values()))
        for key, agency in stranded.items():
            if agency not in queued:
                del sent.failed[key]
                sent.confirmed.add(key)
        if queued:  # somebody took it away: it is made anew, and the messages go next time
            self._bus.declare((), agency_queues(sorted(queued)))
        return sent

    def confirmed(self) -> set[Any]:
        return self._inner.confirmed()

    def tend(self) -> None:
        self._inner.tend()

    def close(self) -> None:
        self._inner.close()


def _agency(message: OutMessage) -> str:
    before, after = agency_queue("\0").split("\0")
    return message.routing_key.removeprefix(before).removesuffix(after)


def queued(store: Store, catalogue: Catalogue, agencies: set[str]) -> set[str]:
    """Those of these agencies that shall have a queue now."""
    with store.query() as connection:
        wished = queues.wishes(connection, agencies)
    return {code for code in agencies if wished.get(code, _by_catalogue(catalogue, code))}


def at_start(store: Store, catalogue: Catalogue, bus: Bus) -> list[str]:
    """The agencies whose queues are declared when routing starts.

    In one process every agency's: nothing lies on a queue there that nobody reads. Where the rows
    cannot be asked yet the catalogue alone says so.
    """
    codes = sorted(catalogue.agency_codes())
    if bus.volatile:
        return codes
    wished = _wishes(store)
    return [code for code in codes if wished.get(code, _by_catalogue(catalogue, code))]


def without_queue(store: Store) -> list[str]:
    """The names of the queues that were withdrawn."""
    return [agency_queue(code) for code, wanted in _wishes(store).items() if not wanted]


def _wishes(store: Store) -> dict[str, bool]:
    try:
        with store.query() as connection:
            return queues.wishes(connection)
    except (LienThongError, sa.exc.DBAPIError):
        return {}


def _by_catalogue(catalogue: Catalogue, code: str) -> bool:
    return code in catalogue.agency_codes() and catalogue.agency(code).reach == "amqp"
